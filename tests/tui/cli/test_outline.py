"""A program whose commands are made when a line names them is the program that Typer makes of all of them."""

from __future__ import annotations

import contextlib
import gc
import io
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from condense_tui.cli import app
from condense_tui.cli.outline import outline
from condense_tui.terminal.garbage import none_at_first

WHOLE, LATE = typer.main.get_command(app), typer.main.get_command(outline(app))


def paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from paths(inner, (*path, name))


def reached(command: Any, path: tuple[str, ...]) -> Any:
    """What a line of these words reaches."""
    context = command.make_context("condense-tui", [], resilient_parsing=True)
    for name in path:
        _, command, _ = command.resolve_command(context, [name])
        context = command.make_context(name, [], parent=context, resilient_parsing=True)
    return command


def help_of(command: Any, path: tuple[str, ...]) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as written:
        assert command.main([*path, "--help"], prog_name="condense-tui", standalone_mode=False) == 0
    return written.getvalue()


@pytest.mark.parametrize("path", list(paths(WHOLE)), ids=lambda path: " ".join(path) or "all")
def test_a_line_reaches_the_command_that_typer_makes(path: tuple[str, ...]) -> None:
    late, whole = reached(LATE, path), reached(WHOLE, path)
    assert "Usage" in help_of(LATE, path)
    assert help_of(LATE, path) == help_of(WHOLE, path)
    assert [each.opts for each in late.params] == [each.opts for each in whole.params]
    assert late.context_settings == whole.context_settings
    assert late.hidden == whole.hidden


def test_no_command_is_made_before_a_line_names_it() -> None:
    assert {name: inner.params for name, inner in LATE.commands.items() if inner.params} == {}
    assert len(LATE.commands) > 10
    runs = reached(LATE, ("runs",))
    assert isinstance(runs, TyperGroup)
    assert {name: inner.params for name, inner in runs.commands.items() if inner.params} == {}
    assert reached(LATE, ("runs", "list")).params


def test_what_is_no_command_is_compared_with_all_of_them() -> None:
    shown, expected = (CliRunner().invoke(program, ["runz"]) for program in (outline(app), app))
    assert "'runs'" in shown.output
    assert (shown.output, shown.exit_code) == (expected.output, 2)


@pytest.mark.parametrize(("words", "collects"), [(["--help"], False), (["presets", "--help"], True)])
def test_garbage_is_collected_once_a_command_begins(words: list[str], collects: bool) -> None:
    try:
        with none_at_first():
            assert CliRunner().invoke(outline(app), words).exit_code == 0
            assert gc.isenabled() is collects
        assert gc.isenabled()
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()
