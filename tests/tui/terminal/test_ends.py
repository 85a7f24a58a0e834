"""However a program is ended, it dies by what ended it, and leaves a terminal and files as they should be."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import forking
import pytest
from pseudo_terminal import MODES, PseudoTerminal
from support import SMALL, Workers, wait_for

from condense_core.errors import RunFileError
from condense_core.runfile import control
from condense_core.runfile.info import read_run
from condense_tui import main
from condense_tui.documents.files import write_file
from condense_tui.terminal import signals

PROGRAM = [sys.executable, "-m", "condense_tui"]
TERM, HUP, QUIT, INT = signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT
APPS = {"recording": (["replay", "digits-gd"], "kernels"), "home": ([], "presets"), "live": (["attach"], "live")}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a program with runs of its own."""
    return {**os.environ, "CONDENSE_RUNS_DIR": str(tmp_path / "runs")}


@pytest.fixture
def long_run(make_run: Callable[..., Path], workers: Workers) -> Path:
    """A run that trains until it is stopped."""
    folder = make_run("steps=100000000")
    workers.start(folder)
    wait_for(lambda: read_run(folder).step > 0)
    return folder


def pairs_of(*wanted: tuple[str, object]) -> list[object]:
    """Apps and their ends, all pairs: those that are wanted always, the rest where there is time."""
    pairs = [(app, end) for app in APPS for end in (TERM, HUP, QUIT, INT, "closed")]
    return [pytest.param(*pair, marks=() if pair in wanted else pytest.mark.thorough) for pair in pairs]


@pytest.mark.parametrize(("app", "end"), pairs_of(("recording", TERM), ("home", "closed")))
def test_an_app_that_is_ended_leaves_the_terminal_as_it_was(
    app: str, end: signal.Signals | str, tmp_path: Path, environment: dict[str, str], request: pytest.FixtureRequest
) -> None:
    arguments, shown = APPS[app]
    run = request.getfixturevalue("long_run") if app == "live" else None
    with PseudoTerminal([*PROGRAM, *arguments], tmp_path, environment=environment) as terminal:
        terminal.wait_for(shown)
        if isinstance(end, str):
            terminal.close()
            assert terminal.end() == -HUP
        else:
            os.kill(terminal.pid, end)
            assert terminal.end() == -end
            assert terminal.left_on() == []
        assert b"Traceback" not in terminal.written
    if run is not None:
        step = read_run(run).step
        wait_for(lambda: read_run(run).step > step)
        assert isinstance(end, str) or b"continues training" in terminal.written


@pytest.mark.thorough
@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8])
@pytest.mark.parametrize("number", [TERM, INT])
def test_an_app_that_is_ended_while_it_starts_leaves_nothing(
    number: signal.Signals, seconds: float, tmp_path: Path, environment: dict[str, str]
) -> None:
    with PseudoTerminal([*PROGRAM, "replay", "digits-gd"], tmp_path, environment=environment) as terminal:
        terminal.read(seconds)
        time.sleep(seconds)
        os.kill(terminal.pid, number)
        assert terminal.end() in {-number, 130}
        assert terminal.left_on() == []
        assert b"Traceback" not in terminal.written or seconds < 0.2, "Python itself was still starting"


@pytest.mark.thorough
def test_an_app_whose_terminal_takes_nothing_ends_all_the_same(tmp_path: Path, environment: dict[str, str]) -> None:
    with PseudoTerminal([*PROGRAM, "replay", "digits-gd"], tmp_path, environment=environment) as terminal:
        terminal.wait_for("kernels")
        for key in b"1234t1234t1234t1234t":
            terminal.press(bytes([key]))
            time.sleep(0.1)
        os.kill(terminal.pid, TERM)
        time.sleep(signals.PATIENCE_S + 2 * signals.SAME_S)
        assert terminal.end() in {128 + TERM, -TERM}
        assert "keys are not shown" not in terminal.left_on()


@pytest.mark.thorough
def test_an_app_that_ignores_hang_ups_ends_with_its_terminal(tmp_path: Path, environment: dict[str, str]) -> None:
    command = [*PROGRAM, "replay", "digits-gd"]
    with PseudoTerminal(command, tmp_path, environment=environment, ignored=[HUP]) as terminal:
        terminal.wait_for("kernels")
        os.kill(terminal.pid, HUP)
        terminal.press(b"1")
        terminal.read(1)
        assert terminal._process.poll() is None, "ignored is ignored"
        terminal.close()
        assert terminal.end() in {-HUP, 128 + HUP}


