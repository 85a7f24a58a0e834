"""Scalars of an open run file, whatever way its version keeps them: the one place that knows the table.

Of version 1 each is a row with its name; since version 2 those of a step are one packed row (packed.py).
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from condense_core.runfile import rows
from condense_core.runfile.held_scalars import evenly
from condense_core.runfile.packed import PackedScalars
from condense_core.runfile.rows import Name, Named, Point, ScalarRow, Seq, Step, Stretch, number
from condense_core.runfile.schema import version_of

if TYPE_CHECKING:
    from condense_core.runfile.whole_rows import WholeRows

# All names, one step of the index a name, however many rows there are (a loose index scan). UNION: it ends also where a
# damaged index leads round in a circle.
_NAMES = (
    "WITH RECURSIVE n(name) AS (SELECT min(name) FROM scalar UNION"
    " SELECT (SELECT min(name) FROM scalar WHERE name > n.name) FROM n WHERE n.name IS NOT NULL)"
    " SELECT name FROM n WHERE name IS NOT NULL LIMIT ?"
)


class Scalars(Protocol):
    """Reads and writes the scalars of one open run file. Damage is a DamagedError."""

    def names(self, most: int) -> list[str]:
        """Names of all that was recorded, at most so many, by the alphabet."""

    def stretches(self, name: str, after: int, most: int | None = None) -> Iterator[Stretch]:
        """The curve of a name behind that sequence number, and at most so many points of it."""

    def first(self, name: str, least: int = 0) -> Point | None:
        """The first point of a curve from that sequence number on; None where there is none."""

    def sample(self, name: str, most: int) -> list[Point]:
        """At most so many points of a curve, the first and the last, and between them evenly by their numbers."""

    def begins(self, name: str) -> tuple[int, int]:
        """Where a name was recorded for the first time, to sort by: the row, and the place in it."""

    def newest(self, name: str) -> Point | None:
        """The last point of a curve; None where there is none."""

    def rows(self, after: int, upto: int) -> Iterator[ScalarRow]:
        """All rows behind one sequence number, up to and with another."""

    def whole(self) -> WholeRows | None:
        """All curves, read in one pass; None where they are better read one by one."""

    def sizes(self, after: int) -> Iterator[int]:
        """How many bytes each row behind that number takes besides what every row does."""

    def numbered(self, first: int, step: int, scalars: Sequence[tuple[str, float]]) -> list[ScalarRow]:
        """Scalars of one step as rows whose sequence numbers begin with `first`."""

    def put(self, found: Iterable[ScalarRow]) -> None:
        """Store rows, in the caller's transaction. ValueError for one that this version cannot hold."""

    @property
    def wrong(self) -> Mapping[int, int]:
        """Rows with a wrong checksum, which were left out: their steps by their numbers, as far as was read."""

    def read_anew(self) -> None:
        """Rows were put in before those that were read."""

    def remove(self, names: Sequence[str]) -> None:
        """Take all values of those names out of the file."""


def scalars_of(connection: sqlite3.Connection, *, still: bool = False) -> Scalars:
    """The scalars of an open run file; `still` for those of one moment, in a transaction of the caller's."""
    return PlainScalars(connection) if version_of(connection) < 2 else PackedScalars(connection, still=still)


class _Plain(NamedTuple):
    seq: Seq
    step: Step
    name: Name
    value: float | None


class PlainScalars:
    """Scalars of version 1: each a row, NaN as NULL."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def names(self, most: int) -> list[str]:
        return [row.name for row in rows.rows(self._connection.execute(_NAMES, (most,)), Named, "scalar")]

    def stretches(self, name: str, after: int, most: int | None = None) -> Iterator[Stretch]:
        cursor = self._connection.execute(
            "SELECT seq, step, value FROM scalar WHERE name = ? AND seq > ? ORDER BY seq LIMIT ?",
            (name, after, -1 if most is None else most),
        )
        for seqs, steps, values in rows.columns(cursor, Point, "scalar"):
            yield Stretch(seqs[-1], steps, [number(value) for value in values])

    def first(self, name: str, least: int = 0) -> Point | None:
        return self._point("AND seq >= ? ORDER BY seq LIMIT 1", name, least)

    def sample(self, name: str, most: int) -> list[Point]:
        return _sampled(lambda least: self.first(name, least), self.newest(name), most)

    def begins(self, name: str) -> tuple[int, int]:
        first = self.first(name)
        return (0 if first is None else first.seq), 0

    def newest(self, name: str) -> Point | None:
        return self._point("ORDER BY seq DESC LIMIT 1", name)

    def rows(self, after: int, upto: int) -> Iterator[ScalarRow]:
        cursor = self._connection.execute(
            "SELECT seq, step, name, value FROM scalar WHERE seq > ? AND seq <= ? ORDER BY seq", (after, upto)
        )
        for row in rows.each(cursor, _Plain, "scalar"):
            yield ScalarRow(row.seq, row.step, (row.name,), (number(row.value),))

    def whole(self) -> WholeRows | None:
        # the index has each curve as one stretch
        return None

    def sizes(self, after: int) -> Iterator[int]:
        return iter(())

    @property
    def wrong(self) -> Mapping[int, int]:
        return {}

    def read_anew(self) -> None:
        pass

    def numbered(self, first: int, step: int, scalars: Sequence[tuple[str, float]]) -> list[ScalarRow]:
        return [ScalarRow(first + at, step, (name,), (float(value),)) for at, (name, value) in enumerate(scalars)]

    def put(self, found: Iterable[ScalarRow]) -> None:
        self._connection.executemany("INSERT INTO scalar VALUES (?, ?, ?, ?)", map(_one_value, found))

    def remove(self, names: Sequence[str]) -> None:
        self._connection.executemany("DELETE FROM scalar WHERE name = ?", [(name,) for name in names])

    def _point(self, end: str, *values: object) -> Point | None:
        cursor = self._connection.execute(f"SELECT seq, step, value FROM scalar WHERE name = ? {end}", values)
        return rows.one(cursor, Point, "scalar")


def _one_value(row: ScalarRow) -> tuple[int, int, str, float | None]:
    if len(row.names) != 1:
        raise ValueError(f"a row of {len(row.names)} scalars in a file that holds one a row")
    (name,), (value,) = row.names, row.values
    # SQLite has no NaN, and would store it as NULL itself
    return row.seq, row.step, name, None if math.isnan(value) else value


def _sampled(first: Callable[[int], Point | None], newest: Point | None, most: int) -> list[Point]:
    """`Scalars.sample`, by the first point from a number on and by the last of all."""
    begin = first(0)
    if begin is None or newest is None:
        return []
    points = (first(least) for least in evenly(begin.seq, newest.seq, most))
    return list({point.seq: point for point in points if point is not None}.values())
