"""Scalars of a short run, all of them in memory: what a list asks of one is then read by one query, not by twenty."""

from __future__ import annotations

import bisect
import functools
import operator
import sqlite3
from collections.abc import Iterable, Mapping

from condense_core.runfile import checksums
from condense_core.runfile.layouts import RowLayout
from condense_core.runfile.packed_rows import PackedRow
from condense_core.runfile.rows import DamagedError, Point, checked_tuples
from condense_core.runfile.wrong_rows import AnyRow, WrongRows

# A preset's run measures a hundred steps or two. Reading so many takes as long as what it saves of a longer run.
MOST_ROWS, MOST_BYTES = 300, 256 * 1024
# Names of all layouts together that are kept for other files.
MOST_KEPT = 2_000


class HeldScalars:
    """Scalars by their names, for one moment of the file; what each method says: `scalars.Scalars`. A row is checked
    when a value of it is asked for, as where each value has a query of its own."""

    def __init__(self, found: Iterable[AnyRow], layouts: Mapping[int, RowLayout], more: int = 0) -> None:
        """Rows have `more` bytes after their values. DamagedError where one is of none of the layouts."""
        self._more = more
        self._rows: dict[int, list[AnyRow]] = {}
        for row in found:
            self._rows.setdefault(row[2], []).append(row)
        for number in self._rows:
            if number not in layouts:
                raise DamagedError(f"scalar.layout: there is no layout {number}")
        self._all = layouts
        # in the order of their first rows
        self._layouts = [layouts[number] for number in self._rows]

    def names(self, most: int) -> list[str]:
        of_layouts = [layout.names for layout in self._layouts]
        few = sum(map(len, of_layouts)) <= MOST_KEPT
        return list((_kept_names if few else _names_of)(*of_layouts)[:most])

    def newest(self, name: str) -> Point | None:
        for seq, step, values in self._ends:
            if name in values:
                return Point(seq, step, values[name])
        return None

    def begins(self, name: str) -> tuple[int, int]:
        layout = next((layout for layout in self._layouts if name in layout.places), None)
        return (0, 0) if layout is None else (self._rows[layout.id][0][0], layout.names.index(name))

    def sample(self, name: str, most: int) -> list[Point]:
        layouts = [layout for layout in self._layouts if name in layout.places]
        rows = [row for layout in layouts for row in self._rows[layout.id]]
        if len(layouts) > 1:
            rows.sort()
        seqs = [row[0] for row in rows]
        least = evenly(seqs[0], seqs[-1], most) if seqs else []
        places = dict.fromkeys([bisect.bisect_left(seqs, number) for number in least])
        chosen = checked_tuples([rows[place] for place in places], PackedRow, "scalar")
        readers = {layout.id: layout.reader(name, self._more) for layout in layouts}
        return [Point(seq, step, readers[layout](data)) for seq, step, layout, data in chosen]

    @functools.cached_property
    def _ends(self) -> list[tuple[int, int, Mapping[str, float]]]:
        """Number, step and values of the newest row of each layout, the newest first."""
        ends = checked_tuples([rows[-1] for rows in self._rows.values()], PackedRow, "scalar")
        found = [
            (seq, step, dict(zip(layout.names, layout.unpacked(data[: len(data) - self._more]), strict=True)))
            for seq, step, number, data in ends
            for layout in (self._all[number],)
        ]
        return sorted(found, key=operator.itemgetter(0), reverse=True)


def _names_of(*names: tuple[str, ...]) -> tuple[str, ...]:
    """All names of some layouts, by the alphabet: runs of one scenario have the same."""
    return tuple(sorted({name for of_layout in names for name in of_layout}))


_kept_names = functools.lru_cache(maxsize=32)(_names_of)


def evenly(first: int, last: int, most: int) -> list[int]:
    """So many numbers from the first to the last."""
    return [first + (last - first) * place // (most - 1) for place in range(most)]


def held_scalars(
    connection: sqlite3.Connection, layouts: Mapping[int, RowLayout], wrong: WrongRows | None = None
) -> HeldScalars | None:
    """All scalars of an open file of version 2 or later, where they are few enough; `wrong` of one with checksums."""
    cursor = connection.execute(
        "SELECT seq, step, layout, data FROM scalar WHERE seq >= 0 ORDER BY seq LIMIT ?", (MOST_ROWS + 1,)
    )
    found: list[AnyRow] = []
    size = 0
    for row in cursor:
        size += len(row[3]) if isinstance(row[3], bytes) else 0
        # a row may be as long as a reader takes any
        if size > MOST_BYTES:
            return None
        found.append(row)
    if len(found) > MOST_ROWS:
        return None
    return (
        HeldScalars(found, layouts)
        if wrong is None
        else HeldScalars(wrong.without(found, layouts), layouts, checksums.SIZE)
    )
