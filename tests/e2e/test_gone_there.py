"""A run that goes away on the other machine while it is watched from here: told in one line, and nothing is lost."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from programs import command
from support import wait_for
from test_run_in_terminal import PROGRAM

from condense_core.remote.server.source import RunSource
from condense_core.runs.place import find_run, run_folders

pytestmark = pytest.mark.terminal


def test_attach_ends_with_one_line(far, near, grow):
    original = grow(4000, 50)
    viewer = subprocess.Popen(
        [sys.executable, "-m", "condense_tui", "attach", original.name, "--host", "far", "--headless"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: bool(run_folders(near)) and RunSource(find_run(near, original.name)).last_seq() > 50)
    shutil.rmtree(original)
    shown, said = viewer.communicate(timeout=30)
    assert viewer.returncode == 3
    assert shown == ""
    assert said.count("\n") == 1
    assert f"far: {original.name} was removed from {far.runs}" in said
    mirror = find_run(near, original.name)
    assert f"condense-tui replay {mirror.name}" in said

    # who comes back later is told the same, and what was copied can be looked at
    again = command("attach", mirror.name, "--headless", code=3).stderr
    assert f"far: no run {original.name!r} in {far.runs}" in again
    assert again.count("\n") == 1
    assert "conv1" in command("replay", mirror.name, "--headless").stdout


def test_the_app_says_it_and_does_not_say_that_training_goes_on(terminal, far, near, grow):
    original = grow(4000, 50)
    window = terminal(120, 40, **far.environment, CONDENSE_RUNS_DIR=str(near))
    window.run(PROGRAM, "attach", original.name, "--host", "far")
    window.wait("● live", " ms")
    shutil.rmtree(original)
    window.wait("not connected to far", "the run is no longer there")
    window.press("q")
    after = "".join(window.wait_for_prompt().split("\n"))
    assert "was removed from" in after
    assert "continues training" not in after
