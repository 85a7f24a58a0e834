"""Frames of an open run file, as they are stored: the one place that knows their table.

Up to version 3 each row names its kind and its layer. Since version 4 these stand once in the table `place`, and frames
of several members may be one row, whose place says of which (places.py). Since version 5 each blob has a checksum.
"""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple, Protocol

from condense_core.runfile import checksums, rows
from condense_core.runfile.place_rows import PlaceTable
from condense_core.runfile.places import MOST_MEMBERS, place, several
from condense_core.runfile.rows import (
    DamagedError,
    FrameAt,
    Length,
    Named,
    Numbered,
    RowPlace,
    Stepped,
    StoredFrame,
)
from condense_core.runfile.schema import version_of
from condense_core.text import printable

# Above every step that an experiment may have.
_END = 2**62
# The first version with a table of places.
PLACES_SINCE = 4

# Layers of a scenario with two kinds of frames each; a bound on hostile files.
MOST_LAYERS = 200

# What stands in place of a blob with a wrong checksum: no frame, so that nobody takes it, or a copy of it, for whole.
LOST = b""


class Where(NamedTuple):
    """A condition of SQL on rows of `frame`, the values in it, and the name under which all of these rows stand."""

    condition: str
    values: tuple[str | int, ...]
    layer: str


class _PlaceNames(Protocol):
    """How rows say of what kind and of which layer they are."""

    def wheres(self, kind: str, layer: str, member: int) -> list[Where]:
        """Conditions of which each holds for some of the rows with a member's frames of that kind."""

    def of_kinds(self, kinds: Collection[str]) -> str:
        """A condition that holds for frames of any of those kinds."""

    def layers(self, kinds: Collection[str], most: int) -> list[str]:
        """`FrameTable.layers`."""

    def put(self, found: Iterable[StoredFrame]) -> None:
        """`FrameTable.put`."""


