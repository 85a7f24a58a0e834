"""Scalars of a run file since version 2: those of a step are one row, values alone, little-endian one after the other.

Whose values they are says a row of `layout`: their names in order, as JSON, and for each `d` where it has eight bytes
or `f` where four hold it exactly, as they do what precision.py cuts to float32. A run has a handful of layouts, for the
probes are due together; a value that needs eight bytes for the first time makes another. No layout ever changes.

Since version 5 a row ends with its checksum; points of a row with a wrong one are left out, and the row is noted.
"""

from __future__ import annotations

import bisect
import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from condense_core.runfile import checksums, rows
from condense_core.runfile.held_scalars import HeldScalars, evenly, held_scalars
from condense_core.runfile.layouts import MOST_NAMES, WIDTH, RowLayout, decoded, fits, floats
from condense_core.runfile.packed_rows import LayoutId, PackedPoint, PackedRow, WholePoint
from condense_core.runfile.rows import (
    LONGEST_NAME,
    DamagedError,
    Length,
    Numbered,
    Point,
    ScalarRow,
    Stretch,
)
from condense_core.runfile.schema import one_moment, version_of
from condense_core.runfile.wrong_rows import WrongRows

# Names of all layouts together: a bound on hostile files.
MOST_TEXT = 8 * 1024 * 1024
# Layouts of several names, beyond which a row of new ones is written as a row for each name; and of those beyond which
# new ones take every value whole, of which a copy, whose rows arrive in another order, may need one for each of them.
MOST_MIXED = 200
# Layouts that a name may have: with these, and its own alone, far below what SQLite joins in one query (500).
MOST_PARTS = 2 * MOST_MIXED + 50

if TYPE_CHECKING:
    from condense_core.runfile.whole_rows import WholeRows

_NOTHING = contextlib.nullcontext()
# The next layout that has rows, one step of the index.
_NEXT_USED = "SELECT layout FROM scalar WHERE layout > ? ORDER BY layout LIMIT 1"


# Of a row by its layout: `seq`, `step` and `data`, as SQLite hands them out; no data where they are too many or few.
_EndRow = tuple[int, Any, Any]


