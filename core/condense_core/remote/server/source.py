"""A run file as the server reads it: rows in order from any sequence number on, in pieces that fit a message."""

from __future__ import annotations

import contextlib
import heapq
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from condense_core.errors import RunFileError
from condense_core.remote.wire.messages import State
from condense_core.remote.wire.rows import Batch, EventRow, FrameRow, ScalarRow, null_is_nan, stored_or_plain
from condense_core.runfile.info import RunInfo, read_info
from condense_core.runfile.schema import FILE_NAME, NEWEST_SEQ, open_reader

# What a message of rows holds at most before it is compressed, so that both ends stay far from their limits.
LARGEST_PIECE = 3 * 1024 * 1024
MOST_ROWS_IN_PIECE = 20_000
# About what a row takes besides its blob or text.
ROW_BYTES = 24


class Piece(NamedTuple):
    """All rows after the sequence number that was asked for, up to and with `last`."""

    batch: Batch
    last: int
    bytes: int


class RunSource:
    """One run file, open for reading. RunFileError for one that is damaged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection = open_reader(folder / FILE_NAME)
        self._version = -1

    def changed(self) -> bool:
        """Whether anything was committed since the last call."""
        with self._checked():
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        changed = version != self._version
        self._version = int(version)
        return bool(changed)

    def info(self) -> RunInfo:
        """The run's row."""
        return read_info(self._connection, self._folder)

    def state(self) -> State:
        """What changes of the run's row."""
        # first the row, then the rows: a reader that has them up to this number has all rows of an ended run
        info = self.info()
        return State(
            info.status,
            info.reason[:2_000],
            info.step,
            info.seconds,
            info.heartbeat,
            info.device[:2_000],
            info.host[:2_000],
            info.pid,
            self.last_seq(),
        )

    def last_seq(self) -> int:
        """The highest sequence number in the file; 0 in an empty one."""
        with self._checked():
            return self._last()

    def piece(self, after: int, upto: int, budget: int) -> Piece:
        """Rows after `after` and up to `upto`, about `budget` bytes of them; instants are kept whole where they fit."""
        with self._checked(), self._one_moment():
            last_of_all = min(upto, self._last())
            batch = Batch([], [], [])
            size = rows = 0
            last, step = after, None
            for row in self._rows(after, last_of_all):
                taken = ROW_BYTES + (len(row.blob) if isinstance(row, FrameRow) else 0)
                taken += len(row.text) if isinstance(row, EventRow) else 0
                full = size >= budget and row.step != step
                if rows and (full or size + taken > LARGEST_PIECE or rows >= MOST_ROWS_IN_PIECE):
                    return Piece(batch, last, size)
                _add(batch, row)
                size, rows, last, step = size + taken, rows + 1, row.seq, row.step
            return Piece(batch, max(after, last_of_all), size)

    def bytes_after(self, after: int, enough: int) -> int:
        """About how many bytes rows after `after` take; counting ends at `enough`."""
        with self._checked():
            rows = self._connection.execute("SELECT length(blob) FROM frame WHERE seq > ? ORDER BY seq", (after,))
            size = 0
            for (length,) in rows:
                size += int(length)
                if size > enough:
                    return size
            return size + ROW_BYTES * (self.last_seq() - after)

    def near_the_end(self) -> int:
        """A sequence number at an instant's end, after which every layer's newest similarity can be read by itself."""
        with self._checked(), self._one_moment():
            (newest,) = self._connection.execute(
                "SELECT min(seq) FROM (SELECT max(seq) AS seq FROM frame WHERE kind = 'similarity' AND key = 1"
                " GROUP BY layer)"
            ).fetchone()
            if newest is None:
                newest = self._last()
            if not newest:
                return 0
            tables = ("scalar", "frame", "event")
            step = next(
                row[0]
                for table in tables
                for row in self._connection.execute(f"SELECT step FROM {table} WHERE seq = ?", (newest,))
            )
            # an instant's rows follow each other, so it begins after the last row of another step
            before = (
                row[0]
                for table in tables
                for row in self._connection.execute(
                    f"SELECT seq FROM {table} WHERE seq < ? AND step <> ? ORDER BY seq DESC LIMIT 1", (newest, step)
                )
            )
            return int(max(before, default=0))

    def _last(self) -> int:
        (last,) = self._connection.execute(NEWEST_SEQ).fetchone()
        return int(last)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _rows(self, after: int, upto: int) -> Iterator[ScalarRow | FrameRow | EventRow]:
        def of(table: str, columns: str) -> sqlite3.Cursor:
            where = "WHERE seq > ? AND seq <= ? ORDER BY seq"
            return self._connection.execute(f"SELECT {columns} FROM {table} {where}", (after, upto))

        scalars = (
            ScalarRow(seq, step, name, null_is_nan(value))
            for seq, step, name, value in of("scalar", "seq, step, name, value")
        )
        events = (
            EventRow(seq, step, kind, text[:20_000], time)
            for seq, step, kind, text, time in of("event", "seq, step, kind, text, time")
        )
        frames = (
            FrameRow(seq, step, kind, layer, int(bool(key)), *stored_or_plain(blob))
            for seq, step, kind, layer, key, blob in of("frame", "seq, step, kind, layer, key, blob")
        )
        return heapq.merge(scalars, events, frames, key=lambda row: row.seq)

    @contextlib.contextmanager
    def _one_moment(self) -> Iterator[None]:
        """All reads in the block see the file as of one commit."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise RunFileError(f"cannot read {self._folder}: {error}") from None
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            raise RunFileError(f"{self._folder} holds values of the wrong kind ({error}); it is damaged") from None


def _add(batch: Batch, row: ScalarRow | FrameRow | EventRow) -> None:
    if isinstance(row, ScalarRow):
        batch.scalars.append(row)
    elif isinstance(row, FrameRow):
        batch.frames.append(row)
    else:
        batch.events.append(row)
