"""The program as a person uses it: in a real terminal, with real training behind it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pyte
import pytest
from support import wait_for
from tmux import Terminal

from condense_core.runfile import control
from condense_core.runfile.reader import RunReader
from condense_core.runs.place import find_run

pytestmark = pytest.mark.terminal

# By its path: a shell's start-up files may set PATH anew.
PROGRAM = str(Path(sys.executable).parent / "condense-tui")
# Long enough that it is still going on when the test has looked at it twice; the test stops it.
LONG = ("run", "digits-gd", "--set", "steps=1000000", "--set", "record.spacing=linear", "--set", "record.frames=200000")


def status(folder: Path) -> str:
    with RunReader(folder) as run:
        return run.info().status


def step(folder: Path) -> int:
    with RunReader(folder) as run:
        return run.info().step


def heatmap(window: Terminal) -> list[tuple[str, str, str]]:
    """Characters and colours of the heatmap in a window of 120×40, under header and claim."""
    emulator = pyte.Screen(120, 40)
    pyte.Stream(emulator).feed(window.screen(colours=True).replace("\n", "\r\n"))
    return [tuple(emulator.buffer[row][column][:3]) for row in range(3, 36) for column in range(26, 89)]


def stop_and_wait(folder: Path) -> None:
    control.send(folder, "stop")
    wait_for(lambda: not control.worker_is_alive(folder))


def test_start_watch_scrub_back_quit_attach_stop(terminal, runs):
    window = terminal(120, 40)
    window.run(PROGRAM, *LONG)
    window.wait("● live", "conv1", "loss", "eigenvalues")
    folder = find_run(runs, None)

    before = heatmap(window)
    wait_for(lambda: heatmap(window) != before)

    window.press("Home")
    window.wait("step 0 of", absent=["● live"])
    held = heatmap(window)
    at = step(folder)
    wait_for(lambda: step(folder) > at + 20)
    assert heatmap(window) == held, "the screen moved while the playhead stood at the start"
    window.press("Right")
    window.wait("step 5 of")
    window.press("End")
    window.wait("● live")

    window.press("q")
    window.wait("continues training", "condense-tui attach")
    window.wait_for_prompt()
    assert control.worker_is_alive(folder)
    at = step(folder)
    wait_for(lambda: step(folder) > at)

    window.run(PROGRAM, "attach")
    window.wait("● live")
    window.press("p")
    window.wait("paused")
    wait_for(lambda: status(folder) == "paused")
    window.press("p")
    wait_for(lambda: status(folder) == "running")

    window.press("s")
    window.wait("keep training")
    window.press("y")
    wait_for(lambda: status(folder) == "stopped")
    window.wait("stopped")
    window.press("q")
    window.wait_for_prompt()
    assert not control.worker_is_alive(folder)


def test_the_worker_does_not_notice_a_killed_viewer(terminal, runs):
    window = terminal(120, 40)
    window.run(PROGRAM, *LONG)
    window.wait("● live")
    folder = find_run(runs, None)
    os.kill(window.pid_of("condense-tui run"), signal.SIGKILL)
    window.wait("Killed")
    at = step(folder)
    wait_for(lambda: step(folder) > at + 20)
    assert status(folder) == "running"
    stop_and_wait(folder)


def test_the_worker_survives_its_terminal(terminal, runs):
    window = terminal(80, 24)
    window.run(PROGRAM, *LONG)
    window.wait("conv1")
    folder = find_run(runs, None)
    window.close_window()
    at = step(folder)
    wait_for(lambda: step(folder) > at + 20)
    assert status(folder) == "running"
    stop_and_wait(folder)


@pytest.mark.parametrize(
    ("columns", "rows", "environment"),
    [
        (80, 24, {}),
        (120, 40, {}),
        (200, 60, {}),
        (80, 24, {"TERM": "xterm", "COLORTERM": ""}),
        (80, 24, {"NO_COLOR": "1"}),
        (60, 20, {}),
    ],
    ids=["80x24", "120x40", "200x60", "xterm", "no-color", "60x20"],
)
def test_a_recording_can_be_read_in_every_terminal(terminal, recording, columns, rows, environment):
    window = terminal(columns, rows, **environment)
    window.run(PROGRAM, "replay", str(recording))
    screen = window.wait("conv1", "✔ done" if columns > 60 else "conv1")
    assert len(screen.splitlines()) <= rows
    coloured = re.search(r"\x1b\[[0-9;]*[34]8;", window.screen(colours=True)) is not None
    assert coloured == ("NO_COLOR" not in environment and environment.get("TERM") != "xterm")
    window.press("q")
    window.wait_for_prompt()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished digits-gd run."""
    runs = tmp_path_factory.mktemp("recorded")
    command = [sys.executable, "-m", "condense_tui", "run", "digits-gd", "--headless", "--runs-dir", str(runs)]
    subprocess.run(command, check=True, capture_output=True)
    return find_run(runs, None)


def still(window: Terminal) -> str:
    """The screen, once it has not changed for a second."""
    seen: list[str] = []

    def stands() -> bool:
        seen.append(window.screen())
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    wait_for(stands, every=0.05)
    return seen[-1]


def flags(window: Terminal) -> str:
    return window._tmux("display-message", "-p", "alt=#{alternate_on} cursor=#{cursor_flag} mouse=#{mouse_any_flag}")


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param((), marks=pytest.mark.thorough),
        pytest.param(("?",), marks=pytest.mark.thorough),
        ("/", "d", "i", "g"),
    ],
    ids=["home", "help", "typing"],
)
def test_ctrl_z_gives_the_shell_back_and_fg_the_whole_screen(terminal, keys):
    window = terminal(100, 30)
    window.run(PROGRAM)
    window.wait("presets", "photos-gd")
    for key in keys:
        window.press(key)
    window.wait(*{0: (), 1: ("keys and terms",), 4: ("runs 0 of 0",)}[len(keys)])
    before = still(window)
    window.press("C-z")
    window.wait("Stopped")
    assert flags(window).strip() == "alt=0 cursor=1 mouse=0"
    window.type("fg")
    window.wait("condense", absent=["Stopped"])
    assert still(window) == before
    window.press("Escape")
    # an escape and a letter at once would be one key
    still(window)
    window.press("q")
    window.wait_for_prompt()
    assert flags(window).strip() == "alt=0 cursor=1 mouse=0"


def test_a_terminal_that_only_prints_gets_tables(terminal):
    window = terminal(100, 40, TERM="dumb")
    window.run(PROGRAM)
    window.wait("no runs in ")
    window.run(PROGRAM, "replay", "digits-gd")
    window.wait("met     loss / first loss")
