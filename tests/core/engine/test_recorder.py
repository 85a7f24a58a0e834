"""The recorder: training never waits for the disk, and what is left out is said."""

from __future__ import annotations

import pytest

from condense_core.engine.recorder import Recorder
from condense_core.runs.reader import RunReader
from condense_core.runs.writer import Batch, RunWriter


class Disk:
    """Stands for the writer thread: takes batches, or is too far behind to."""

    def __init__(self) -> None:
        self.behind = False
        self.taken: list[Batch] = []

    def offer(self, batch: Batch) -> bool:
        if not self.behind:
            self.taken.append(batch)
        return not self.behind

    def put(self, batch: Batch) -> None:
        self.taken.append(batch)


class Counter:
    """A probe that records its step."""

    def measure(self, view, into) -> None:
        into.scalar("step", view.step)

    def recall(self, run) -> None:
        pass


class At:
    def __init__(self, step: int) -> None:
        self.step = step


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def folder(make_run):
    return make_run()


def recorder(disk: Disk, folder) -> Recorder:
    with RunReader(folder) as run:
        return Recorder(disk, [Counter()], run)


def test_every_step_is_recorded_while_the_disk_keeps_up(disk, folder):
    records = recorder(disk, folder)
    for step in range(20):
        records.record(At(step))
    assert [batch.step for batch in disk.taken] == list(range(20))


def test_a_slow_disk_costs_measurements_and_an_event_says_how_many(disk, folder):
    records = recorder(disk, folder)
    records.record(At(0))
    disk.behind = True
    for step in range(1, 8):
        records.record(At(step))
    disk.behind = False
    for step in range(8, 30):
        records.record(At(step))
    (told,) = [(batch.step, text) for batch in disk.taken for kind, text in batch.events if kind == "slower"]
    missing = set(range(30)) - {batch.step for batch in disk.taken}
    assert missing == set(range(1, told[0]))
    assert f"{len(missing)} measurements" in told[1]
    assert disk.taken[-1].step == 29, "back to every step once the disk has caught up"


def test_what_must_be_recorded_waits_for_the_disk(disk, folder):
    records = recorder(disk, folder)
    disk.behind = True
    records.record(At(5), must=True)
    assert [batch.step for batch in disk.taken] == [5]


def test_nothing_is_recorded_twice_after_a_resume(disk, folder):
    writer = RunWriter(folder)
    for step in (0, 10, 20):
        writer.append(Batch(step, [("loss", 1.0)], [], []))
    writer.close()
    records = recorder(disk, folder)
    for step in (5, 10, 15, 20, 25, 30):
        records.record(At(step))
    assert [batch.step for batch in disk.taken] == [25, 30]
