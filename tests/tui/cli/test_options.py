"""An option that several commands have is one option."""

from __future__ import annotations

import typing
from collections import defaultdict
from collections.abc import Callable, Iterator

from condense_tui import cli
from condense_tui.cli.presets import presets
from condense_tui.cli.reproduce import SEEDS
from condense_tui.cli.runs import runs


def callbacks() -> Iterator[Callable[..., object]]:
    for app in (cli.app, presets, runs):
        for command in app.registered_commands:
            assert command.callback is not None
            yield command.callback


def test_what_two_commands_say_in_the_same_words_is_defined_once() -> None:
    options = defaultdict(set)
    for callback in callbacks():
        hints = typing.get_type_hints(callback, include_extras=True)
        for name, hint in hints.items():
            for option in getattr(hint, "__metadata__", ()):
                options[option.help].add((id(option), f"{callback.__name__} {name}"))
    assert len(options) > 30
    twice = {help_: found for help_, found in options.items() if len({which for which, _ in found}) > 1}
    assert not twice


def test_the_help_of_sweep_names_the_seeds_that_it_takes() -> None:
    assert f"or {SEEDS} if" in str(cli.sweep.__doc__)
