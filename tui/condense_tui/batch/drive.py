"""Runs the cells of a plan, a few at a time; what is finished already stays as it is."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import msgspec

from condense_core.errors import CondenseError, RunFileError
from condense_core.runfile.control import hold, worker_is_alive
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME
from condense_core.runfile.status import FINAL, INTERRUPTED
from condense_core.runs.about_run import AboutRun, write_about
from condense_core.runs.create import ready_to_resume, write_run
from condense_core.runs.worker_pool import Pool
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.schedule import required_steps
from condense_tui.batch.cells import Cell, Plan, PresetPlan

# Between two looks at the workers, and so between two frames of the progress table.
LOOK_S = 0.2
# Workers whose command was killed stop by themselves, with a checkpoint, after the step that they are at.
STOPPING_S = 10.0


@dataclass
class BatchProgress:
    """What has come of the cells so far: their folders by state, and why some could not be started."""

    waiting: Collection[Cell] = ()
    running: list[Cell] = field(default_factory=list)
    ended: list[Cell] = field(default_factory=list)
    kept: list[Cell] = field(default_factory=list)
    """Ended cells that an earlier reproduction had finished."""
    refused: dict[Path, str] = field(default_factory=dict)
    interrupted: bool = False
    """Ctrl-C ended it: cells that are waiting or running still have no result."""

    @property
    def open(self) -> list[Cell]:
        """Cells without a result."""
        return [*self.running, *self.waiting]


class Engine(Protocol):
    """Where cells are trained. Leaving its context stops what still trains."""

    def start(self, cell: Cell) -> None:
        """Begin to train the cell; CondenseError or OSError if that cannot be."""

    def ended(self, seconds: float) -> Iterable[Path]:
        """Folders of cells that have ended, waiting at most that long for the first; their run files say how.

        CondenseError if none can go on.
        """


def drive(
    plan: Plan,
    *,
    progress: BatchProgress | None = None,
    jobs: int,
    device: str,
    show: Callable[[BatchProgress], None],
    engine: AbstractContextManager[Engine] | None = None,
) -> BatchProgress:
    """Train every cell that is not finished, `jobs` at a time; a cell that fails is noted and does not stop the others.

    On this machine's `device`, or wherever `engine` does it. Ctrl-C stops what trains, and what is returned notes it.
    `progress` is what `so_far` has found, where it was looked for already.
    """
    progress = progress or so_far(plan)
    show(progress)
    if not progress.waiting:
        return progress
    progress.waiting = waiting = _by_run(progress.waiting)
    try:
        with engine or LocalEngine(jobs, device) as trains:
            while waiting or progress.running:
                while waiting and len({cell.folder for cell in progress.running}) < jobs:
                    _start(progress, waiting, trains)
                _end(progress, set(trains.ended(LOOK_S)) if progress.running else set())
                show(progress)
    except KeyboardInterrupt:
        progress.interrupted = True
        # some came to their end while they were told to stop
        _end(progress, {cell.folder for cell in progress.running if is_finished(cell)})
    return progress


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Be the only command that fills the folder, for the length of the block; RunFileError if another one does. A
    killed command leaves nothing that would have to be removed."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(hold(folder))
        except RunFileError:
            raise RunFileError(
                f"{folder} is being filled by another command: wait until it ends, or choose another --out"
            ) from None
        yield


def with_finished(plan: Plan) -> Plan:
    """The plan with cells that are finished already in the place where they are, however they were put together then:
    of fewer draws, or dealt to another number of runs."""
    return replace(plan, presets=tuple(map(_with_finished, plan.presets)), own=tuple(map(_with_finished, plan.own)))


def _with_finished(preset: PresetPlan) -> PresetPlan:
    if not preset.cells:
        return preset
    there: dict[str, Cell] = {}
    for folder in sorted(preset.cells[0].folder.parent.glob("*/")):
        try:
            with RunReader(folder) as run:
                status, trained = run.info().status, run.experiment
        except CondenseError:
            continue
        for number, member in enumerate(trained.members if status in FINAL else ()):
            place = Cell(preset.name, member.seed, member.data.seed, trained, folder, number, found=True)
            there.setdefault(repr(_without_words(member)), place)
    keys = [repr(_without_words(cell.experiment)) for cell in preset.cells]
    return replace(preset, cells=tuple(there.get(key, cell) for key, cell in zip(keys, preset.cells, strict=True)))


def so_far(plan: Plan) -> BatchProgress:
    """What of the plan is finished, with nothing trained."""
    progress = BatchProgress()
    waiting: list[Cell] = []
    for cell in plan.cells:
        (progress.kept if is_finished(cell) else waiting).append(cell)
    progress.waiting = waiting
    progress.ended += progress.kept
    return progress


def _end(progress: BatchProgress, ended: Set[Path]) -> None:
    progress.ended += [cell for cell in progress.running if cell.folder in ended]
    progress.running = [cell for cell in progress.running if cell.folder not in ended]


def is_finished(cell: Cell) -> bool:
    """Whether the cell's run is there, of this experiment, and over."""
    return _status(cell) in FINAL