class PackedScalars:
    """Scalars of one open run file; what `scalars.Scalars` says of them."""

    def __init__(self, connection: sqlite3.Connection, *, still: bool = False) -> None:
        """`still`: for one moment of the file, in a transaction of the caller's, in which nothing is written."""
        self._connection = connection
        self._still = still
        has_checksums = version_of(connection) >= checksums.CHECKSUMS_SINCE
        self._wrong = WrongRows(connection) if has_checksums else None
        self._more = checksums.SIZE if has_checksums else 0
        self._forget()
        self._checked = False
        self._held: HeldScalars | None = None

    def names(self, most: int) -> list[str]:
        with self._one_moment():
            if self._held is not None:
                return self._held.names(most)
            return sorted({name for layout in self._used() for name in layout.names})[:most]

    def stretches(self, name: str, after: int, most: int | None = None) -> Iterator[Stretch]:
        with self._one_moment():
            values = {"after": after, "most": -1 if most is None else most}
            cursor = self._points(name, "> :after", "ORDER BY seq LIMIT :most", values)
            if cursor is not None:
                for seqs, steps, data in rows.columns(cursor, PackedPoint, "scalar"):
                    yield self._without_wrong(seqs, steps, data)

    def first(self, name: str, least: int = 0) -> Point | None:
        with self._one_moment():
            return self._end(name, "ORDER BY seq") if least == 0 else self._point(name, "ORDER BY seq LIMIT 1", least)

    def sample(self, name: str, most: int) -> list[Point]:
        with self._one_moment():
            if self._held is not None:
                return self._held.sample(name, most)
            begin, newest = self._end(name, "ORDER BY seq"), self._end(name, "ORDER BY seq DESC")
            if begin is None or newest is None:
                return []
            found = self._nearest(name, evenly(begin.seq, newest.seq, most))
            places = [point.seq for point in found]
            at = (bisect.bisect_left(places, least) for least in evenly(begin.seq, newest.seq, most))
            return [found[place] for place in dict.fromkeys(at) if place < len(found)]

    def begins(self, name: str) -> tuple[int, int]:
        with self._one_moment():
            if self._held is not None:
                return self._held.begins(name)
            ends = self._ends(name, "ORDER BY seq")
            seq, layout = min(((row[0], layout) for layout, row in ends), key=lambda found: found[0], default=(0, None))
            return seq, 0 if layout is None else layout.names.index(name)

    def newest(self, name: str) -> Point | None:
        if self._held is not None:
            return self._held.newest(name)
        with self._one_moment():
            return self._end(name, "ORDER BY seq DESC") if self._held is None else self._held.newest(name)

    def rows(self, after: int, upto: int) -> Iterator[ScalarRow]:
        with self._one_moment():
            cursor = self._connection.execute(
                "SELECT seq, step, layout, data FROM scalar WHERE seq > ? AND seq <= ? ORDER BY seq", (after, upto)
            )
            for row in rows.each(cursor, PackedRow, "scalar"):
                layout = self._layout(row.layout)
                data = row.data
                if self._wrong is not None:
                    if self._wrong.is_wrong(layout, row.seq, row.step, data):
                        raise DamagedError(f"scalars at step {row.step} have a wrong checksum")
                    data = data[: -checksums.SIZE]
                yield ScalarRow(row.seq, row.step, layout.names, layout.unpacked(data))

    def whole(self) -> WholeRows | None:
        from condense_core.runfile.whole_rows import whole_rows

        with self._one_moment():
            return whole_rows(self._connection, self._layouts, self._wrong)

    def sizes(self, after: int) -> Iterator[int]:
        cursor = self._connection.execute("SELECT length(data) FROM scalar WHERE seq > ? ORDER BY seq", (after,))
        return (row.length for row in rows.each(cursor, Length, "scalar"))

    def numbered(self, first: int, step: int, scalars: Sequence[tuple[str, float]]) -> list[ScalarRow]:
        self._read_layouts()
        names = tuple(name for name, _ in scalars)
        values = tuple(float(value) for _, value in scalars)
        new = names not in self._of_names
        if len(set(names)) == len(names) <= MOST_NAMES and not (new and self._mixed >= MOST_MIXED):
            return [ScalarRow(first, step, names, values)] if names else []
        # what one row cannot hold, and what would make a layout for a hundredth of a run
        pairs = enumerate(zip(names, values, strict=True))
        return [ScalarRow(first + at, step, (name,), (value,)) for at, (name, value) in pairs]

    def put(self, found: Iterable[ScalarRow]) -> None:
        self._read_layouts()
        self._connection.executemany(
            "INSERT INTO scalar VALUES (?, ?, ?, ?)",
            [(row.seq, row.step, *self._packed(row)) for row in found],
        )

    def remove(self, names: Sequence[str]) -> None:
        gone, kept = set(names), []
        for row in self.rows(-1, 2**62):
            left = [pair for pair in zip(row.names, row.values, strict=True) if pair[0] not in gone]
            if left:
                own, values = zip(*left, strict=True)
                kept.append(ScalarRow(row.seq, row.step, own, values))
        self._connection.execute("DELETE FROM scalar")
        self._connection.execute("DELETE FROM layout")
        self.put(kept)

    @property
    def wrong(self) -> Mapping[int, int]:
        return {} if self._wrong is None else self._wrong.steps

    def read_anew(self) -> None:
        if self._wrong is not None:
            self._wrong.forget()

    def _one_moment(self) -> contextlib.AbstractContextManager[None]:
        if not self._still:
            return self._a_moment()
        if not self._checked:
            self._read_layouts()
        return _NOTHING

    @contextlib.contextmanager
    def _a_moment(self) -> Iterator[None]:
        """Layouts and rows as of one commit: of a layout that is added between, the rows would be passed over."""
        with one_moment(self._connection):
            self._read_layouts()
            yield

    def _forget(self) -> None:
        self._layouts: dict[int, RowLayout] = {}
        self._of_names: dict[tuple[str, ...], RowLayout] = {}
        self._found_places: dict[str, list[tuple[RowLayout, int, int]]] = {}
        self._queries: dict[tuple[str, str], str] = {}
        self._ends_of: dict[tuple[int, str], _EndRow | None] = {}
        self._highest = self._mixed = self._text = 0

    def _read_layouts(self) -> None:
        """Take in the layouts that were added. Some that are known may be gone: a transaction was not kept."""
        highest = None
        if not self._still:
            found = rows.one(self._connection.execute("SELECT max(id) FROM layout"), Numbered, "layout")
            highest = (found and found.seq) or 0
            if highest < self._highest:
                self._forget()
        if highest is None or highest > self._highest:
            columns = "id, names, kinds" if self._wrong is None else "id, names, kinds, checksum"
            cursor = self._connection.execute(
                f"SELECT {columns} FROM layout WHERE id > ? ORDER BY id", (self._highest,)
            )
            for row in cursor:
                self._take(decoded(row), len(row[1]))
        if not self._checked:
            if self._still:
                self._held = held_scalars(self._connection, self._layouts, self._wrong)
            # whoever writes adds a layout with its first row
            self._checked = self._held is not None or all(self._used())

    def _used(self) -> Iterator[RowLayout]:
        """Every layout that has rows; DamagedError for one that there is not."""
        last = 0
        while (row := rows.one(self._connection.execute(_NEXT_USED, (last,)), LayoutId, "scalar")) is not None:
            if row.layout <= last:
                # a damaged index that leads round in a circle
                return
            last = row.layout
            yield self._layout(last)

    def _take(self, layout: RowLayout, text: int) -> None:
        self._text += text
        if self._text > MOST_TEXT:
            raise DamagedError(f"layout: more than {MOST_TEXT:,} characters of names")
        self._layouts[layout.id] = self._of_names[layout.names] = layout
        self._queries, self._found_places = {}, {}
        self._highest = layout.id
        self._mixed += len(layout.names) > 1

    def _places(self, name: str) -> list[tuple[RowLayout, int, int]]:
        """Layouts that have the name, and where its value is in each."""
        found = self._found_places.get(name)
        if found is None:
            there = ((layout, layout.places.get(name)) for layout in self._layouts.values())
            found = self._found_places[name] = [(layout, *place) for layout, place in there if place is not None]
        return found

    def _layout(self, id_: int) -> RowLayout:
        found = self._layouts.get(id_)
        if found is None:
            raise DamagedError(f"scalar.layout: there is no layout {id_}")
        return found

    def _points(self, name: str, where: str, end: str, values: Mapping[str, int]) -> sqlite3.Cursor | None:
        """Rows of `PackedPoint` of one curve in the order of their numbers; None where nothing has that name.

        Each layout's rows lie in order in the index, and SQLite takes the lowest of them again and again.
        """
        query = self._queries.get((name, where))
        if query is None:
            query = self._queries[name, where] = self._query(name, where)
        return self._connection.execute(f"{query} {end}", values) if query else None

    def _query(self, name: str, where: str) -> str:
        places = self._places(name)
        if len(places) > MOST_PARTS:
            raise DamagedError(f"layout: more than {MOST_PARTS} with one name")
        # a row of another length is no value of this layout
        parts = (
            f"SELECT seq, step, CASE length(data) WHEN {layout.size + self._more}"
            f" THEN substr(data, {at + 1}, {width}) END AS data FROM scalar WHERE layout = {layout.id} AND seq {where}"
            for layout, at, width in places
        )
        return " UNION ALL ".join(parts)

    def _point(self, name: str, end: str, least: int) -> Point | None:
        while True:
            cursor = self._points(name, ">= :least", end, {"least": least})
            row = None if cursor is None else rows.one(cursor, PackedPoint, "scalar")
            if row is None:
                return None
            if len(self._without_wrong((row.seq,), (row.step,), (row.data,)).steps):
                return Point(row.seq, row.step, *floats((row.data,)))
            least = row.seq + 1

    def _ends(self, name: str, order: str) -> list[tuple[RowLayout, _EndRow]]:
        """The first rows in that order, one of each layout that has the name."""
        places = self._places(name)
        if len(places) > MOST_PARTS:
            raise DamagedError(f"layout: more than {MOST_PARTS} with one name")
        found = []
        for layout, _, _ in places:
            key = layout.id, order
            if not (self._still and key in self._ends_of):
                self._ends_of[key] = self._end_of(layout, order)
            row = self._ends_of[key]
            if row is not None:
                found.append((layout, row))
        return found

    def _end_of(self, layout: RowLayout, order: str) -> _EndRow | None:
        # a row of another length is no value of this layout
        cursor = self._connection.execute(
            "SELECT seq, step, CASE length(data) WHEN ? THEN data END FROM scalar"
            f" WHERE layout = ? AND seq >= 0 {order}",
            (layout.size + self._more, layout.id),
        )
        with contextlib.closing(cursor):
            whole = (row for row in cursor if self._wrong is None or not self._wrong.is_wrong(layout, *row))
            return next(whole, None)

    def _end(self, name: str, order: str) -> Point | None:
        """The first point of a curve in that order. Rows are asked for whole: where the file is still, they have what
        is asked for next."""
        ends = self._ends(name, order)
        if not ends:
            return None
        choose = max if order.endswith("DESC") else min
        layout, (seq, step, data) = choose(ends, key=lambda found: found[1][0])
        at, width = layout.places[name]
        value = data[at : at + width] if isinstance(data, bytes) else data
        row = rows.checked((seq, step, value), PackedPoint, "scalar")
        return Point(row.seq, row.step, *floats((row.data,)))

    def _nearest(self, name: str, least: Sequence[int]) -> list[Point]:
        """Of each layout the first points of a curve from each of these numbers on, all of them in order."""
        # one query for all layouts: to prepare it takes as long as to run it
        query = (
            f"WITH place (least) AS (VALUES {', '.join(['(?)'] * len(least))})"
            " SELECT seq, step, CASE length(data) WHEN ? THEN data END"
            " FROM place CROSS JOIN scalar ON seq = (SELECT min(seq) FROM scalar WHERE layout = ? AND seq >= least)"
        )
        every: list[PackedPoint] = []
        for layout, at, width in self._places(name):
            cursor = self._connection.execute(query, (*least, layout.size + self._more, layout.id))
            every += (
                PackedPoint(row.seq, row.step, row.data[at : at + width])
                for row in rows.rows(cursor, WholePoint, "scalar")
                if self._wrong is None or not self._wrong.is_wrong(layout, *row)
            )
        found = sorted({row.seq: row for row in every}.values())
        return [
            Point(row.seq, row.step, value)
            for row, value in zip(found, floats([row.data for row in found]), strict=True)
        ]

    def _without_wrong(self, seqs: Sequence[int], steps: Sequence[int], data: Sequence[bytes]) -> Stretch:
        """Points of a curve, without those of rows with a wrong checksum."""
        wrong = self._wrong
        if wrong is not None:
            wrong.look(seqs[-1], self._layouts)
            if not wrong.steps.keys().isdisjoint(seqs):
                kept = [at for at, seq in enumerate(seqs) if seq not in wrong.steps]
                steps, data = [steps[at] for at in kept], [data[at] for at in kept]
        return Stretch(seqs[-1], steps, floats(data))

    def _packed(self, row: ScalarRow) -> tuple[int, bytes]:
        names, values = row.names, row.values
        layout = self._of_names.get(names)
        data = None if layout is None else layout.packed(values)
        if layout is None or data is None:
            layout = self._added(names, values)
            data = layout.packed(values)
            assert data is not None
        if self._wrong is not None:
            data = checksums.with_checksum(data, layout.checksum, row.seq, row.step)
        return layout.id, data

    def _added(self, names: tuple[str, ...], values: tuple[float, ...]) -> RowLayout:
        """A new layout, in the file too, in which these values fit, and others of a name that needed eight bytes."""
        if not 0 < len(set(names)) == len(names) == len(values) <= MOST_NAMES:
            raise ValueError(f"a row of {len(names)} scalars; expected 1 to {MOST_NAMES:,}, each once")
        if max(map(len, names)) > LONGEST_NAME:
            raise ValueError(f"a scalar's name of more than {LONGEST_NAME} characters")
        if self._mixed >= 2 * MOST_MIXED and len(names) > 1:
            raise ValueError(f"more than {2 * MOST_MIXED} combinations of scalars")
        full = self._mixed >= MOST_MIXED
        kinds = "".join(
            "d" if full or self._is_wide(name) or not fits(value) else "f"
            for name, value in zip(names, values, strict=True)
        )
        text = msgspec.json.encode(names).decode()
        layout = RowLayout(self._highest + 1, names, kinds)
        row = (layout.id, text, kinds) if self._wrong is None else (layout.id, text, kinds, layout.own_checksum)
        self._connection.execute(f"INSERT INTO layout VALUES ({', '.join('?' * len(row))})", row)
        self._take(layout, len(text))
        return layout

    def _is_wide(self, name: str) -> bool:
        return any(width == WIDTH["d"] for _, _, width in self._places(name))
