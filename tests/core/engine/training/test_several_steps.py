"""Steps that are measured in one call are measured as one by one: a run file has the same bytes."""

from __future__ import annotations

import math

import pytest
from support import all_rows, trained_here

from condense_core.engine.steppers import TrainingEnsemble
from condense_core.engine.training import kept_steps, loop, recorder
from condense_core.engine.training.budget import Budget
from condense_core.engine.training.loop import Loop
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import Command, RecordingThread

# Of each kind of prediction, of convolutions and classes, of probes that see the network itself, of members that leave,
# of chance that is simulated later, and of steps that cannot be kept.
SCENARIOS = {
    "data": ('layers=[{kind="dense",width=9}]',),
    "gradient": ('layers=[{kind="dense",width=9,activation="xtanh"}]', "ensemble.members=5"),
    "one seed": ("ensemble.members=1", "steps=400", "record.frames=60"),
    "theory": ('layers=[{kind="dense",width=9}]', 'optimizer={name="gd",lr=0.05}'),
    "deep": ('layers=[{kind="dense",width=7},{kind="dense",width=6,activation="xtanh"}]',),
    "convolution": (
        'data={name="digits",samples=30,test_samples=20}',
        'layers=[{kind="conv",width=5,size=3},{kind="conv",width=4,size=3}]',
        'loss="cross-entropy"',
    ),
    "one input": (
        "data.inputs=1",
        'layers=[{kind="dense",width=9}]',
        'record.probes=["similarity","outputs","field","condensation","neuron-outputs","change"]',
    ),
    "reached": ("stop.loss_ratio=0.9", "stop.every=3", "optimizer.lr=0.05"),
    "diverging": ('optimizer={name="gd",lr=0.4}', "init.std=0.3", 'layers=[{kind="dense",width=9,activation="xtanh"}]'),
    "chance simulated": ("data.inputs=130",),
    "batches": ("optimizer.batch=8",),
}
LONG = {"deep", "theory", "chance simulated", "batches"}


def bytes_of(folder) -> dict[str, list[tuple[object, ...]]]:
    found = all_rows(folder)
    # when an event was written
    return found | {"event": [row[:-1] for row in found["event"] if row[2] != "recording"]}


@pytest.fixture
def _clockless(monkeypatch):
    """What a clock measures is the same in all runs."""

    def seconds(members_of):
        def of(self):
            found = members_of(self)
            found.seconds = found.step / 100
            return found

        return of

    monkeypatch.setattr(Loop, "_members", seconds(Loop._members))
    monkeypatch.setattr(recorder.time, "perf_counter", lambda: 0.0)
    monkeypatch.setattr(Budget, "total", 0.0)
    monkeypatch.setattr(Budget, "due", lambda self, trained: list(self.seconds))


@pytest.fixture
def counts(monkeypatch) -> list[int]:
    """How many steps were measured in each call; nothing is kept for a time, but as the test says."""
    found: list[int] = []
    together = recorder.SeveralSteps
    monkeypatch.setattr(recorder, "SeveralSteps", lambda kept: found.append(len(kept)) or together(kept))
    monkeypatch.setattr(kept_steps, "APART_S", math.inf)
    monkeypatch.setattr(kept_steps, "LONGEST_S", math.inf)
    return found


@pytest.mark.parametrize(
    "scenario", [pytest.param(name, marks=[pytest.mark.thorough] if name in LONG else []) for name in SCENARIOS]
)
@pytest.mark.usefixtures("_clockless")
def test_a_file_has_the_same_bytes(make_run, monkeypatch, counts, scenario):
    settings = ("steps=24", "record.frames=16", "ensemble.members=3", *SCENARIOS[scenario])
    monkeypatch.setattr(kept_steps, "APART_S", -math.inf)
    alone = make_run(*settings)
    weights = trained_here(alone)
    assert counts == []

    monkeypatch.setattr(kept_steps, "APART_S", math.inf)
    at_once = make_run(*settings)
    assert trained_here(at_once) == weights
    assert (max(counts, default=0) > 1) == (scenario != "batches"), counts
    assert bytes_of(at_once) == bytes_of(alone)
    assert len(bytes_of(alone)["scalar"]) > 5


def test_what_has_waited_as_long_as_it_may_is_not_kept_any_longer(make_run, monkeypatch, counts):
    monkeypatch.setattr(kept_steps, "LONGEST_S", 0.0)
    folder = make_run("steps=20", "record.frames=20")
    trained_here(folder)
    assert len(counts) > 15
    assert set(counts) == {1}


def test_a_step_that_comes_long_after_the_one_before_is_measured_at_once(make_run, monkeypatch, counts):
    monkeypatch.setattr(kept_steps, "APART_S", 0.0)
    folder = make_run("steps=20", "record.frames=20")
    trained_here(folder)
    assert counts == []
    with RunReader(folder) as run:
        assert len(run.instants) > 15


def test_a_checkpoint_comes_after_all_that_was_measured_before_it(make_run, monkeypatch, counts):
    folder = make_run("steps=20", "record.frames=20")
    save, seen = loop.checkpoint.save, []

    def saved(state, *where):
        save(state, *where)
        with RunReader(folder) as run:
            seen.append((int(state["step"]), int(run.instants[-1]), loop.checkpoint.recorded_to(folder)))

    def measured(self, step, last):
        if step == 7:
            self._thread.commands.append(Command("checkpoint", ""))
        return measure(self, step, last)

    measure = Loop._measure
    monkeypatch.setattr(Loop, "_measure", measured)
    monkeypatch.setattr(loop.checkpoint, "save", saved)
    trained_here(folder)
    assert seen == [(7, 7, 7), (20, 20, 20)]
    assert counts == [8, 12]


def test_what_was_measured_before_an_error_is_recorded(make_run, monkeypatch, counts):
    folder = make_run("steps=20", "record.frames=20")
    advance = TrainingEnsemble.advance

    def failing(self, steps=1):
        if self.step >= 12:
            raise MemoryError("of the test")
        advance(self, steps)

    monkeypatch.setattr(TrainingEnsemble, "advance", failing)
    threads: list[RecordingThread] = []
    begin = RecordingThread.__init__
    monkeypatch.setattr(RecordingThread, "__init__", lambda self, *how: threads.append(self) or begin(self, *how))
    with pytest.raises(MemoryError, match="of the test"):
        trained_here(folder)
    threads[0].close()
    with RunReader(folder) as run:
        assert run.instants.tolist() == list(range(13))
