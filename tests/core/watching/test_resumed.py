"""A training that its user resumes from a checkpoint goes on in the same run."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from trainings import loop, network, only_run, texts, waited

from condense_core import watch
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runs.place import run_folders
from condense_core.watching import start
from condense_core.watching.find import Finder


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """No checkout, whose revision git may say too late on a busy machine."""
    monkeypatch.chdir(tmp_path)


def trained(runs, *, steps=20, kind=torch.optim.Adam, at=12):
    """A run of so many steps; its id, and network and optimizer as they were at a step before its end."""
    model = network()
    optimizer = kind(model.parameters(), lr=0.01)
    with watch(model, optimizer, name="mine", config={"lr": 0.01}, runs_dir=runs) as run:
        loop(model, optimizer, run=run, steps=at)
        kept = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
        loop(model, optimizer, run=run, steps=steps - at)
        run.log(accuracy=0.5)
    again = network()
    optimizer = kind(again.parameters(), lr=0.01)
    again.load_state_dict(kept[0])
    optimizer.load_state_dict(kept[1])
    return run.id, again, optimizer


def curves(run: RunReader) -> dict[str, tuple[list[int], list[float]]]:
    return {name: tuple(part.tolist() for part in run.curve(name)) for name in run.curve_names}


def test_a_resumed_training_goes_on_in_its_run_and_what_was_recorded_stands(runs):
    name, model, optimizer = trained(runs)
    with RunReader(only_run(runs)) as run:
        before, rows = curves(run), run.last_seq
        began = run.curve("0.relative_change")[1][-1]
        was = run.info()
    with watch(model, optimizer, config={"lr": 0.01}, resume=name, runs_dir=runs) as again:
        assert again.id == name
        assert waited(lambda: read_run(only_run(runs)).status == "starting")
        losses = loop(model, optimizer, run=again, steps=4)
        again.log(accuracy=0.1)
        assert waited(lambda: read_run(only_run(runs)).status == "running")
        losses += loop(model, optimizer, run=again, steps=12)
        again.log(accuracy=0.9)
    with RunReader(only_run(runs)) as run:
        after = curves(run)
        assert all(steps[: len(before[name][0])] == before[name][0] for name, (steps, _) in after.items())
        steps, recorded = run.curve("loss")
        assert steps.tolist() == list(range(29))
        # 20 is there from the first training; what follows are the losses of this one
        np.testing.assert_allclose(recorded[21:-1], losses[9:], rtol=1e-6)
        assert run.curve("accuracy")[0].tolist() == [20, 28]
        assert run.last("accuracy") == pytest.approx(0.9)
        info = run.info()
        assert (info.status, info.step, info.created) == ("done", 28, was.created)
        assert info.seconds > was.seconds
        (said,) = texts(run, "resumed")
        assert said == (
            "resumed at step 12, as its optimizer counts;"
            " what was recorded up to step 20 stands, and is not recorded again"
        )
        assert run.last_seq > rows
        # against the weights of step 0, and the first loss
        moved = run.curve("0.relative_change")[1]
        assert moved[-1] > began > moved[1] > 0
        assert run.curve("loss_ratio")[1][-2] == pytest.approx(recorded[-2] / recorded[0], rel=1e-5)
        assert run.similarity("0", 28) is not None
        assert texts(run, "started") == [texts(run, "started")[0]]


@pytest.mark.parametrize(
    ("kind", "step", "says"),
    [
        (torch.optim.SGD, None, "resumed at step 20, the last that it had reached"),
        (torch.optim.SGD, 14, "resumed at step 14, as its script says; what was recorded up to step 20 stands"),
        (torch.optim.Adam, 30, "resumed at step 30, as its script says; nothing is recorded of the steps between 20"),
    ],
)
def test_the_step_is_what_the_script_says_or_what_is_known(runs, kind, step, says):
    name, model, optimizer = trained(runs, kind=kind)
    with watch(model, optimizer, config={"lr": 0.02}, resume=name, step=step, runs_dir=runs):
        loop(model, optimizer, steps=3)
    with RunReader(only_run(runs)) as run:
        (said,) = texts(run, "resumed")
        assert said.startswith(says)
        assert said.endswith("; other than before: config.lr 0.02 (was 0.01)")
        assert run.info().step == (step or 20) + 3
        steps = run.curve("loss")[0]
        assert (np.diff(steps) > 0).all()
        # the first step that is new is measured, scheduled or not
        if step == 30:
            assert steps[steps > 20][0] == 30


def other(**changes) -> nn.Module:
    model = network()
    for name, layer in changes.items():
        model[int(name[1:])] = layer
    return model


def test_a_run_that_cannot_be_gone_on_with_is_one_warning_and_stays_as_it_was(runs, capsys, make_run):
    name, model, _ = trained(runs)
    with RunReader(only_run(runs)) as run:
        rows = run.last_seq, run.info()
    engine = make_run()
    wide = other(_2=nn.Linear(8, 7), _4=nn.Linear(7, 2))
    capsys.readouterr()
    for given, asked, says in (
        (wide, {}, f"layer 2 of {name} is dense 6 × 9 (bias), and this network's is dense 7 × 9 (bias)"),
        (nn.Sequential(nn.Linear(5, 8)), {}, f"{name} has a layer 2, and this network has none of that name"),
        (model, {"layers": "0"}, f"layers: {name} has others than were asked for: 0, 2"),
        (model, {"resume": "nothing"}, "no run 'nothing' in"),
        (model, {"resume": engine}, f"{engine.name} was trained by the engine"),
    ):
        sgd = torch.optim.SGD(given.parameters(), lr=0.1)
        again = watch(given, sgd, **{"resume": name, "runs_dir": runs, **asked})
        assert len(loop(given, sgd, run=again, steps=2) if given in (wide, model) else [1, 2]) == 2
        again.log(x=1.0)
        again.close()
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"condense-tui: this training is not watched: {says}"), line
        assert line.endswith("; training goes on")
        assert again.id == ""
    with RunReader(runs / name) as run:
        assert (run.last_seq, run.info()) == rows
    assert len(run_folders(runs)) == 2


def test_a_run_that_is_still_recorded_is_not_gone_on_with(runs, capsys):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, runs_dir=runs) as run:
        loop(model, optimizer, run=run, steps=2)
        assert waited(lambda: read_run(only_run(runs)).status == "running")
        capsys.readouterr()
        again = network()
        second = torch.optim.SGD(again.parameters(), lr=0.1)
        with watch(again, second, resume=run.id, runs_dir=runs):
            loop(again, second, steps=2)
        (line,) = capsys.readouterr().err.splitlines()
        assert f"{run.id} is running, and one training at a time is recorded in it" in line
        loop(model, optimizer, run=run, steps=1)
    info = read_run(only_run(runs))
    assert (info.status, info.step) == ("done", 3)


def test_a_run_that_makes_no_step_is_as_it_was_before(runs):
    name, model, optimizer = trained(runs)
    before = read_run(only_run(runs))
    watch(model, optimizer, resume=name, runs_dir=runs).close()
    after = read_run(only_run(runs))
    assert (after.status, after.reason, after.step, after.seconds) == ("done", "", before.step, before.seconds)
    with RunReader(only_run(runs)) as run:
        assert texts(run, "done") == ["trained 20 steps"]


def test_a_network_that_gets_its_shape_at_the_first_step_is_compared_then(runs, capsys):
    name, *_ = trained(runs)
    for width, fits in ((6, True), (7, False)):
        lazy = nn.Sequential(nn.LazyLinear(8), nn.Tanh(), nn.LazyLinear(width), nn.Tanh(), nn.LazyLinear(2))
        capsys.readouterr()
        run = watch(lazy, resume=name, runs_dir=runs)
        for _ in range(2):
            loss = lazy(torch.randn(4, 5)).square().mean()
            loss.backward()
            run.step(loss)
        run.close()
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == (1 if fits else 2)
        with RunReader(only_run(runs)) as found:
            assert (found.info().status, found.info().step) == ("done", 22)
            assert len(texts(found, "resumed")) == 1
    assert "layer 2 of" in lines[1]


def test_a_copied_start_that_is_not_one_is_not_believed(runs, tmp_path):
    trained(runs)
    folder = only_run(runs)
    whole = (folder / start.FILE_NAME).read_bytes()
    (first,) = [layer for layer in Finder(network()).layers() if layer.name == "0"]
    assert torch.equal(start.kept(folder)["0"], first.weight())
    for size in (0, 5, 40, len(whole) // 2, len(whole) - 1):
        (folder / start.FILE_NAME).write_bytes(whole[:size])
        assert start.kept(folder) == {}
    (folder / start.FILE_NAME).write_bytes(b"\xff" * 8 + whole[8:])
    assert start.kept(folder) == {}
    (folder / start.FILE_NAME).write_bytes(whole.replace(b"f4", b"O8"))
    assert start.kept(folder) == {}
    (folder / start.FILE_NAME).unlink()
    assert start.kept(folder) == {}


def test_without_the_first_weights_what_is_measured_against_them_is_left_out_and_said(runs):
    name, model, optimizer = trained(runs)
    (only_run(runs) / start.FILE_NAME).unlink()
    with watch(model, optimizer, resume=name, runs_dir=runs):
        loop(model, optimizer, steps=12)
    with RunReader(only_run(runs)) as run:
        assert "their first weights are gone" in texts(run, "resumed")[1]
        steps, moved = run.curve("0.relative_change")
        assert np.isnan(moved[steps > 20]).all()
        assert np.isfinite(moved[steps <= 20]).all()
        assert np.isfinite(run.curve("0.mean_abs_cos")[1]).all()


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"step": 3}, ValueError, "step: only a run that is resumed"),
        ({"resume": "x", "step": -1}, ValueError, "step: expected a number of steps, 0 or more, got -1"),
        ({"resume": 3}, TypeError, "resume: expected a run's id or its folder, got int"),
    ],
)
def test_what_makes_no_sense_is_said_at_once(runs, arguments, error, says):
    with pytest.raises(error, match=says):
        watch(network(), runs_dir=runs, **arguments)
