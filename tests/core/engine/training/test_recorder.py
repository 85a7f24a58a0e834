"""The recorder: training never waits for the disk, and what is left out is said."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from support import rows, trained_here

from condense_core.engine.probes import MemberViews, condensation
from condense_core.engine.training.recorder import Recorder
from condense_core.measures import null
from condense_core.runfile.levels import SimilarityEncoder
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RunWriter, StepRecord


class Disk:
    """Stands for the writer thread: takes records, or is too far behind to."""

    def __init__(self) -> None:
        self.behind = False
        self.seconds = 0.0
        self.taken: list[StepRecord] = []

    def has_room(self) -> bool:
        return not self.behind

    def put(self, record: StepRecord) -> None:
        self.taken.append(record)


class Counter:
    """A probe that records its step."""

    def measure(self, observation, into) -> None:
        into.scalar("step", observation.step)

    def resume(self, run, number) -> None:
        pass


class At:
    def __init__(self, step: int) -> None:
        self.step = step
        self.seconds = float("nan")
        self.layers = ()


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def folder(make_run):
    return make_run()


class Differences:
    """A probe whose frames build on each other, as the similarity probe's do."""

    def __init__(self) -> None:
        self.encoder = SimilarityEncoder()

    def measure(self, observation, into) -> None:
        into.frame("dense1", self.encoder.encode(cosines(observation.step), 12))

    def resume(self, run, number) -> None:
        pass


def cosines(step: int) -> np.ndarray:
    unit = np.random.default_rng(step).standard_normal((12, 4))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    return unit @ unit.T


def recorder(disk: Disk, folder, probe=None) -> Recorder:
    with RunReader(folder) as run:
        return Recorder(disk, {"probe": probe or Counter()}, run)


def test_every_step_is_recorded_while_the_disk_keeps_up(disk, folder):
    records = recorder(disk, folder)
    for step in range(20):
        records.record(MemberViews([At(step)]))
    assert [record.step for record in disk.taken] == list(range(20))


def test_a_slow_disk_costs_measurements_and_an_event_says_how_many(disk, folder):
    records = recorder(disk, folder)
    records.record(MemberViews([At(0)]))
    disk.behind = True
    for step in range(1, 8):
        records.record(MemberViews([At(step)]))
    disk.behind = False
    for step in range(8, 30):
        records.record(MemberViews([At(step)]))
    (told,) = [(record.step, text) for record in disk.taken for kind, text in record.events if kind == "slower"]
    missing = set(range(30)) - {record.step for record in disk.taken}
    assert missing == set(range(1, told[0]))
    assert f"{len(missing)} measurements" in told[1]
    assert disk.taken[-1].step == 29, "back to every step once the disk has caught up"


def test_frames_that_build_on_each_other_stay_whole_where_some_are_left_out(disk, folder):
    records = recorder(disk, folder, Differences())
    for step in range(40):
        disk.behind = step in {2, 3, 17}
        records.record(MemberViews([At(step)]))
    writer = RunWriter(folder)
    for record in disk.taken:
        writer.append(record)
    writer.close()
    with RunReader(folder) as run:
        for record in disk.taken:
            np.testing.assert_allclose(run.similarity("dense1", record.step), cosines(record.step), atol=0.005)
    assert len(disk.taken) < 40


def test_what_must_be_recorded_waits_for_the_disk(disk, folder):
    records = recorder(disk, folder)
    disk.behind = True
    records.record(MemberViews([At(5)]), must=True)
    assert [record.step for record in disk.taken] == [5]


def test_nothing_is_recorded_twice_after_a_resume(disk, folder):
    writer = RunWriter(folder)
    for step in (0, 10, 20):
        writer.append(StepRecord(step, [("loss", 1.0)], [], []))
    writer.close()
    records = recorder(disk, folder)
    for step in (5, 10, 15, 20, 25, 30):
        records.record(MemberViews([At(step)]))
    assert [record.step for record in disk.taken] == [25, 30]


def test_what_chance_makes_outside_the_table_is_simulated_beside_training(make_run, monkeypatch):
    # with the bias 131 entries a kernel, which the table does not have
    settings = "data.inputs=130", "steps=40", "record.frames=6", "ensemble.members=2"
    simulated, by = null.simulated, []
    monkeypatch.setattr(null, "simulated", lambda *of: by.append(threading.current_thread().name) or simulated(*of))
    beside, before = make_run(*settings), make_run(*settings)
    null._standard.cache_clear(), null.null_condensation.cache_clear()
    weights = trained_here(beside)
    assert by
    assert set(by) == {"run-file-writer"}

    null._standard.cache_clear(), null.null_condensation.cache_clear()
    monkeypatch.setattr(condensation, "is_at_hand", lambda entries: True)
    assert trained_here(before) == weights
    assert by[-1] == threading.current_thread().name
    assert rows(beside) == rows(before)
    assert any("null_coverage_coarse" in str(row[1]) for row in rows(beside)["scalar"])
