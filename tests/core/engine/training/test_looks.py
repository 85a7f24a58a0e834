"""A scheduled step at which nothing is measured costs next to nothing, and weights that are lost are still noticed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from condense_core.engine import checkpoint
from condense_core.engine.probes.ensemble_members import EnsembleMembers
from condense_core.engine.steppers import TrainingEnsemble
from condense_core.engine.training import worker
from condense_core.engine.training.recorder import Recorder
from condense_core.runfile.reader import RunReader
from condense_core.scenario.schedule import scheduled_steps

NOTHING = ("record.budget=1e-9", "record.grace_seconds=0", "steps=200", "record.frames=50", "record.spacing=linear")


@pytest.fixture
def looked_at(monkeypatch):
    """The steps whose losses were asked for."""
    found, loss = [], EnsembleMembers.loss
    monkeypatch.setattr(EnsembleMembers, "loss", lambda members: (found.append(members.step), loss(members))[1])
    return found


def test_no_loss_is_worked_out_where_nothing_is_measured(make_run, looked_at):
    folder = make_run(*NOTHING)
    assert worker.work(folder) == 0
    with RunReader(folder) as run:
        scheduled, measured = scheduled_steps(run.experiment), run.instants.tolist()
        said = next(event.text for event in run.events if event.kind == "recording")
    assert set(looked_at) == set(measured) == {0, 200}
    assert f"vitals at {len(scheduled) - 2}" in said


def test_losses_are_looked_at_where_one_may_end_the_run(make_run, looked_at):
    folder = make_run(*NOTHING, "stop.loss_ratio=1e-9", "stop.every=50")
    assert worker.work(folder) == 0
    assert set(looked_at) == {0, 50, 100, 150, 200}


def test_weights_that_are_lost_are_noticed_where_nothing_is_measured(make_run, looked_at, monkeypatch):
    advance = TrainingEnsemble.advance

    def lost(ensemble, steps=1):
        advance(ensemble, steps)
        if ensemble.step >= 70:
            ensemble._parameters.groups[0].params[0].detach().flatten()[0] = torch.nan

    monkeypatch.setattr(TrainingEnsemble, "advance", lost)
    folder = make_run(*NOTHING)
    worker.work(folder)
    with RunReader(folder) as run:
        scheduled = scheduled_steps(run.experiment)
        assert run.info().status == "diverged"
        assert run.info().step == next(step for step in scheduled if step >= 70)


def test_a_run_that_is_taken_up_looks_at_nothing_that_is_recorded(make_run, looked_at):
    folder = make_run("steps=40", "record.frames=10")
    assert worker.work(folder) == 0
    with RunReader(folder) as run:
        before = run.instants.tolist()
    (folder / checkpoint.FILE_NAME).unlink()
    looked_at.clear()
    assert worker.work(folder) == 0
    with RunReader(folder) as run:
        assert run.instants.tolist() == before
    assert set(looked_at) <= {0, 40}


def test_compiling_measures_is_said_and_no_cost_of_measuring(make_run, monkeypatch):
    now, took = [100.0], []

    def compile_(*_: object) -> float:
        now[0] += 3.0
        return 3.0

    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(worker, "compile_where_it_repays", compile_)
    monkeypatch.setattr(Recorder, "took", lambda recorder, seconds: took.append(seconds))
    folder = make_run("steps=5")
    assert worker.work(folder) == 0
    assert took[0] == 0.0
    with RunReader(folder) as run:
        said = {event.kind: event.text for event in run.events}
    assert said["stepper"] == "measures were compiled for this machine, which took 3 s"


# Of eight seeds some run away at another step than others; that a loss has overflowed stops no step of Adam's, whose
# weights stay where they are then.
RUNS_AWAY = {
    "gd": ('optimizer={name="gd",lr=0.4}', "init.std=0.3"),
    "adam": ('optimizer={name="adam",lr=3e8}', "init.std=0.1"),
}


@pytest.mark.parametrize("settings", RUNS_AWAY.values(), ids=RUNS_AWAY)
def test_when_a_seed_diverges_does_not_depend_on_what_measuring_may_take(make_run, settings):
    layers = 'layers=[{kind="dense",width=9,activation="xtanh"}]'
    every = ("steps=60", "record.frames=30", "record.spacing=linear")
    found = []
    for budget in (NOTHING[:2], ("record.budget=1000", "record.grace_seconds=1000")):
        folder = make_run(layers, *settings, *every, *budget, "ensemble.members=8")
        worker.work(folder)
        found.append(_lost(folder))
    assert found[0] == found[1]
    assert found[0]
    assert min(step for step, _ in found[0]) > 0


def test_a_seed_that_diverges_again_as_the_run_repeats_itself_is_told_of_once(make_run):
    layers = 'layers=[{kind="dense",width=9,activation="xtanh"}]'
    folder = make_run(layers, *RUNS_AWAY["gd"], "steps=12", "record.spacing=linear", "ensemble.members=8")
    assert worker.work(folder) == 0
    before = _lost(folder)
    assert 0 < len(before) < 8
    (folder / checkpoint.FILE_NAME).unlink()
    assert worker.work(folder) == 0
    assert _lost(folder) == before
    with RunReader(folder) as run:
        assert sum(value == 1 for value in run.of_draws("diverged")) == len(before)


def _lost(folder: Path) -> list[tuple[int, str]]:
    """The step and the words of each seed's event."""
    with RunReader(folder) as run:
        return [
            (event.step, event.text)
            for event in run.events
            if ": the loss is " in event.text and "every" not in event.text
        ]
