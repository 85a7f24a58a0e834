"""Cells that another command, or one that was killed, still has in hand: they are waited for, never trained twice."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from support import SMALL

from condense_core.runfile import control, reader
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runs.create import write_run
from condense_core.scenario import toml
from condense_tui.batch import drive as driving
from condense_tui.batch.cells import Cell, Plan, PresetPlan
from condense_tui.batch.drive import drive, is_finished

pytestmark = pytest.mark.usefixtures("forked")


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    experiment = toml.loads(SMALL.replace("steps = 300", "steps = 3"))
    folder = tmp_path / "cells" / "one"
    folder.mkdir(parents=True)
    write_run(folder, experiment, preset="small", device="cpu")
    return Cell("small", 0, 0, experiment, folder)


@contextlib.contextmanager
def held_until(status: str, cell: Cell, *, seconds: float = 0.5) -> Iterator[None]:
    """The run is trained by somebody else, who leaves it with that status after so long."""
    begun, at_it = threading.Event(), f"running, {os.getpid()}"

    def train() -> None:
        with control.hold(cell.folder), writer(cell.folder / FILE_NAME) as connection:
            connection.execute("UPDATE run SET status = 'running', reason = ?", (at_it,))
            begun.set()
            waiting.wait(seconds)
            connection.execute("UPDATE run SET status = ?, reason = 'by somebody else'", (status,))

    waiting = threading.Event()
    thread = threading.Thread(target=train)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        waiting.set()
        thread.join()


def trained(cell: Cell) -> tuple[str, str, dict[Path, str]]:
    plan = Plan((PresetPlan("small", cell.experiment, (cell,)),))
    progress = drive(plan, jobs=1, device="cpu", show=lambda _: None)
    assert progress.ended == [cell]
    with RunReader(cell.folder) as run:
        info = run.info()
    return info.status, info.reason, progress.refused


def test_a_cell_whose_worker_is_being_stopped_is_waited_for_and_goes_on(cell: Cell) -> None:
    with held_until("stopped", cell):
        assert trained(cell) == ("done", "", {})


def test_a_cell_that_another_command_ends_in_the_meantime_is_not_trained_again(cell: Cell) -> None:
    with held_until("done", cell):
        assert trained(cell) == ("done", "by somebody else", {})


def test_a_cell_that_another_command_goes_on_training_is_refused(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driving, "STOPPING_S", 0.1)
    with held_until("stopped", cell, seconds=30):
        status, _, refused = trained(cell)
    assert status == "running"
    assert "one is already being trained by another command" in refused[cell.folder]


def test_the_scenario_of_a_finished_cell_is_not_read_again(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a thousand cells that would take longer than all else that is read of them."""
    with writer(cell.folder / FILE_NAME) as connection:
        connection.execute("UPDATE run SET status = 'done'")
    known = replace(cell, text=toml.dumps(cell.experiment))
    other = msgspec.structs.replace(cell.experiment, steps=4)
    changed = replace(cell, experiment=other, text=toml.dumps(other))
    assert [is_finished(each) for each in (cell, known, changed)] == [True, True, False]
    with RunReader(cell.folder, changed.known) as run:
        assert run.experiment == cell.experiment
        assert run.members == 1
    monkeypatch.setattr(reader, "loads", lambda *_: pytest.fail("its scenario was read"))
    assert is_finished(known)
    with RunReader(cell.folder, known.known) as run:
        assert run.experiment is cell.experiment


class Ends:
    """An engine whose runs end as they are begun; the command is interrupted at the `last`."""

    def __init__(self, last: int) -> None:
        self.begun: list[Path] = []
        self._last = last
        self._over: list[Path] = []

    def start(self, cell: Cell) -> None:
        if len(self.begun) == self._last:
            raise KeyboardInterrupt
        self.begun.append(cell.folder)
        self._over.append(cell.folder)

    def ended(self, seconds: float) -> list[Path]:
        over, self._over = self._over, []
        return over

    def __enter__(self) -> Ends:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_cells_of_one_run_begin_together_and_those_left_are_open(cell: Cell, tmp_path: Path) -> None:
    names = ["a", "b", "a", "c", "b", "a", "d"]
    cells = tuple(replace(cell, seed=seed, folder=tmp_path / name) for seed, name in enumerate(names))
    engine, waiting = Ends(3), []
    progress = drive(
        Plan((PresetPlan("small", cell.experiment, cells),)),
        jobs=1,
        device="cpu",
        show=lambda now: waiting.append([other.seed for other in now.waiting]),
        engine=engine,
    )
    assert [folder.name for folder in engine.begun] == ["a", "b", "c"]
    assert [other.seed for other in progress.ended] == [0, 2, 5, 1, 4, 3]
    assert progress.interrupted and [other.seed for other in progress.open] == [6]
    assert waiting == [[0, 1, 2, 3, 4, 5, 6], [1, 4, 3, 6], [3, 6], [6]]
