"""All scalars of a run in one pass over its rows, for whoever reads most of its curves: one after the other each is a
pass of its own, which of a million steps takes a second.   # N rows, B bytes of a row

Values stay packed, as in the file, until a curve is asked for; a run that would take too much memory is read curve by
curve.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from condense_core.runfile import rows
from condense_core.runfile.curves import FloatArray, IntArray, WholeCurve, new_array
from condense_core.runfile.layouts import RowLayout
from condense_core.runfile.packed_rows import LARGEST_ROW, PackedRow
from condense_core.runfile.rows import DamagedError, Seq
from condense_core.runfile.wrong_rows import WrongRows

# Bytes of all rows: a million steps of two layers are 200 MB.
MOST_BYTES = 300_000_000
# Rows that are taken out at a time: of the widest ones 64 MB.
CHUNK = 2_000


class _Count(NamedTuple):
    layout: Seq
    rows: Seq


class _Part:
    """Rows of one layout: numbers and steps (N,), and their bytes (N, B), as far as they are filled."""

    def __init__(self, layout: RowLayout, count: int) -> None:
        self.layout = layout
        self.filled = 0
        self._seqs, self._steps = new_array(count, np.dtype(np.int64)), new_array(count, np.dtype(np.int64))
        self._data = new_array(count * layout.size, np.dtype(np.uint8)).reshape(count, layout.size)

    @property
    def seqs(self) -> IntArray:
        return self._seqs[: self.filled]

    @property
    def steps(self) -> IntArray:
        return self._steps[: self.filled]

    def put(self, seqs: list[int], steps: list[int], data: list[bytes]) -> None:
        for length in set(map(len, data)):
            self.layout.check(length)
        end = self.filled + len(seqs)
        self._seqs[self.filled : end], self._steps[self.filled : end] = seqs, steps
        self._data[self.filled : end] = np.frombuffer(b"".join(data), np.uint8).reshape(len(data), -1)
        self.filled = end

    def values(self, name: str) -> npt.NDArray[np.floating]:
        """The values (N,) of a name, where they lie."""
        at, width = self.layout.places[name]
        found: npt.NDArray[np.floating] = self._data[: self.filled, at : at + width].view(f"<f{width}")[:, 0]
        return found


class _Joined:
    """The rows of some layouts in the order of their numbers."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self._parts = parts
        seqs = np.concatenate([part.seqs for part in parts])
        order = np.argsort(seqs)
        self.last = int(seqs[order[-1]])
        self.steps = new_array(len(seqs), np.dtype(np.int64))
        np.take(np.concatenate([part.steps for part in parts]), order, out=self.steps)
        place = np.empty(len(seqs), np.int64)
        place[order] = np.arange(len(seqs))
        self._places = np.split(place, np.cumsum([part.filled for part in parts])[:-1])

    def values(self, name: str) -> FloatArray:
        found = new_array(len(self.steps), np.dtype(np.float64))
        for part, place in zip(self._parts, self._places, strict=True):
            found[place] = part.values(name)
        return found


class WholeRows:
    """Scalars as of the moment at which they were read."""

    def __init__(self, parts: list[_Part]) -> None:
        self._parts = parts
        self._joined: dict[tuple[int, ...], _Joined] = {}

    def curve(self, name: str) -> WholeCurve | None:
        """All points of a curve; None where it has none. Curves that were measured together share their steps."""
        parts = [part for part in self._parts if part.filled and name in part.layout.places]
        if not parts:
            return None
        key = tuple(part.layout.id for part in parts)
        joined = self._joined.get(key) or self._joined.setdefault(key, _Joined(parts))
        return WholeCurve(joined.last, joined.steps, joined.values(name))


def whole_rows(
    connection: sqlite3.Connection, layouts: Mapping[int, RowLayout], wrong: WrongRows | None = None
) -> WholeRows | None:
    """All rows of an open file of version 2 or later, in the caller's transaction; None where they are too many.
    `wrong` of a file with checksums."""
    counted = connection.execute("SELECT layout, count(*) FROM scalar WHERE seq > 0 GROUP BY layout LIMIT 10000")
    counts = {row.layout: row.rows for row in rows.rows(counted, _Count, "scalar")}
    if any(layout not in layouts for layout in counts):
        raise DamagedError("scalar.layout: one that there is not")
    if sum(count * (layouts[layout].size + 16) for layout, count in counts.items()) > MOST_BYTES:
        return None
    parts = {layout: _Part(layouts[layout], count) for layout, count in counts.items()}
    cursor = connection.execute(
        "SELECT seq, step, layout, CASE WHEN length(data) <= ? THEN data END FROM scalar WHERE seq > 0 ORDER BY seq",
        (LARGEST_ROW,),
    )
    for stored in rows.columns(cursor, PackedRow, "scalar", CHUNK):
        chunk = stored if wrong is None else wrong.without_in_columns(stored, layouts)
        numbers = chunk[2]
        for number in set(numbers):
            own = [other == number for other in numbers]
            parts[number].put(*(list(itertools.compress(column, own)) for column in (chunk[0], chunk[1], chunk[3])))
    return WholeRows(list(parts.values()))
