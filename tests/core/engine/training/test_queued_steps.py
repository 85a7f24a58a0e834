"""Time that a device takes for steps which it was told of before."""

from __future__ import annotations

import time

from condense_core.engine.probes.ensemble_members import EnsembleMembers
from condense_core.engine.steppers import TrainingEnsemble
from condense_core.engine.training import worker
from condense_core.runfile.reader import RunReader


def test_steps_that_a_device_has_still_to_take_are_training_and_not_measuring(make_run, monkeypatch):
    """A stand-in for a GPU, which is told of steps long before it takes them: whoever reads waits for it."""
    queued = [0.0]

    def wait(*_: object) -> None:
        time.sleep(queued[0])
        queued[0] = 0.0

    advance, loss = TrainingEnsemble.advance, EnsembleMembers.loss

    def told(ensemble, steps=1):
        advance(ensemble, steps)
        queued[0] += 0.002 * steps

    monkeypatch.setattr(TrainingEnsemble, "advance", told)
    monkeypatch.setattr(TrainingEnsemble, "settle", wait)
    monkeypatch.setattr(EnsembleMembers, "loss", lambda members: (wait(), loss(members))[1])
    folder = make_run("steps=100", "record.frames=10", "record.probes=[]")
    assert worker.work(folder) == 0
    with RunReader(folder) as run:
        assert run.info().seconds >= 0.2