def left_at(cell: Cell) -> str:
    """How far a cell without a result has come: `not started`, or `stopped at step 120 of 3,000`."""
    if not _status(cell):
        return "not started"
    with RunReader(cell.folder) as run:
        info = run.info()
    return f"stopped at step {info.step:,} of {info.steps:,}" if info.step else "not started"


def _status(cell: Cell) -> str:
    """The status of the cell's run; empty if there is none of this experiment."""
    if not (cell.folder / FILE_NAME).is_file():
        return ""
    try:
        with RunReader(cell.folder, cell.known) as run:
            status, trained = run.info().status, run.experiment
    except CondenseError:
        # a file that cannot be read is no result: the cell is trained again
        return ""
    if trained is cell.experiment:
        return status
    return status if _without_words(trained) == _without_words(cell.experiment) else ""


def _without_words(experiment: Experiment) -> Experiment:
    """What of a scenario matters to its run: a claim that asks for another range of what was measured, or is told in
    other words, trains nothing again; one that asks for another step does."""
    record = msgspec.structs.replace(experiment.record, steps=tuple(sorted(required_steps(experiment))))
    return msgspec.structs.replace(experiment, about=None, claim=None, record=record)


def _by_run(cells: Iterable[Cell]) -> deque[Cell]:
    """The cells in their order, those of one run behind its first."""
    runs: dict[Path, list[Cell]] = {}
    for cell in cells:
        runs.setdefault(cell.folder, []).append(cell)
    return deque(cell for together in runs.values() for cell in together)


def _start(progress: BatchProgress, waiting: deque[Cell], engine: Engine) -> None:
    """Begin the run whose cells stand first."""
    folder, together = waiting[0].folder, []
    while waiting and waiting[0].folder == folder:
        together.append(waiting.popleft())
    progress.running += together
    try:
        engine.start(together[0])
    except (CondenseError, OSError) as error:
        progress.refused[folder] = str(error)
        _end(progress, {folder})


class LocalEngine:
    """Trains cells in processes of this machine; one that was interrupted goes on from its checkpoint, and one that
    another command has just trained to its end stays as it is."""

    def __init__(self, jobs: int, device: str) -> None:
        self._device = device
        self._pool = Pool(jobs)
        self._over: list[Path] = []

    def start(self, cell: Cell) -> None:
        """Begin to train the cell in a separate process."""
        _wait_for_its_worker(cell.folder)
        status = _status(cell)
        if status in FINAL:
            self._over.append(cell.folder)
            return
        if status in INTERRUPTED:
            ready_to_resume(cell.folder)
        else:
            _make(cell, self._device)
        self._pool.start(cell.folder)

    def ended(self, seconds: float) -> list[Path]:
        """Folders of cells whose process has ended."""
        over, self._over = self._over, []
        return over or self._pool.ended(seconds)

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.__exit__(*error)


def _wait_for_its_worker(folder: Path) -> None:
    """Give a worker of a command that was killed a moment ago the time to stop."""
    deadline = time.monotonic() + STOPPING_S
    while folder.exists() and worker_is_alive(folder) and time.monotonic() < deadline:
        time.sleep(LOOK_S)


def _make(cell: Cell, device: str) -> None:
    if cell.folder.exists():
        if worker_is_alive(cell.folder):
            raise RunFileError(f"{cell.folder.name} is already being trained by another command")
        shutil.rmtree(cell.folder)
    cell.folder.mkdir(parents=True)
    name = f"{cell.preset} {cell.folder.name}"
    write_run(cell.folder, cell.experiment, name=name, preset=cell.preset, device=device)
    note_sweep(cell)


def note_sweep(cell: Cell) -> None:
    """Have the cell's run say of which sweep it is; RunFileError where that cannot be written."""
    if cell.sweep:
        write_about(cell.folder, AboutRun(sweep=cell.sweep))