class FrameTable:
    """Reads and writes the frames of one open run file, blobs as they are: LOST in place of one with a wrong checksum.
    Other damage is a DamagedError."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.has_stacks = version_of(connection) >= PLACES_SINCE
        """Whether frames of several members may be one row."""
        self._has_checksums = version_of(connection) >= checksums.CHECKSUMS_SINCE
        self._names: _PlaceNames = _Numbered(connection) if self.has_stacks else _Written(connection)
        self._from = "frame LEFT JOIN place ON place.id = frame.place" if self.has_stacks else "frame"

    def newest(self, kind: str, layer: str, member: int = 0, step: int | None = None) -> FrameAt | None:
        """The member's newest frame of that kind, at or before `step` where given; None if there is none."""
        return next(self.back(kind, layer, member, step, 1), None)

    def back(self, kind: str, layer: str, member: int, step: int | None, most: int) -> Iterator[FrameAt]:
        """At most so many frames from `step`, or from the end, towards the beginning."""
        found = []
        for where in self._names.wheres(kind, layer, member):
            cursor = self._connection.execute(
                f"SELECT seq, step, key, blob FROM frame WHERE {where.condition} AND step <= ?"
                " ORDER BY step DESC LIMIT ?",
                (*where.values, _END if step is None else step, most),
            )
            found.append(self._whole(rows.each(cursor, FrameAt, "frame"), kind, where.layer))
        return itertools.islice(heapq.merge(*found, key=lambda row: -row.step), most)

    def after(self, kind: str, layer: str, step: int, seq: int) -> Iterator[list[FrameAt]]:
        """Frames of the first member from `step` on whose number is above `seq`, many at a time, by their numbers."""
        for where in self._names.wheres(kind, layer, 0):
            cursor = self._connection.execute(
                f"SELECT seq, step, key, blob FROM frame WHERE {where.condition}"
                " AND step >= ? AND seq > ? ORDER BY seq",
                (*where.values, step, seq),
            )
            for chunk in rows.chunks(cursor, FrameAt, "frame"):
                yield list(self._whole(chunk, kind, where.layer))

    def step_of(self, kind: str, layer: str, member: int = 0, step: int | None = None) -> int | None:
        """The step of `newest`, without its blob."""
        found = []
        for where in self._names.wheres(kind, layer, member):
            cursor = self._connection.execute(
                f"SELECT seq, step FROM frame WHERE {where.condition} AND step <= ? ORDER BY step DESC LIMIT 1",
                (*where.values, _END if step is None else step),
            )
            row = rows.one(cursor, RowPlace, "frame")
            found += [] if row is None else [row.step]
        return max(found, default=None)

    def steps(self, kind: str, layer: str, member: int = 0, most: int = -1) -> list[int]:
        """Steps with a frame of that kind, ascending; at most so many."""
        found: set[int] = set()
        for where in self._names.wheres(kind, layer, member):
            cursor = self._connection.execute(
                f"SELECT DISTINCT step FROM frame WHERE {where.condition} ORDER BY step LIMIT ?", (*where.values, most)
            )
            found |= {row.step for row in rows.rows(cursor, Stepped, "frame")}
        return sorted(found)[: None if most < 0 else most]

    def layers(self, kinds: Collection[str], most: int) -> list[str]:
        """Layers of which the first member has frames of those kinds at the first step that has any, by their numbers;
        at most so many."""
        return self._names.layers(kinds, most)

    def measured_layers(self) -> tuple[str, ...]:
        """Names of the layers with frames of similarity or condensation, in the order of the network, as they can be
        shown."""
        return tuple(map(printable, self.layers(("similarity", "condensation"), MOST_LAYERS)))

    def counts(self, without: Collection[str]) -> dict[int, int]:
        """How many rows each step has, those of some kinds left out."""
        query = f"SELECT step, count(*) FROM frame WHERE NOT {self._names.of_kinds(without)} GROUP BY step"
        return {int(step): int(count) for step, count in self._connection.execute(query).fetchall()}

    def rows(self, after: int, upto: int) -> Iterator[StoredFrame]:
        """All rows behind one sequence number, up to and with another, by their numbers."""
        cursor = self._connection.execute(
            f"SELECT seq, step, kind, layer, key, blob FROM {self._from} WHERE seq > ? AND seq <= ? ORDER BY seq",
            (after, upto),
        )
        return self._stored(rows.each(cursor, StoredFrame, "frame"))

    def of_kind(self, kind: str) -> Iterator[StoredFrame]:
        """All rows of that kind, by their numbers."""
        where = self._names.of_kinds((kind,))
        cursor = self._connection.execute(
            f"SELECT seq, step, kind, layer, key, blob FROM {self._from} WHERE {where} ORDER BY seq"
        )
        return self._stored(rows.each(cursor, StoredFrame, "frame"))

    def sizes(self, after: int) -> Iterator[int]:
        """How many bytes each row behind that number takes."""
        cursor = self._connection.execute("SELECT length(blob) FROM frame WHERE seq > ? ORDER BY seq", (after,))
        return (row.length for row in rows.each(cursor, Length, "frame"))

    def begins_whole(self) -> int | None:
        """The number of a row from which on every layer has a similarity matrix that needs none before it: the lowest
        of each layer's newest; None without any."""
        where = self._names.of_kinds(("similarity",))
        group = "place" if self.has_stacks else "layer"
        cursor = self._connection.execute(
            f"SELECT min(seq) FROM (SELECT max(seq) AS seq FROM frame WHERE {where} AND key = 1 GROUP BY {group})"
        )
        found = rows.one(cursor, Numbered, "frame")
        return None if found is None else found.seq

    def put(self, found: Iterable[StoredFrame]) -> None:
        """Store rows, in the caller's transaction."""
        self._names.put(map(self._with_checksum, found))

    def replace(self, seq: int, key: int, blob: bytes) -> None:
        """Store another blob in the row of that number."""
        for row in list(self.rows(seq - 1, seq)):
            now = self._with_checksum(row._replace(key=key, blob=blob))
            self._connection.execute("UPDATE frame SET key = ?, blob = ? WHERE seq = ?", (key, now.blob, seq))

    def remove(self, kind: str) -> None:
        """Take all frames of a kind out of the file."""
        self._connection.execute(f"DELETE FROM frame WHERE {self._names.of_kinds((kind,))}")

    def remove_where(self, condition: str, *, without: str) -> None:
        """Take frames out of the file for which a condition of SQL on their `step` holds, except those of one kind."""
        self._connection.execute(f"DELETE FROM frame WHERE NOT {self._names.of_kinds((without,))} AND {condition}")

    def _with_checksum(self, row: StoredFrame) -> StoredFrame:
        if not self._has_checksums:
            return row
        seq, step, kind, layer, key, blob = row
        whole = checksums.with_checksum(blob, checksums.of_names(kind, layer), seq, step, key)
        return StoredFrame(seq, step, kind, layer, key, whole)

    def _whole(self, found: Iterable[FrameAt], kind: str, layer: str) -> Iterator[FrameAt]:
        """Rows with their blobs as they were handed over."""
        return (row._replace(blob=self._blob(row, kind, layer)) for row in found)

    def _stored(self, found: Iterable[StoredFrame]) -> Iterator[StoredFrame]:
        """`_whole` of rows that say whose they are."""
        return (row._replace(blob=self._blob(row, row.kind, row.layer)) for row in found)

    def _blob(self, row: FrameAt | StoredFrame, kind: str, layer: str) -> bytes:
        if not self._has_checksums:
            return row.blob
        whole = checksums.is_whole(row.blob, checksums.of_names(kind, layer), row.seq, row.step, row.key)
        return row.blob[: -checksums.SIZE] if whole else LOST


