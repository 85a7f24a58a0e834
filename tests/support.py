"""What tests do with real runs: start workers, wait for a condition, compare two runs row by row."""

from __future__ import annotations

import contextlib
import importlib.util
import math
import os
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from forking import Forked

from condense_core.measure_table import OF_THE_MACHINE
from condense_core.runfile import frames, stacks
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.info import LOG_NAME
from condense_core.runfile.places import place
from condense_core.runfile.reader import RunReader
from condense_core.runfile.scalars import scalars_of
from condense_core.runfile.schema import FILE_NAME, open_reader

SMALL = """
name = "small"
steps = 300
layers = [{ kind = "dense", width = 12, activation = "tanh" }]
[data]
name = "sine"
samples = 40
inputs = 3
[init]
scheme = "normal"
std = 0.005
[optimizer]
name = "adam"
lr = 1e-3
[record]
frames = 30
grace_seconds = 1000  # everything is measured, however busy the machine
"""


def wait_for(condition: Callable[..., bool], *arguments: object, seconds: float = 30, every: float = 0.01) -> None:
    """Return once the condition holds; fail where it does not within the time. It is looked at `every` so many seconds:
    what starts a program for each look is seldom to be looked at, or waiting takes more than what is waited for."""
    deadline = time.monotonic() + seconds
    while not condition(*arguments):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {getattr(condition, '__name__', condition)}")
        time.sleep(every)


def need_module(name: str) -> None:
    """Skip the test where the package is missing, or fail where $CONDENSE_TESTS_REQUIRE names it."""
    if importlib.util.find_spec(name) is not None:
        return
    if name in os.environ.get("CONDENSE_TESTS_REQUIRE", "").split(","):
        pytest.fail(f"{name} is required here and not installed")
    pytest.skip(f"{name} is not installed")


def some_of(values: Iterable[Any], *, one_in: int) -> list[Any]:
    """Parameters of a test that drives whole screens or programs: one in so many in every run, all in `make full`."""
    return [
        value if number % one_in == 0 else pytest.param(value, marks=pytest.mark.thorough)
        for number, value in enumerate(values)
    ]


def rows(
    folder: Path, *, without: tuple[str, ...] = ("steps_per_second", "recording_share", *OF_THE_MACHINE)
) -> dict[str, list[tuple[object, ...]]]:
    """All scalars and frames of a run by content, for comparing runs: what depends on the clock is left out."""
    with RunReader(folder) as run:
        connection = run._connection
        scalars = sorted(
            # NaN equals nothing, itself neither
            (row.step, name, None if math.isnan(value) else value)
            for row in scalars_of(connection).rows(0, run.last_seq)
            for name, value in zip(row.names, row.values, strict=True)
        )
        decoded = []
        for row in FrameTable(connection).rows(0, run.last_seq):
            found = stacks.decode(row.blob)
            own = found.each_member() if isinstance(found, stacks.Stack) else [(None, found)]
            for number, frame in own:
                layer = row.layer if number is None else place(row.layer.rpartition("@")[0], number)
                decoded.append((row.step, row.kind, layer, _content(run, row.step, layer, frame, without)))
        decoded.sort(key=lambda row: row[:3])
    return {"scalar": [row for row in scalars if row[1] not in without], "frame": decoded}


def _content(run: RunReader, step: int, layer: str, frame: frames.Frame, without: tuple[str, ...]) -> object:
    if isinstance(frame, frames.Similarity):
        # after a resume it is a key frame where it would have been a difference
        name, _, member = layer.rpartition("@")
        return (run.member(int(member)).similarity(name, step) if name else run.similarity(layer, step)).tobytes()
    if isinstance(frame, frames.Members):
        values = zip(frame.names, frame.numpy(), strict=True)
        return {name: of_members.tobytes() for name, of_members in values if name not in without}
    return frame


