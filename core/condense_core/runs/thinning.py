"""A run file with fewer of its steps: of those that stay, everything that was measured."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from condense_core.runfile import frames
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.levels import SimilarityEncoder
from condense_core.runfile.reader import RunReader
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
        # all is read before anything is written: a reader in the middle of a row would keep the file locked
        matrices = [row for layer in run.layers for row in _similarities(run, layer, kept)]
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        table = FrameTable(connection)
        for layer, step, key, blob in matrices:
            table.replace("similarity", layer, step, key, blob)
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


def _similarities(run: RunReader, layer: str, kept: list[int]) -> Iterator[tuple[str, int, int, bytes]]:
    """The matrices of the kept steps as frames that build on each other: layer, step, key, blob."""
    condensed = run.condensation(layer)
    encoder = SimilarityEncoder()
    for step in run.similarity_steps(layer):
        cosine = run.similarity(layer, step) if step in kept else None
        if cosine is not None:
            frame = encoder.encode(cosine, len(cosine) if condensed is None else condensed.kernels)
            yield layer, step, int(frame.key), frames.encode(frame)
