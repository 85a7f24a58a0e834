"""Pictures, text and a poor terminal, as a person meets them: the program in a real terminal, no training."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tmux import Terminal

pytestmark = pytest.mark.terminal

PROGRAM = str(Path(sys.executable).parent / "condense-tui")


def test_a_key_writes_a_picture_and_says_where(terminal, tmp_path: Path) -> None:
    window: Terminal = terminal(100, 30)
    window.run("cd", str(tmp_path))
    window.run(PROGRAM, "replay", "digits-gd")
    window.wait("✔ done", "conv1")
    window.press("e")
    window.wait("enter write", "▌what", "svg")
    window.press("Right", "Enter")
    # a long path begins a line of its own
    window.wait("wrote", absent=["enter write"])
    window.press("q")
    window.wait_for_prompt()
    (picture,) = tmp_path.glob("*.svg")
    assert picture.name == "digits-gd-recording-heatmap-conv1.svg"
    assert picture.read_text().startswith("<svg")


def test_the_command_writes_and_refuses_to_replace(terminal, tmp_path: Path) -> None:
    window: Terminal = terminal(100, 30)
    window.run("cd", str(tmp_path))
    window.run(PROGRAM, "export", "digits-gd", "--to", "csv")
    window.wait("wrote digits-gd-recording.csv")
    window.run(PROGRAM, "export", "digits-gd", "--to", "csv")
    window.wait("already exists", "--force")
    assert (tmp_path / "digits-gd-recording.csv").read_text().startswith("step,")


@pytest.mark.parametrize(
    ("environment", "ramp", "unicode"),
    [
        ({}, False, True),
        ({"TERM": "xterm", "COLORTERM": ""}, False, True),
        ({"NO_COLOR": "1"}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"LC_ALL": "C", "LANG": "C"}, True, False),
    ],
    ids=["true colour", "16 colours", "no colour", "dumb", "locale C"],
)
@pytest.mark.parametrize("headless", [False, True], ids=["app", "text"])
def test_a_heatmap_with_its_legend_on_every_terminal(terminal, environment, ramp, unicode, headless) -> None:
    # without an app to open the same is printed
    printed = headless or environment.get("TERM") == "dumb"
    window: Terminal = terminal(120, 150 if printed else 40, **environment)
    window.run(PROGRAM, "replay", "digits-gd", *(["--headless"] if headless else []))
    screen = window.wait("claim: " if printed else "done   step 200 of 200", "32 kernels", "70 %")
    text = "".join(screen.splitlines()[1:])
    assert ("-@%#*+=-:. 0 .:-=+*#%@" in text) == ramp
    # tmux writes what its own locale has no word for as underscores
    assert ("┈" in text) == unicode
    if not printed:
        window.press("q")
        window.wait_for_prompt()
