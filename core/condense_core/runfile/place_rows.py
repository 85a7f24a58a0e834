"""Rows of `place` since version 4: of what kind and of which layer the frames of a run file are, read and checked."""

from __future__ import annotations

import functools
import sqlite3
from typing import Annotated, Any, NamedTuple

from msgspec import Meta

from condense_core.runfile import checksums, rows
from condense_core.runfile.places import Several, several
from condense_core.runfile.rows import DamagedError, Name, Numbered
from condense_core.runfile.schema import is_still, version_of

# Places of a file: 64 layers of nine kinds, of a thousand members that each end by themselves; a bound on hostile ones.
MOST_PLACES = 600_000
# Stretches of members that their names list, all together, 80 bytes each.
MOST_SPANS = 4_000_000
# Places of a file that are kept for other files; their names are short.
MOST_KEPT = 100


class PlaceRow(NamedTuple):
    """A row; the checksum since version 5."""

    id: Annotated[int, Meta(ge=1, lt=2**31)]
    kind: Name
    layer: Name
    checksum: Annotated[bytes, Meta(max_length=checksums.SIZE)] = b""


class Places:
    """Those of a file, as far as they were read. DamagedError for what cannot stand there."""

    def __init__(self, *, has_checksums: bool) -> None:
        self._has_checksums = has_checksums
        self.ids: dict[tuple[str, str], int] = {}
        """By kind and name."""
        self.several: dict[tuple[str, str], list[tuple[int, Several]]] = {}
        """Those of several members, by kind and layer."""
        self.highest = self._spans = 0

    def take(self, row: PlaceRow) -> None:
        """Take in the next one."""
        if row.id <= self.highest:
            raise DamagedError("place: row numbers that do not increase")
        if (row.kind, row.layer) in self.ids:
            raise DamagedError("place: a name twice")
        if self._has_checksums and row.checksum != _checksum_of(row.id, row.kind, row.layer):
            raise DamagedError(f"place: row {row.id} has a wrong checksum")
        if len(self.ids) >= MOST_PLACES:
            raise DamagedError(f"place: more than {MOST_PLACES:,} rows")
        self.ids[row.kind, row.layer] = self.highest = row.id
        of = several(row.layer)
        if of is not None:
            self._spans += len(of.spans)
            if self._spans > MOST_SPANS:
                raise DamagedError(f"place: more than {MOST_SPANS:,} stretches of members")
            self.several.setdefault((row.kind, of.layer), []).append((row.id, of))


class PlaceTable:
    """Reads and writes the places of one open run file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._has_checksums = version_of(connection) >= checksums.CHECKSUMS_SINCE
        self._found: Places | None = None

    def read(self) -> Places:
        """All of them. Some that are known may be gone: a transaction was not kept."""
        if is_still(self._connection):
            self._found = self._found or self._read_once()
            return self._found
        newest = rows.one(self._connection.execute("SELECT max(id) FROM place"), Numbered, "place")
        highest = (newest and newest.seq) or 0
        if self._found is None or highest < self._found.highest:
            self._found = Places(has_checksums=self._has_checksums)
        if highest > self._found.highest:
            self._take_behind(self._found)
        return self._found

    def number(self, kind: str, layer: str) -> int:
        """The number of a place, which is added where it is not there."""
        places = self._found or self.read()
        found = places.ids.get((kind, layer))
        if found is None:
            found = places.highest + 1
            row = PlaceRow(found, kind, layer, _checksum_of(found, kind, layer))
            values = row if self._has_checksums else row[:3]
            self._connection.execute(f"INSERT INTO place VALUES ({', '.join('?' * len(values))})", values)
            places.take(row)
        return found

    def _read_once(self) -> Places:
        """Those of a file of one moment. Few are taken from a file before that had the same, as runs of one scenario
        do."""
        found = self._behind(0).fetchmany(MOST_KEPT + 1)
        if len(found) <= MOST_KEPT:
            return _few(tuple(found), self._has_checksums)
        places = Places(has_checksums=self._has_checksums)
        self._take_behind(places)
        return places

    def _take_behind(self, places: Places) -> None:
        for chunk in rows.chunks(self._behind(places.highest), PlaceRow, "place"):
            for row in chunk:
                places.take(row)

    def _behind(self, id_: int) -> sqlite3.Cursor:
        columns = "id, kind, layer, checksum" if self._has_checksums else "id, kind, layer"
        return self._connection.execute(f"SELECT {columns} FROM place WHERE id > ? ORDER BY id", (id_,))


@functools.lru_cache(maxsize=100)
def _few(found: tuple[tuple[Any, ...], ...], has_checksums: bool) -> Places:
    """Those in rows as SQLite hands them out; nobody adds to them."""
    places = Places(has_checksums=has_checksums)
    for row in rows.all_checked(list(found), PlaceRow, "place"):
        places.take(row)
    return places


def _checksum_of(id_: int, kind: str, layer: str) -> bytes:
    return checksums.with_checksum(b"", checksums.of_names(kind, layer), id_, 0)
