"""A newcomer's first minutes, in a real terminal with real training: open, start, scrub, compare, quit, come back."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support import some_of, wait_for

from condense_core.runfile.reader import RunReader
from condense_core.runs.place import find_run, run_folders

pytestmark = pytest.mark.terminal

PROGRAM = str(Path(sys.executable).parent / "condense-tui")


@pytest.mark.parametrize("size", some_of([(80, 24), (120, 40)], one_in=2), ids=["80x24", "120x40"])
def test_a_newcomers_path(terminal, runs, size):
    columns, rows = size
    window = terminal(columns, rows)
    window.run(PROGRAM)
    window.wait("digits-gd", "enter trains it")
    if columns < 100:
        window.press("Tab")
    window.wait("no runs yet")
    if columns < 100:
        window.press("Tab")

    window.press("Enter")
    window.wait("train digits-gd", "ready: press enter to start")
    window.press("Enter")
    window.wait("conv1", "✔ done", "step 200 of 200")
    folder = find_run(runs, None)
    with RunReader(folder) as run:
        assert run.info().status == "done"

    window.press("Home")
    window.wait("step 0 of 200", "replay")
    window.press("Right")
    window.wait("step 1 of 200")

    window.press("c")
    window.wait("compare with", "digits-ce")
    window.press("Down", "Enter")
    window.wait("same step", "A digits-gd · conv1", "B digits-ce · conv1")
    window.press("x")
    window.wait("same loss")
    window.press("Escape")
    window.wait("step 1 of 200")

    window.press("h")
    window.wait("runs 1" if columns >= 100 else "1 runs", "conv1 1 line", "done")
    window.press("q")
    window.wait_for_prompt()

    window.run(PROGRAM)
    window.wait("digits-gd", "conv1 1 line")
    window.press("Enter")
    window.wait("✔ done", "step 200 of 200")
    window.press("q")
    window.wait_for_prompt()


def test_a_run_started_from_the_form_goes_on_when_one_leaves(terminal, runs):
    window = terminal(120, 40)
    window.run(PROGRAM)
    window.wait("enter trains it")
    window.press("Enter")
    window.wait("ready: press enter to start")
    window.press("Tab", "Tab", "Tab", "Tab", "Tab")
    window.wait("layers.0.width = 32")
    for word in ("steps=1000000", "record.spacing=linear", "record.frames=2000"):
        window.press(*word, "Space")
    window.wait("1,000,000 steps", "ready: press enter to start")
    window.press("Enter")
    window.wait("● live", "conv1")
    window.press("h")
    window.wait("1 training", "live")
    window.press("q")
    window.wait("continues training", "condense-tui attach")
    (folder,) = run_folders(runs)
    window.run(PROGRAM)
    window.wait("1 training")
    window.press("s")
    window.wait("keep training")
    window.press("y")
    window.wait("stopped")
    with RunReader(folder) as run:
        wait_for(lambda: run.info().status == "stopped")
    window.press("p")
    window.wait("1 training")
    with RunReader(folder) as run:
        run.send("stop")
        wait_for(lambda: run.info().status == "stopped")


def test_too_small_a_terminal_says_so_and_recovers(terminal, runs):
    window = terminal(38, 10)
    window.run(PROGRAM)
    window.wait("38×10 is too small", "q leaves")
    window.press("q")
    window.wait_for_prompt()