def all_rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of a run file, byte by byte; what stands in a table of names, which is each file's own, by its name."""
    connection = open_reader(folder / FILE_NAME)
    try:
        events = connection.execute("SELECT * FROM event ORDER BY seq").fetchall()
        scalars = scalars_of(connection).rows(0, 2**62)
        values = [(row.seq, row.step, row.names, struct.pack(f"{len(row.values)}d", *row.values)) for row in scalars]
        return {"scalar": values, "frame": list(FrameTable(connection).rows(0, 2**62)), "event": events}
    finally:
        connection.close()


def trained_here(folder: Path, drops: dict[int, list[int]] | None = None) -> list[bytes]:
    """Train a run in this process, as a worker does; each parameter of each seed at the end. `drops` has seeds that
    stop at a step, as those that reach their condition do."""
    import torch

    from condense_core.engine.data import datasets
    from condense_core.engine.probes import probes_for
    from condense_core.engine.probes.ensemble_members import EnsembleMembers
    from condense_core.engine.steppers import make_ensemble
    from condense_core.engine.training.loop import Loop
    from condense_core.engine.training.recorder import Recorder
    from condense_core.runfile.writer import RecordingThread

    with RunReader(folder) as run:
        experiment = run.experiment
        loaded = {member.data: datasets.load(member.data) for member in experiment.members}
        ensemble = make_ensemble(experiment, [loaded[each.data] for each in experiment.members], torch.device("cpu"))
        start = ensemble.observe()
        probes = probes_for(experiment, EnsembleMembers(start, ensemble.members, ensemble.stacked()))
        thread = RecordingThread(folder)
        recorder = Recorder(thread, probes, run)
        record = recorder.record

        def recorded(members: Any, **how: bool) -> None:
            record(members, **how)
            gone = (drops or {}).get(members.step)
            if gone:
                ensemble.drop(gone)

        recorder.record = recorded  # type: ignore[method-assign]
        Loop(experiment, ensemble, recorder, thread, folder).run([seen.loss for seen in start])
        thread.set_status("done")
        thread.close()
    return [value.numpy().tobytes() for seen in ensemble.observe() for value in seen.parameters().values()]


class Workers:
    """Starts workers, each forked from a process that has imported PyTorch."""

    def __init__(self) -> None:
        self.pids: list[int] = []
        self._started: list[Forked] = []

    def start(self, folder: Path) -> int:
        """Start a worker for the run; its process id."""
        command = [sys.executable, "-P", "-m", "condense_core.engine", str(folder), "--stay"]
        with (folder / LOG_NAME).open("ab") as log:
            process = Forked(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.pids.append(process.pid)
        # kept, so that nobody takes a worker that goes on for one that was forgotten
        self._started.append(process)
        return process.pid

    def finish(self, folder: Path, seconds: float = 60) -> None:
        """Start a worker and wait until it has ended."""
        wait_for(self.has_ended, self.start(folder), seconds=seconds)

    @staticmethod
    def has_ended(pid: int) -> bool:
        return not Path(f"/proc/{pid}").exists()


@contextlib.contextmanager
def stopping_at(step: int) -> Iterator[None]:
    """Has runs that are trained in this process stop at that step, however fast they are."""
    from condense_core.engine.training import worker

    to_its_end = worker.Loop.run

    def stopping(loop: Any, first_loss: Any) -> Any:
        advance = loop._ensemble.advance

        def stepped(steps: int = 1) -> None:
            advance(steps)
            if loop._ensemble.step >= step:
                loop.ask_to_stop("enough")

        loop._ensemble.advance = stepped
        return to_its_end(loop, first_loss)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker.Loop, "run", stopping)
        yield


def change(folder: Path, statement: str) -> None:
    """Change one row of a run file by SQL, with `flip(data, at)` for data of which one bit differs."""
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.create_function("flip", 2, lambda data, at: data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        assert connection.execute(statement).rowcount == 1
        connection.commit()
