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
from condense_core.runs.place import run_folders
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


def test_a_script_that_watches_itself_is_one_run_with_its_own_arguments(script, runs, capsys):
    begin = "from condense_core import watch; run = watch(model, optimizer, layers='2', name='mine', config={'lr': 0.1}"
    assert script(before=f"{begin}, probes=['change'], steps=3)", each="run.loss(loss); run.log(accuracy=0.5)") == 0
    with RunReader(only_run(runs)) as run:
        info = run.info()
        assert (info.name, info.status, info.reason, info.step, info.steps) == ("mine", "done", "", 3, 3)
        assert [layer.name for layer in run.subject.layers] == ["2"]
        assert run.curve("loss")[0].tolist() == [0, 1, 2, 3]
        assert run.last("accuracy") == 0.5
        assert "2.relative_change" in run.curve_names
        assert not any(name.startswith("2.lines") for name in run.curve_names)
        assert run.subject.config == {"lr": 0.1}
        assert run.subject.optimizer.startswith("SGD")
        assert run.subject.script.endswith("loop.py")
        assert texts(run, "found") == ["the script watches itself, in this run: its watch() says what is measured"]
    assert "attach" not in capsys.readouterr().err


@pytest.mark.parametrize("heeds", [True, False])
def test_a_script_that_watches_itself_is_stopped_whether_it_looks_or_not(script, runs, heeds, capsys):
    look = "if run.stop_asked: break" if heeds else "time.sleep(0.001)"
    status = script(
        steps=20_000,
        before="from condense_core import watch; run = watch(model, optimizer)",
        each=look,
        after="print('saved')",
        stop=True,
    )
    info = ended(runs)
    assert (info.status, info.reason, status) == ("stopped", "stopped by command", 0 if heeds else 1)
    assert info.step < 20_000
    # a loop that looks saves what it has; the other one is ended in its step
    assert ("saved" in capsys.readouterr().out) == heeds


def test_only_the_first_of_two_trainings_that_a_script_watches_joins_the_commands_run(script, runs):
    again = "from condense_core import watch; first = watch(model, optimizer)"
    second = "first.close(); other = nn.Linear(5, 8); watch(other, torch.optim.SGD(other.parameters(), lr=0.1)).close()"
    assert script(before=again, after=second) == 0
    # the second one made no step, and leaves none
    assert ended(runs).step == 3


def test_a_layer_that_is_not_there_ends_the_commands_run_with_the_reason(script, runs, capsys):
    assert script(before="from condense_core import watch; watch(model, optimizer, layers='conv')") == 1
    info = ended(runs)
    assert info.status == "failed"
    assert info.reason.startswith("ValueError: ")
    assert "conv" in info.reason


def test_a_script_that_goes_on_with_another_run_ends_the_commands_and_says_which(script, runs):
    script(before="from condense_core import watch; watch(model, optimizer, name='first')")
    first = only_run(runs)
    again = f"from condense_core import watch; run = watch(model, optimizer, resume={first.name!r})"
    assert script(before=again, after="run.close()") == 0
    (other,) = (folder for folder in run_folders(runs) if folder != first)
    with RunReader(first) as run, RunReader(other) as left:
        assert (run.info().status, run.info().step) == ("done", 6)
        assert left.info().status == "failed"
        assert left.info().reason.endswith(f"goes on with another run: condense-tui attach {first.name}")