@pytest.mark.thorough
def test_an_app_that_was_stopped_from_outside_or_by_its_key_goes_on_and_leaves_nothing(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with PseudoTerminal([*PROGRAM, "replay", "digits-gd"], tmp_path, environment=environment) as terminal:
        terminal.wait_for("kernels")
        threads = _threads(terminal)
        for _ in range(3):
            # nothing hears of the first, the app itself sends the second
            os.kill(terminal.pid, signal.SIGSTOP)
            _continue(terminal)
            terminal.press(b"\x1a")
            _continue(terminal)
        assert _threads(terminal) <= threads + 1, "keys are read once"
        terminal.press(b"q")
        assert terminal.end() == 0
        assert terminal.left_on() == []


def _threads(terminal: PseudoTerminal) -> int:
    return len(list(Path(f"/proc/{terminal.pid}/task").iterdir()))


def _continue(terminal: PseudoTerminal) -> None:
    def stopped() -> bool:
        terminal.read(0.01)
        return Path(f"/proc/{terminal.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"

    wait_for(stopped)
    terminal.written = b""
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.wait_for("kernels")


@pytest.mark.parametrize("words", ["run small.toml --headless", "sweep small.toml --over width=8,9 --seeds 1"])
@pytest.mark.parametrize("number", [TERM, *(pytest.param(each, marks=pytest.mark.thorough) for each in (HUP, QUIT))])
def test_a_command_that_is_ended_shows_the_cursor_again_and_leaves_runs_that_go_on(
    words: str, number: signal.Signals, tmp_path: Path, environment: dict[str, str], zygote: None
) -> None:
    (tmp_path / "small.toml").write_text(SMALL.replace("steps = 300", "steps = 100000000"))
    with PseudoTerminal([*PROGRAM, *words.split()], tmp_path, environment=environment, forked=True) as terminal:
        terminal.wait_for("\x1b[?25l")
        wanted = 1 if words.startswith("run") else 2
        wait_for(lambda: terminal.read() or len(_trained(tmp_path)) == wanted)
        os.kill(terminal.pid, number)
        assert terminal.end() == -number
        assert terminal.left_on() == []
        assert b"Traceback" not in terminal.written
        runs = _trained(tmp_path)
        if words.startswith("run"):
            assert b"continues training" in terminal.written
            assert control.worker_is_alive(runs[0])
            control.send(runs[0], "stop")
            wait_for(lambda: not control.worker_is_alive(runs[0]))
        else:
            assert b"run the same command to continue" in terminal.written
        assert {read_run(run).status for run in runs} == {"stopped"}


def _trained(place: Path) -> list[Path]:
    """Folders of runs that have made a step; a file that is just being made is none yet."""
    found = []
    for file in place.rglob("run.sqlite"):
        with contextlib.suppress(RunFileError):
            found += [file.parent] if read_run(file.parent).step else []
    return found


@pytest.mark.parametrize("number", [TERM, HUP, QUIT, INT])
@pytest.mark.parametrize("words", ["replay digits-gd --headless", "serve"])
def test_a_command_that_waits_is_ended_at_once(
    words: str, number: signal.Signals, tmp_path: Path, environment: dict[str, str], zygote: None
) -> None:
    reader, writer = os.pipe()
    # one that takes less than what is printed
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    process = forking.Forked(
        [*PROGRAM, *words.split()],
        stdin=subprocess.PIPE,
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=tmp_path,
    )
    os.close(writer)
    os.read(reader, 1)
    os.kill(process.pid, number)
    said = process.communicate(timeout=20)[1]
    os.close(reader)
    if number is INT:
        assert (process.returncode, said) == (130, b"condense-tui: interrupted\n")
    else:
        assert (process.returncode, said) == (-number, b"")


def test_a_file_that_was_being_written_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: os.kill(os.getpid(), TERM))
    monkeypatch.setattr(signals, "_came", [])
    with signals.heeded(), pytest.raises(signals.Ended):
        write_file(tmp_path / "table.csv", b"step,loss\n", force=False)
    assert list(tmp_path.iterdir()) == []
    assert signals.came() == TERM


def test_what_tells_twice_of_one_end_ends_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_came", [])
    with signals.heeded(), pytest.raises(signals.Ended):
        os.kill(os.getpid(), HUP)
    with signals.heeded():
        os.kill(os.getpid(), HUP)
    assert signals.came() == HUP
    monkeypatch.setattr(signals, "SAME_S", 0.0)
    with signals.heeded(), pytest.raises(signals.Ended):
        os.kill(os.getpid(), TERM)
    assert signals.came() == HUP, "the first"


def test_the_last_resort_switches_off_all_that_is_switched_on() -> None:
    for off in (off for _, off in MODES.values()):
        assert off in signals.RESTORE


@pytest.mark.parametrize("at", ["begin", "end"])
def test_an_interrupt_around_a_command_is_one_line_too(at, monkeypatch, capsys):
    @contextlib.contextmanager
    def interrupted() -> Iterator[None]:
        if at == "begin":
            raise KeyboardInterrupt
        yield
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "_in_what_can_be_shown", interrupted)
    monkeypatch.setattr(sys, "argv", ["condense-tui", "--version"])
    assert main.main() == 130
    assert capsys.readouterr().err == "condense-tui: interrupted\n"
