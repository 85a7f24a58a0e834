"""A run's scalars as the columns of a table: what CSV, Parquet, pandas and Arrow have in common.   # S steps

One row a step, one column a scalar. Of an ensemble a scalar is the mean, and `NAME@0`, `NAME@1`, … behind all means are
its members; of one member, what is its own. Of a step that a resumed run measured twice, the newer values count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from condense_core.runfile.curves import FloatArray, IntArray, Points
from condense_core.runfile.reader import RunReader
from condense_core.scalar_names import column_of, split


class Column(NamedTuple):
    """Values (S,) of a scalar, and `there` (S,), at which steps it was measured; elsewhere a value is NaN."""

    values: FloatArray
    there: npt.NDArray[np.bool_]


def column(run: RunReader, scalar: str) -> str:
    """What a scalar of the run is called in a table: with the name of the direction that it is beside."""
    return column_of(scalar, run.prediction_source(split(scalar)[0]))


def curves_of(run: RunReader) -> dict[str, Points]:
    """Every curve of a run by the name of its column, those without a point left out."""
    shown = {name: column(run, name) for name in run.curve_names}
    with run.in_one_pass():
        found = {words: curve for name, words in shown.items() if len((curve := run.curve(name))[0])}
    for number in range(run.members if run.members > 1 else 0):
        own = run.member(number)
        # speed and the like are of all members together
        curves = {f"{words}@{number}": own.curve(name) for name, words in shown.items()}
        found |= {name: curve for name, curve in curves.items() if len(curve[0])}
    return found


def aligned(curves: Mapping[str, Points]) -> tuple[IntArray, dict[str, Column]]:
    """All steps (S,) of any of the curves, ascending, and each curve at them."""
    steps = np.unique(np.concatenate([np.empty(0, np.int64), *(own for own, _ in curves.values())]))
    found = {}
    for name, (own, values) in curves.items():
        place = np.searchsorted(steps, own)
        column_S, there_S = np.full(len(steps), np.nan), np.zeros(len(steps), bool)
        # of an index that is there twice, NumPy takes the last
        column_S[place], there_S[place] = values, True
        found[name] = Column(column_S, there_S)
    return steps, found
