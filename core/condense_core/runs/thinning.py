"""A run file with fewer of its steps: of those that stay, everything that was measured."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from condense_core.runfile import frames
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.levels import SimilarityEncoder
from condense_core.runfile.places import layer_and_member, several
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import reading
from condense_core.runfile.stacks import Stack, decode, is_key
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.schedule import required_steps, thinned


def thin(file: Path, most: int, *, weights: bool = False) -> None:
    """Leave about `most` of the measured steps in the run file, evenly among them.

    The first, the last, those that the scenario or its claim names, and those of events stay in any case; of the others
    the ones at which all that a step can have was measured. Similarity matrices are differences to the one before and
    are written anew. `weights` false: those go, too; their singular values, of which there are few and each is small,
    all stay.
    """
    with RunReader(file) as run:
        kept = _kept(run, most)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        table = FrameTable(connection)
        # all is read before anything is written
        with reading(file):
            matrices = list(_similarities(table, kept))
        for seq, key, blob in matrices:
            table.replace(seq, key, blob)
        connection.execute("CREATE TEMP TABLE kept (step INTEGER PRIMARY KEY)")
        connection.executemany("INSERT INTO kept VALUES (?)", [(step,) for step in kept])
        connection.execute("DELETE FROM scalar WHERE step NOT IN (SELECT step FROM kept)")
        table.remove_where("step NOT IN (SELECT step FROM kept)", without="singular")
        if not weights:
            table.remove("weights")
        connection.execute("COMMIT")


def _kept(run: RunReader, most: int) -> list[int]:
    steps = [int(step) for step in run.instants]
    trained = run.subject
    required = required_steps(trained) if isinstance(trained, Experiment) else set()
    named = required | {event.step for event in run.events}
    must = {steps[0], steps[-1], *(step for step in steps if step in named)} if steps else set()
    counts = run.frames_by_step()
    whole = max(counts.values(), default=0)
    free = [step for step in steps if step not in must and counts.get(step) == whole]
    return sorted({*must, *_evenly(free, most - len(must))})


def _evenly(steps: list[int], most: int) -> Iterable[int]:
    return thinned(steps, most) if most > 1 else steps[:0]


def _similarities(table: FrameTable, kept: Collection[int]) -> Iterator[tuple[int, int, bytes]]:
    """The matrices of the kept steps as frames that build on each other: number of the row, key, blob."""
    now: dict[tuple[str, int], npt.NDArray[np.int8]] = {}
    encoders: dict[str, SimilarityEncoder] = {}
    for row in table.of_kind("similarity"):
        of, stored = several(row.layer), decode(row.blob)
        layer, alone = layer_and_member(row.layer) if of is None else (of.layer, 0)
        stack = stored if isinstance(stored, Stack) else None
        # the last that trains has rows of its own, which go on from those of all
        numbers = (alone,) if stack is None else stack.members
        each = [stored] if stack is None else [own for _, own in stack.each_member()]
        matrices = [frame for frame in each if isinstance(frame, frames.Similarity)]
        for number, frame in zip(numbers, matrices, strict=True):
            levels = np.frombuffer(frame.levels, np.int8)
            now[layer, number] = levels if frame.key else now[layer, number] + levels
        if row.step in kept:
            levels_ST = np.stack([now[layer, number] for number in numbers])
            first = matrices[0]
            sent = encoders.setdefault(layer, SimilarityEncoder()).encode_levels(
                levels_ST, numbers, first.side, first.kernels, first.drawn_of
            )
            written = sent if stack is not None else sent.of_member(alone)
            yield row.seq, int(is_key(written)), frames.encode(written)
