"""Watching that cannot go on: one warning, nothing left behind, and a training that goes on."""

from __future__ import annotations

import subprocess

import pytest
import torch
from torch import nn
from trainings import STEPS, loop, network, only_run, texts, waited

from condense_core import watch
from condense_core.runfile.reader import RunReader
from condense_core.runs.place import run_folders
from condense_core.watching import recording


@pytest.mark.own_process
def test_where_the_disk_is_full_there_is_one_warning_and_training_goes_on(runs, monkeypatch, capsys):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    # the recorder's files may not grow: what a full disk or a quota says
    real = subprocess.Popen
    limited = ["sh", "-c", 'ulimit -f 32; exec "$@"', "sh"]
    monkeypatch.setattr(recording.subprocess, "Popen", lambda command, **more: real([*limited, *command], **more))
    run = watch(model, optimizer, runs_dir=runs)
    losses = loop(model, optimizer, steps=60, run=run)
    assert waited(lambda: not run._recording.usable)
    losses += loop(model, optimizer, steps=5, run=run)
    run.log(x=1.0)
    run.close()
    assert len(losses) == 65
    said = capsys.readouterr().err.strip().splitlines()[1:]
    assert len(said) == 1
    assert said[0].startswith("condense-tui: this training is not watched any more: ")
    assert said[0].endswith("; training goes on")
    assert "runs resume" not in said[0]


def test_where_runs_cannot_be_made_there_is_one_warning_and_training_goes_on(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("")
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, runs_dir=file / "runs")
    assert len(loop(model, optimizer, run=run)) == STEPS
    run.log(x=1.0)
    assert not run.stop_asked
    run.close()
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "this training is not watched" in line


@pytest.mark.own_process
def test_a_recorder_that_dies_is_one_warning(runs, capsys):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, runs_dir=runs)
    loop(model, optimizer, steps=2, run=run)
    run._recording._process.kill()
    assert waited(lambda: not run._recording.usable)
    loop(model, optimizer, steps=2, run=run)
    run.close()
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 2
    assert "the process that records it has gone" in lines[1]


def test_nothing_is_left_of_a_training_that_never_made_a_step(runs):
    model = network()
    run = watch(model, torch.optim.SGD(model.parameters(), lr=0.1), runs_dir=runs)
    run.close()
    assert waited(lambda: run_folders(runs) == [])


def test_an_odd_layer_is_left_out_and_the_others_are_measured(runs):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, runs_dir=runs)
    loop(model, optimizer, steps=1, run=run)
    model[0].weight.data = torch.zeros(3, 5)
    model[0].bias.data = torch.zeros(3)
    model[2].weight.data = torch.zeros(6, 3)
    model[2].weight.grad = model[0].weight.grad = model[0].bias.grad = None
    model[2] = nn.Linear(3, 6)
    loop(model, torch.optim.SGD(model.parameters(), lr=0.1), steps=1)
    run.step()
    run.close()
    with RunReader(only_run(runs)) as found:
        assert any("is left out: its shape has changed" in text for text in texts(found, "layers"))
        assert found.info().status == "done"


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"model": 3}, TypeError, "model: expected a torch.nn.Module, got int"),
        ({"optimizer": "adam"}, TypeError, "optimizer: expected a torch.optim.Optimizer, got str"),
        ({"loss": torch.tensor(1.0)}, TypeError, "loss: expected the module that computes it, got Tensor"),
        ({"every": 0}, ValueError, "every: expected a number of steps, 1 or more, got 0"),
        ({"budget": 2.0}, ValueError, "budget: expected a share of the time"),
        ({"layers": "tow"}, ValueError, "layers: 'tow' fits no layer"),
        ({"optimizer": [torch.optim.Adam, 3]}, TypeError, "optimizer: expected a torch.optim.Optimizer, got type"),
        ({"probes": "similarty"}, ValueError, "probes: unknown 'similarty', did you mean 'similarity'"),
        ({"probes": ["change", "field", 3]}, ValueError, "probes: unknown 'field', expected one of vitals, .*'3'|3"),
    ],
)
def test_arguments_that_make_no_sense_are_said_at_once_and_leave_no_run(runs, arguments, error, says):
    with pytest.raises(error, match=says):
        watch(**{"model": network(), "runs_dir": runs, **arguments})
    assert waited(lambda: run_folders(runs) == [])
