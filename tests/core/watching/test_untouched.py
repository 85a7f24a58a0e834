"""A script that is run and watched as it is: how it is stopped, and what happens where it watches itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from trainings import only_run, texts

from condense_core.runfile import control
from condense_core.runfile.info import RunInfo
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_watched
from condense_core.scenario.watched import Watched
from condense_core.watching import launch, recording
from condense_core.watching.untouched import Untouched

LOOP = """
import time
import torch
from torch import nn
model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
{before}
for step in range({steps}):
    optimizer.zero_grad()
    loss = model(torch.randn(4, 5)).square().mean()
    loss.backward()
    {each}
    optimizer.step()
{after}
"""


@pytest.fixture
def script(runs, tmp_path, monkeypatch):
    """Runs the loop as the command does, in this process; gives its exit status."""
    monkeypatch.setattr(recording, "_forked", recording._started)
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("CONDENSE_RUNS_DIR", str(runs))
    file = tmp_path / "loop.py"

    def run(*, steps: int = 3, before: str = "", each: str = "", after: str = "", stop: bool = False) -> int:
        file.write_text(LOOP.format(steps=steps, before=before, each=each, after=after))
        watched = Watched(name="loop", script=str(file))
        folder = create_watched(watched, runs=runs, can=("pause", "stop"))
        watching = Untouched(folder, "new", str(file), [])
        if stop:
            control.send(folder, "stop")
        return launch.run(watching, str(file), [])

    return run


def ended(runs: Path) -> RunInfo:
    with RunReader(only_run(runs)) as run:
        return run.info()


def test_a_script_that_is_stopped_from_a_screen_was_stopped_by_command_and_its_log_has_no_error(script, runs, capsys):
    status = script(steps=4_000, each="time.sleep(0.005)", stop=True)
    info = ended(runs)
    assert (status, info.status, info.reason) == (1, "stopped", "stopped by command")
    assert info.step < 4_000
    with RunReader(only_run(runs)) as run:
        assert texts(run, "stopped") == ["stopped by command"]
    said = capsys.readouterr().err
    assert said.endswith("condense-tui: stopped by command\n")
    assert "Traceback" not in said


def test_ctrl_c_is_said_as_such_with_the_line_where_it_was(script, runs, capsys):
    script(after="raise KeyboardInterrupt")
    assert ended(runs).reason == "stopped by Ctrl-C"
    assert "Traceback" in capsys.readouterr().err
