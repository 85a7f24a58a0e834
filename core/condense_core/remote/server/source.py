"""A run file as the server reads it: rows in order from any sequence number on, in pieces that fit a message."""

from __future__ import annotations

import contextlib
import heapq
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from condense_core.remote.wire.messages import RunState
from condense_core.remote.wire.rows import Batch, EventRow, FrameRow, stored_or_plain
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.info import RunInfo, read_info
from condense_core.runfile.rows import (
    DamagedError,
    Event,
    RowPlace,
    ScalarRow,
    each,
    newest,
    one,
)
from condense_core.runfile.scalars import scalars_of
from condense_core.runfile.schema import FILE_NAME, one_moment, open_reader, reading, version_of

# What a message of rows holds at most before it is compressed, so that both ends stay far from their limits.
LARGEST_PIECE = 3 * 1024 * 1024
MOST_ROWS_IN_PIECE = 20_000
# About what a row takes besides its blob or text; of scalars each one, since that is what they do on the wire.
ROW_BYTES = 24
_BEFORE = "SELECT seq, step FROM {} WHERE seq < ? AND step <> ? ORDER BY seq DESC LIMIT 1"


class RowPiece(NamedTuple):
    """All rows after the sequence number that was asked for, up to and with `last`."""

    batch: Batch
    last: int
    bytes: int


class RunSource:
    """One run file, open for reading. RunFileError for one that is damaged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection = open_reader(folder / FILE_NAME)
        with self._checked():
            self._scalars, self._frames = scalars_of(self._connection), FrameTable(self._connection)
            self.format = version_of(self._connection)
            """Version of the file's tables."""
        self._version = -1

    def changed(self) -> bool:
        """Whether anything was committed since the last call."""
        with self._checked():
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        changed = version != self._version
        self._version = int(version)
        return bool(changed)

    @property
    def run(self) -> str:
        """The run's id."""
        return self._folder.name

    @property
    def removed(self) -> bool:
        """Whether the file was removed since: what is open can still be read, and nobody will write it any more."""
        return not (self._folder / FILE_NAME).exists()

    def info(self) -> RunInfo:
        """The run's row, under the name by which it is found here: a copied folder is a run of its own."""
        return msgspec.structs.replace(read_info(self._connection, self._folder), id=self._folder.name)

    def state(self) -> RunState:
        """What changes of the run's row."""
        # first the row, then the rows: a reader that has them up to this number has all rows of an ended run
        info = self.info()
        return RunState(
            info.status,
            info.reason[:2_000],
            info.step,
            info.seconds,
            info.heartbeat,
            info.device[:2_000],
            info.host[:2_000],
            info.pid,
            self.last_seq(),
            info.can,
        )

    def last_seq(self) -> int:
        """The highest sequence number in the file; 0 in an empty one."""
        with self._checked():
            return newest(self._connection)

    def piece(self, after: int, upto: int, budget: int) -> RowPiece:
        """Rows after `after` and up to `upto`, about `budget` bytes of them; instants are kept whole where they fit."""
        with self._checked(), one_moment(self._connection):
            last_of_all = min(upto, newest(self._connection))
            batch = Batch([], [], [])
            size = rows = 0
            last, step = after, None
            for row in self._rows(after, last_of_all):
                if row.seq <= last:
                    raise DamagedError(f"row {row.seq} after row {last}")
                taken = _size(row)
                full = size >= budget and row.step != step
                if rows and (full or size + taken > LARGEST_PIECE or rows >= MOST_ROWS_IN_PIECE):
                    return RowPiece(batch, last, size)
                _add(batch, row)
                size, rows, last, step = size + taken, rows + 1, row.seq, row.step
            return RowPiece(batch, max(after, last_of_all), size)

    def bytes_after(self, after: int, enough: int) -> int:
        """About how many bytes rows after `after` take; counting ends at `enough`."""
        with self._checked():
            size = 0
            for length in itertools.chain(self._frames.sizes(after), self._scalars.sizes(after)):
                size += length
                if size > enough:
                    return size
            return size + ROW_BYTES * (self.last_seq() - after)

    def near_the_end(self) -> int:
        """A sequence number at an instant's end, after which every layer's newest similarity can be read by itself."""
        with self._checked(), one_moment(self._connection):
            found = self._frames.begins_whole()
            at = newest(self._connection) if found is None else found
            tables = ("scalar", "frame", "event")
            places = (
                one(self._connection.execute(f"SELECT seq, step FROM {table} WHERE seq = ?", (at,)), RowPlace, table)
                for table in tables
            )
            place = next((place for place in places if place is not None), None)
            if place is None:
                return 0
            # an instant's rows follow each other, so it begins after the last row of another step
            before = (
                one(self._connection.execute(_BEFORE.format(table), (at, place.step)), RowPlace, table)
                for table in tables
            )
            return max((place.seq for place in before if place is not None), default=0)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _rows(self, after: int, upto: int) -> Iterator[ScalarRow | FrameRow | EventRow]:
        cursor = self._connection.execute(
            "SELECT seq, step, kind, text, time FROM event WHERE seq > ? AND seq <= ? ORDER BY seq", (after, upto)
        )
        events = (
            EventRow(row.seq, row.step, row.kind, row.text[:20_000], row.time) for row in each(cursor, Event, "event")
        )
        frames = (
            FrameRow(row.seq, row.step, row.kind, row.layer, int(row.key != 0), *stored_or_plain(row.blob))
            for row in self._frames.rows(after, upto)
        )
        return heapq.merge(self._scalars.rows(after, upto), events, frames, key=lambda row: row.seq)

    def _checked(self) -> contextlib.AbstractContextManager[None]:
        return reading(self._folder)


def _size(row: ScalarRow | FrameRow | EventRow) -> int:
    if isinstance(row, ScalarRow):
        return ROW_BYTES * len(row.names)
    return ROW_BYTES + len(row.blob if isinstance(row, FrameRow) else row.text)


def _add(batch: Batch, row: ScalarRow | FrameRow | EventRow) -> None:
    if isinstance(row, ScalarRow):
        batch.scalars.append(row)
    elif isinstance(row, FrameRow):
        batch.frames.append(row)
    else:
        batch.events.append(row)
