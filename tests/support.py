"""What tests do with real runs: start workers, wait for a condition, compare two runs row by row."""

from __future__ import annotations

import importlib.util
import math
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from forking import Forked

from condense_core.measure_table import OF_THE_MACHINE
from condense_core.runfile import frames
from condense_core.runfile.info import LOG_NAME
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
        blobs = connection.execute("SELECT step, kind, layer, blob FROM frame ORDER BY step, kind, layer").fetchall()
        decoded = []
        for step, kind, layer, blob in blobs:
            # after a resume a similarity frame is a key frame where it would have been a difference
            value = run.similarity(layer, step).tobytes() if kind == "similarity" else frames.decode(blob)
            if isinstance(value, frames.Members):
                values = zip(value.names, value.numpy(), strict=True)
                value = {name: of_members.tobytes() for name, of_members in values if name not in without}
            decoded.append((step, kind, layer, value))
    return {"scalar": [row for row in scalars if row[1] not in without], "frame": decoded}


def all_rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of a run file, byte by byte; of scalars, whose layouts are each file's own, what they hold."""
    connection = open_reader(folder / FILE_NAME)
    try:
        of = {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY seq").fetchall() for table in ("frame", "event")
        }
        scalars = scalars_of(connection).rows(0, 2**62)
        values = [(row.seq, row.step, row.names, struct.pack(f"{len(row.values)}d", *row.values)) for row in scalars]
        return {"scalar": values, **of}
    finally:
        connection.close()


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
