"""`runs list` with queries, sorting and columns, and `rename`, `note`, `tag`, `archive` and `rm`."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest
from many_small_runs import make_many
from pseudo_terminal import PseudoTerminal
from recording import Recording

from condense_core.remote.client.connection import RefusedError
from condense_core.remote.client.hosts import Host
from condense_core.remote.server.session import Session
from condense_core.remote.wire import messages as say
from condense_core.remote.wire.framing import GREETING, from_server, pack
from condense_core.runs.about_run import AboutRun, read_about, write_about
from condense_tui.draw.label import preset_base
from condense_tui.main import main
from condense_tui.resolve.collection import There

Answer = Callable[..., tuple[int, str, str]]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    make_many(tmp_path / "runs", 12, sweep=4)
    return tmp_path / "runs"


@pytest.fixture
def command(runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Answer:
    """Runs `condense-tui` in this process; its status, standard output and standard error."""
    monkeypatch.setenv("CONDENSE_RUNS_DIR", str(runs))

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["condense-tui", *arguments])
        code = main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_what_is_damaged_in_a_run_is_left_out_and_said_and_refused_to_an_export(
    command: Answer, runs: Path, tmp_path: Path
) -> None:
    recording = Recording(runs, frames=6)
    recording.write()
    recording.finish()
    recording.close()
    name, file = recording.folder.name, recording.folder / "run.sqlite"
    whole = command("runs", "show", name)
    assert (whole[0], whole[2]) == (0, "")
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE scalar SET data = zeroblob(length(data)) WHERE step = 1")
    code, out, said = command("runs", "show", name)
    assert (code, len(out.splitlines())) == (2, len(whole[1].splitlines()))
    assert said == (f"condense-tui: cannot read all of {file}; left out, since it is damaged: scalars at step 1\n")
    code, out, said = command("export", name, "--to", "csv", "--out", str(tmp_path / "x.csv"))
    assert (code, out) == (2, "")
    damage = "it is damaged (scalars at step 1: wrong checksum)"
    assert said == f"condense-tui: cannot read {file}: {damage}; what is whole is exported with --skip-damage\n"
    assert not (tmp_path / "x.csv").exists()


def seeds(listed: str) -> list[int]:
    return [row["seed"] for row in json.loads(listed)]


def test_a_list_is_narrowed_sorted_and_in_the_columns_that_were_asked_for(command: Answer) -> None:
    assert seeds(command("runs", "list", "--json")[1]) == list(range(11, -1, -1))
    assert seeds(command("runs", "list", "status:stopped", "--json")[1]) == [9, 3]
    fitting = command("runs", "list", "lr<5e-3", "-seed:8", "NOT", "status:diverged", "--json")[1]
    assert seeds(fitting) == [10, 7, 4, 2, 1]
    assert seeds(command("runs", "list", "-status:done", "--sort", "seed", "--json")[1]) == [3, 4, 5, 9, 10, 11]
    assert seeds(command("runs", "list", "-status:done", "--sort", "-seed", "--json")[1]) == [11, 10, 9, 5, 4, 3]
    _, table, _ = command("runs", "list", "seed:3", "--columns", "name,lr,loss,sweep,id")
    head, line = table.splitlines()
    assert head.split() == ["name", "lr", "loss", "sweep", "id"]
    assert line.split("  ")[0] == "digits-ce · lr 0.01 · seed 3"
    assert "0.01" in line.split() and "0.7500" in line and "digits over lr" in line


def test_the_usual_table_has_loss_lines_seed_and_verdict(command: Answer) -> None:
    head, *lines = command("runs", "list")[1].splitlines()
    assert head.split() == ["id", "name", "status", "step", "steps", "age", "loss", "lines", "seed", "claim"]
    assert len(lines) == 12
    assert re.search(r" 0\.7500 +2 +11 +✖ does not hold", lines[0])


def test_json_keeps_what_it_had_and_has_what_a_list_shows(command: Answer) -> None:
    (row,) = json.loads(command("runs", "list", "seed:3", "--json")[1])
    assert row["id"].endswith("-digits-ce-0003") and row["preset"] == row["name"] == "digits-ce"
    assert row["claim"]["state"] == "not decided" and "experiment" not in row
    assert row["label"] == "digits-ce · lr 0.01 · seed 3" and row["differs"] == ["lr 0.01", "seed 3"]
    assert row["loss"] == {"first": 1.0, "last": 0.75}
    assert [layer["lines"] for layer in row["layers"]] == [2]
    assert (row["tags"], row["note"], row["archived"], row["sweep"]) == ([], "", False, "digits over lr")


def test_a_run_is_renamed_noted_and_tagged_and_found_by_that(command: Answer, runs: Path) -> None:
    assert command("runs", "rename", "0003", "the best one")[0] == 0
    assert command("runs", "note", "0003", "look at step 800")[0] == 0
    assert "2 runs: tagged keep, paper" in command("runs", "tag", "keep,paper", "0003", "0004")[1]
    assert "4 runs: tagged bad" in command("runs", "tag", "bad", "status:failed,diverged")[1]
    assert seeds(command("runs", "list", "the best", "--json")[1]) == [3]
    assert seeds(command("runs", "list", "tag:keep", "note~800", "--json")[1]) == [3]
    assert "the best one" in command("runs", "list", "tag:paper")[1]
    assert command("runs", "tag", "--remove", "keep", "tag:keep", "-seed:4")[1].endswith(": without keep\n")
    assert seeds(command("runs", "list", "tag:keep", "--json")[1]) == [4]
    assert command("runs", "rename", "0003", "")[0] == 0
    folder = next(folder for folder in runs.iterdir() if folder.name.endswith("-0003"))
    assert read_about(folder) == AboutRun(note="look at step 800", tags=("paper",), sweep="digits over lr")


def test_the_name_that_was_given_works_where_an_id_does(command: Answer, runs: Path, tmp_path: Path) -> None:
    assert command("runs", "rename", "0003", "wide start")[0] == 0
    folder = next(runs.glob("*-0003"))
    assert command("runs", "note", "wide start", "mine")[1] == f"{folder.name} has a note\n"
    assert command("runs", "tag", "keep", "wide")[1] == f"{folder.name}: tagged keep\n"
    assert json.loads(command("runs", "show", "wide start", "--json")[1])["run"] == folder.name
    out = tmp_path / "wide.csv"
    assert command("export", "wide start", "--to", "csv", "--out", str(out))[1] == f"wrote {out}\n"
    assert "did you mean 'wide start'?" in command("runs", "show", "wide strat")[2]
    # the nearest of runs and recordings
    assert (
        "no run or recording 'digits-gdx'; did you mean 'digits-gd'?"
        in command("export", "digits-gdx", "--to", "csv")[2]
    )
    assert command("runs", "rename", "0004", "my digits gd")[0] == 0
    assert "did you mean 'my digits gd'?" in command("export", "my digits gdx", "--to", "csv")[2]
    # what cannot be undone is asked for, and here nobody can be
    code, _, said = command("runs", "rm", "wide start")
    assert code == 2 and said.endswith(f"needs the whole of it: {folder.name}\n")


def test_an_export_says_which_runs_a_name_fits(command: Answer) -> None:
    for arguments in (("export", "digits-gd-", "--to", "csv"), ("replay", "digits-gd-", "--headless")):
        code, _, said = command(*arguments)
        assert (code, said.count("\n")) == (2, 1)
        assert "'digits-gd-' fits 6 runs (" in said and "give more of the id" in said


def test_archived_runs_are_kept_and_left_out_of_lists(command: Answer) -> None:
    assert "2 runs: archived" in command("runs", "archive", "status:diverged")[1]
    assert len(seeds(command("runs", "list", "--json")[1])) == 10
    assert seeds(command("runs", "list", "archived:yes", "--json")[1]) == [11, 5]
    assert len(seeds(command("runs", "list", "--all", "--json")[1])) == 12
    assert seeds(command("runs", "list", "--all", "status:diverged", "--json")[1]) == [11, 5]
    assert "0005: back in lists" in command("runs", "archive", "--undo", "0005")[1]
    assert len(seeds(command("runs", "list", "--json")[1])) == 11


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("list", "sttus:x"), "unknown field 'sttus'; did you mean 'status'?"),
        (("list", "--sort", "los"), "did you mean 'loss'?"),
        (("list", "--columns", "id,los"), "--columns: unknown 'los'; did you mean 'loss'?"),
        (("list", "--jsn"), "no such option: --jsn"),
        (("list", "a", "OR", "b"), "OR is no word of it"),
        (("tag", "a b", "0003"), "'a b' is not a tag"),
        (("tag", ",", "0003"), "',' is not a tag"),
        (("rename", "0003", "x" * 81), "up to 80 printable characters"),
        (("rename", "digits", "x"), "fits 12 runs"),
        (("rename", "elephant", "x"), "no run 'elephant'"),
        (("rm",), "which runs?"),
        (("rm", "status:done"), "nobody can be asked here; add --yes"),
        (("rm", "--failed"), "nobody can be asked here; add --yes"),
        (("rm", "digits-ce-000"), "what cannot be undone needs the whole of it"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(
    arguments: tuple[str, ...], words: str, command: Answer, runs: Path
) -> None:
    code, out, err = command("runs", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert len([folder for folder in runs.iterdir() if not folder.name.startswith(".")]) == 12


def test_runs_are_deleted_by_ids_parts_and_queries(command: Answer, runs: Path) -> None:
    assert command("runs", "rm", "0003")[1].endswith("-digits-ce-0003 removed\n"), "a whole last part, as ever"
    assert command("runs", "rm", "--yes", "ce-0005", "gd-0006")[1].count("removed") == 2
    write_about(next(runs.glob("*-000b")), AboutRun(tags=("keep",)))
    assert command("runs", "rm", "--yes", "--failed", "NOT", "tag:keep")[1].count("removed") == 2
    assert seeds(command("runs", "list", "--json")[1]) == [11, 9, 8, 7, 2, 1, 0]
    assert command("runs", "rm", "--yes", "status:paused")[1] == "no runs fit\n"


def test_a_run_that_trains_is_not_deleted_and_the_others_are(command: Answer, runs: Path) -> None:
    live = Recording(runs, frames=3, kernels=(8,), lines=(1,))
    live.write()
    with live.worker():
        code, out, err = command("runs", "rm", "--yes", live.folder.name, "0003")
    assert code == 2 and "still training; stop it first" in err
    assert out.endswith("0003 removed\n") and live.folder.exists()
    live.close()


def test_words_that_cannot_be_read_are_said_and_hide_no_run(command: Answer, runs: Path) -> None:
    (next(runs.glob("*-0003")) / "about.toml").write_text("name = 3")
    code, out, err = command("runs", "list", "seed:3", "--json")
    assert (code, seeds(out), err.count("\n")) == (0, [3], 1)
    assert "about.toml makes no sense: name: expected text" in err


@pytest.mark.parametrize(("answer", "left"), [(b"y\r", 8), (b"n\r", 12), (b"\r", 12)])
def test_in_a_terminal_it_asks(runs: Path, answer: bytes, left: int, forked: None) -> None:
    write_about(next(runs.glob("*-0004")), AboutRun(name="wide start"))
    environment = {**os.environ, "CONDENSE_RUNS_DIR": str(runs)}
    arguments = [sys.executable, "-m", "condense_tui", "runs", "rm", "status:failed,diverged"]
    with PseudoTerminal(arguments, runs, environment=environment, forked=True) as terminal:
        terminal.wait_for("delete these 4 runs and everything they recorded? [y/N]")
        assert b"-digits-gd-0004 (wide start)\r\n" in terminal.written and b"-digits-ce-0005\r\n" in terminal.written
        terminal.press(answer)
        assert terminal.end() == 0
        assert (b"nothing was deleted" in terminal.written) == (left == 12)
    assert len([folder for folder in runs.iterdir() if not folder.name.startswith(".")]) == left


class Wire:
    """A connection to a server in this process."""

    def __init__(self, runs: Path, knows: list[str]) -> None:
        self._sent = bytearray()
        self._session = Session(runs, self._sent.extend, base=preset_base)
        self._incoming = from_server()
        self._incoming.feed(GREETING)
        self._session.feed(pack(say.Hello(say.PROTOCOL, "test")))
        (hello,) = self._incoming.feed(bytes(self._sent))
        self.hello = msgspec.structs.replace(hello, knows=knows)
        self.host = Host(name="gpu-box")

    def ask(self, question: Callable[[int], say.Message], answer: type) -> object:
        self._sent.clear()
        self._session.feed(pack(question(1)))
        (message,) = self._incoming.feed(bytes(self._sent))
        if isinstance(message, say.Refused):
            raise RefusedError(message.error, message.exit_code)
        assert isinstance(message, answer)
        return message


def test_runs_of_another_machine_are_named_tagged_listed_and_deleted(
    command: Answer, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = tmp_path / "far"
    runs.rename(far)
    runs.mkdir()
    knows = list(say.KNOWN)
    monkeypatch.setattr("condense_tui.resolve.host.connect", lambda *_, **__: nullcontext(Wire(far, knows)))
    there = ("--host", "gpu-box")
    assert command("runs", "rename", "0003", "far away", *there)[0] == 0
    assert "4 runs: tagged bad" in command("runs", "tag", "bad", "status:failed,diverged", *there)[1]
    assert read_about(next(far.glob("*-0003"))).name == "far away"
    name = next(far.glob("*-0003")).name
    assert There(Wire(far, knows), print).called([name, next(far.glob("*-0004")).name]) == {name: "far away"}
    assert command("runs", "tag", "known", "far away", *there)[1].endswith("-0003: tagged known\n")
    assert seeds(command("runs", "list", "tag:bad", "lr<1e-3", "--sort", "seed", "--json", *there)[1]) == [5, 11]
    (row,) = json.loads(command("runs", "list", "far away", "--json", *there)[1])
    assert (row["label"], row["loss"]["last"], row["claim"]["state"]) == ("far away", 0.75, "not decided")
    assert "digits-gd · lr 1e-4 · seed 2" in command("runs", "list", *there)[1]
    assert command("runs", "rm", "tag:bad", "--yes", *there)[1].count("removed") == 4
    assert len(list(far.glob("2*"))) == 8
    knows.clear()
    for arguments in (("rename", "0003", "x"), ("rm", "0003")):
        code, _, err = command("runs", *arguments, *there)
        assert code == 3 and "gpu-box is too old for" in err and "doctor gpu-box --install" in err
    assert read_about(next(far.glob("*-0003"))).name == "far away"