class _Written:
    """Up to version 3."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def wheres(self, kind: str, layer: str, member: int) -> list[Where]:
        name = place(layer, member)
        return [Where("kind = ? AND layer = ?", (kind, name), name)]

    def of_kinds(self, kinds: Collection[str]) -> str:
        return f"kind IN ({', '.join(map(repr, kinds))})"

    def layers(self, kinds: Collection[str], most: int) -> list[str]:
        own = self.of_kinds(kinds)
        cursor = self._connection.execute(
            f"SELECT layer FROM frame WHERE {own} AND step = (SELECT min(step) FROM frame WHERE {own})"
            " AND layer NOT LIKE '%@%' GROUP BY layer ORDER BY min(seq) LIMIT ?",
            (most,),
        )
        return [row.name for row in rows.rows(cursor, Named, "frame")]

    def put(self, found: Iterable[StoredFrame]) -> None:
        self._connection.executemany("INSERT INTO frame VALUES (?, ?, ?, ?, ?, ?)", found)


def _in_time(row: RowPlace) -> tuple[int, int]:
    return row.step, row.seq


class _Numbered:
    """Since version 4."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._places = PlaceTable(connection)

    def wheres(self, kind: str, layer: str, member: int) -> list[Where]:
        places = self._places.read()
        name = place(layer, member)
        own = places.ids.get((kind, name))
        found = [] if own is None else [(own, name)]
        found += [(id_, of.name) for id_, of in places.several.get((kind, layer), ()) if of.has(member)]
        if len(found) > MOST_MEMBERS:
            # each time that others end there is another
            raise DamagedError(f"place: more than {MOST_MEMBERS:,} with one member")
        return [Where("place = ?", (id_,), own_name) for id_, own_name in found]

    def of_kinds(self, kinds: Collection[str]) -> str:
        return f"place IN (SELECT id FROM place WHERE kind IN ({', '.join(map(repr, kinds))}))"

    def layers(self, kinds: Collection[str], most: int) -> list[str]:
        names, begins = [], []
        for (kind, name), id_ in self._places.read().ids.items():
            of = several(name) if "@" in name else None
            if kind not in kinds or ("@" in name if of is None else not of.has(0)):
                continue
            cursor = self._connection.execute(
                "SELECT seq, step FROM frame WHERE place = ? ORDER BY step LIMIT 1", (id_,)
            )
            row = cursor.fetchone()
            if row is not None:
                names.append(name if of is None else of.layer)
                begins.append(row)
        first: dict[str, RowPlace] = {}
        for layer, found_first in zip(names, rows.all_checked(begins, RowPlace, "frame"), strict=True):
            if layer not in first or _in_time(found_first) < _in_time(first[layer]):
                first[layer] = found_first
        begin = min((row.step for row in first.values()), default=0)
        found = sorted((row.seq, layer) for layer, row in first.items() if row.step == begin)
        return [layer for _, layer in found[:most]]

    def put(self, found: Iterable[StoredFrame]) -> None:
        self._places.read()
        self._connection.executemany(
            "INSERT INTO frame VALUES (?, ?, ?, ?, ?)",
            [(row.seq, row.step, self._places.number(row.kind, row.layer), row.key, row.blob) for row in found],
        )
