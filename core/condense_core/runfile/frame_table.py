"""Frames of an open run file, as they are stored: the one place that knows their table."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator

from condense_core.runfile import rows
from condense_core.runfile.rows import FrameAt, Length, Named, Numbered, RowPlace, Stepped, StoredFrame

# Above every step that an experiment may have.
_END = 2**62


class FrameTable:
    """Reads and writes the frames of one open run file, blobs as they are. Damage is a DamagedError.

    `layer` is the name under which a frame of a member is kept: `frames.place`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def newest(self, kind: str, layer: str, step: int | None = None) -> FrameAt | None:
        """The layer's newest frame of that kind, at or before `step` where given; None if there is none."""
        return next(self.back(kind, layer, step, 1), None)

    def back(self, kind: str, layer: str, step: int | None, most: int) -> Iterator[FrameAt]:
        """At most so many frames from `step`, or from the end, towards the beginning."""
        cursor = self._connection.execute(
            "SELECT seq, step, key, blob FROM frame WHERE kind = ? AND layer = ? AND step <= ?"
            " ORDER BY step DESC LIMIT ?",
            (kind, layer, _END if step is None else step, most),
        )
        return rows.each(cursor, FrameAt, "frame")

    def after(self, kind: str, layer: str, step: int, seq: int) -> Iterator[list[FrameAt]]:
        """Frames from `step` on whose number is above `seq`, many at a time, by their numbers."""
        cursor = self._connection.execute(
            "SELECT seq, step, key, blob FROM frame WHERE kind = ? AND layer = ? AND step >= ? AND seq > ?"
            " ORDER BY seq",
            (kind, layer, step, seq),
        )
        return rows.chunks(cursor, FrameAt, "frame")

    def step_of(self, kind: str, layer: str, step: int | None = None) -> int | None:
        """The step of `newest`, without its blob."""
        cursor = self._connection.execute(
            "SELECT seq, step FROM frame WHERE kind = ? AND layer = ? AND step <= ? ORDER BY step DESC LIMIT 1",
            (kind, layer, _END if step is None else step),
        )
        row = rows.one(cursor, RowPlace, "frame")
        return None if row is None else row.step

    def steps(self, kind: str, layer: str, most: int = -1) -> list[int]:
        """Steps with a frame of that kind, ascending; at most so many."""
        cursor = self._connection.execute(
            "SELECT DISTINCT step FROM frame WHERE kind = ? AND layer = ? ORDER BY step LIMIT ?", (kind, layer, most)
        )
        return [row.step for row in rows.rows(cursor, Stepped, "frame")]

    def layers(self, kinds: Collection[str], most: int) -> list[str]:
        """Layers of frames of those kinds at the first step that has any, by their numbers, those of the first member
        alone; at most so many."""
        asked = ", ".join("?" * len(kinds))
        cursor = self._connection.execute(
            f"SELECT layer FROM frame WHERE kind IN ({asked}) AND step ="
            f" (SELECT min(step) FROM frame WHERE kind IN ({asked}))"
            " AND layer NOT LIKE '%@%' GROUP BY layer ORDER BY min(seq) LIMIT ?",
            (*kinds, *kinds, most),
        )
        return [row.name for row in rows.rows(cursor, Named, "frame")]

    def counts(self, without: Collection[str]) -> dict[int, int]:
        """How many frames each step has, those of some kinds left out."""
        asked = ", ".join("?" * len(without))
        query = f"SELECT step, count(*) FROM frame WHERE kind NOT IN ({asked}) GROUP BY step"
        return {int(step): int(count) for step, count in self._connection.execute(query, (*without,)).fetchall()}

    def rows(self, after: int, upto: int) -> Iterator[StoredFrame]:
        """All frames behind one sequence number, up to and with another, by their numbers."""
        cursor = self._connection.execute(
            "SELECT seq, step, kind, layer, key, blob FROM frame WHERE seq > ? AND seq <= ? ORDER BY seq", (after, upto)
        )
        return rows.each(cursor, StoredFrame, "frame")

    def sizes(self, after: int) -> Iterator[int]:
        """How many bytes each frame behind that number takes."""
        cursor = self._connection.execute("SELECT length(blob) FROM frame WHERE seq > ? ORDER BY seq", (after,))
        return (row.length for row in rows.each(cursor, Length, "frame"))

    def begins_whole(self) -> int | None:
        """The number of a row from which on every layer has a similarity matrix that needs none before it: the lowest
        of each layer's newest; None without any."""
        cursor = self._connection.execute(
            "SELECT min(seq) FROM (SELECT max(seq) AS seq FROM frame WHERE kind = 'similarity' AND key = 1"
            " GROUP BY layer)"
        )
        found = rows.one(cursor, Numbered, "frame")
        return None if found is None else found.seq

    def put(self, found: Iterable[StoredFrame]) -> None:
        """Store frames, in the caller's transaction."""
        self._connection.executemany("INSERT INTO frame VALUES (?, ?, ?, ?, ?, ?)", found)

    def replace(self, kind: str, layer: str, step: int, key: int, blob: bytes) -> None:
        """Store a frame in place of the one that is there."""
        self._connection.execute(
            "UPDATE frame SET blob = ?, key = ? WHERE kind = ? AND layer = ? AND step = ?",
            (blob, key, kind, layer, step),
        )

    def remove(self, kind: str) -> None:
        """Take all frames of a kind out of the file."""
        self._connection.execute("DELETE FROM frame WHERE kind = ?", (kind,))

    def remove_where(self, condition: str, *, without: str) -> None:
        """Take frames out of the file for which a condition of SQL on their `step` holds, except those of one kind."""
        self._connection.execute(f"DELETE FROM frame WHERE kind != ? AND {condition}", (without,))
