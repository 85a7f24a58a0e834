"""`runs check`: what is damaged in a run file, and that the rest is whole."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from recording import Recording

from condense_tui.main import main

Answer = Callable[..., tuple[int, str, str]]
SIMILARITY = "place = (SELECT id FROM place WHERE kind = 'similarity' AND layer = 'conv1')"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Answer:
    """Runs `condense-tui runs check` in this process; its status, standard output and standard error."""
    monkeypatch.setenv("CONDENSE_RUNS_DIR", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["condense-tui", "runs", "check", *arguments])
        code = main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def recorded(runs: Path, *statements: str, format_: int = 5) -> Path:
    recording = Recording(runs, frames=6, kernels=(6, 4), format_=format_)
    recording.write()
    recording.finish()
    recording.close()
    with contextlib.closing(sqlite3.connect(recording.folder / "run.sqlite")) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount
        connection.commit()
    return recording.folder


def test_a_whole_run_is_said_to_be_and_so_is_its_file_alone(command, tmp_path):
    folder = recorded(tmp_path)
    assert command(folder.name) == (0, f"{folder.name} is whole (57 rows, format 5)\n", "")
    file = folder / "run.sqlite"
    assert command(str(file)) == (0, f"{file} is whole (57 rows, format 5)\n", "")
    code, out, _ = command("--json", folder.name)
    assert code == 0
    assert json.loads(out) == {"run": folder.name, "format": 5, "has_checksums": True, "rows": 57, "damage": []}


@pytest.mark.parametrize("format_", [1, 4])
def test_a_file_without_checksums_is_said_to_have_none(command, tmp_path, format_):
    folder = recorded(tmp_path, format_=format_)
    code, out, _ = command(folder.name)
    assert code == 0
    assert out.endswith(f"rows, format {format_}, which has no checksums: a value that was changed is not found)\n")


def test_all_that_is_damaged_is_named(command, tmp_path):
    folder = recorded(
        tmp_path,
        f"UPDATE frame SET blob = zeroblob(60) WHERE step = 4000 AND {SIMILARITY}",
        "UPDATE scalar SET data = zeroblob(length(data)) WHERE step = 1",
        "UPDATE event SET step = 'text' WHERE kind = 'started'",
    )
    code, out, said = command(folder.name)
    assert (code, said) == (1, "")
    head, *lines = out.splitlines()
    assert head == f"{folder.name} is damaged (57 rows, format 5):"
    assert lines[:-1] == ["  similarity of conv1 at step 4000: wrong checksum", "  scalars at step 1: wrong checksum"]
    assert lines[-1].endswith("it is damaged (event.step: expected a whole number, got 'text')")


def test_a_damaged_index_is_found(command, tmp_path):
    folder = recorded(tmp_path)
    file = folder / "run.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'frame_place'").fetchone()
    content = bytearray(file.read_bytes())
    # one entry fewer
    content[(page - 1) * 4096 + 4] -= 1
    file.write_bytes(content)
    code, out, _ = command(folder.name)
    assert code == 1
    assert "its tables are damaged: " in out
    assert "frame_place" in out


@pytest.mark.parametrize("table", ["scalar", "frame", "event"])
def test_a_table_without_its_key_is_found(command, tmp_path, table):
    """Of one letter: every row is there, has no number, and is in no answer."""
    folder = recorded(tmp_path)
    file = folder / "run.sqlite"
    content = bytearray(file.read_bytes())
    content[content.index(b"PRIMARY", content.index(b"CREATE TABLE " + table.encode())) + 3] ^= 8
    file.write_bytes(content)
    code, out, _ = command(folder.name)
    assert code == 1
    assert f"its tables are damaged: {table} is not that of a run file" in out


def test_what_is_no_run_file_is_one_line(command, tmp_path):
    folder = recorded(tmp_path)
    (folder / "run.sqlite").write_bytes(b"no database" * 100)
    code, out, said = command(folder.name)
    assert (code, out, said.count("\n")) == (2, "", 1)
    assert "file is not a database" in said
