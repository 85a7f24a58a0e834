"""The copy of a run that is recorded elsewhere: an ordinary run file, kept by whoever holds its folder.

Two tables more than other run files have: `mirror`, one row of where the run is and how the connection is; and `hole`,
stretches of sequence numbers that are still to come, because the newest rows were sent before them. Rows, holes and
what was reached change in one transaction, so a mirror knows exactly what it has, however its keeper ended.

Whoever keeps the mirror is to it what a worker is to a run: it holds the folder's lock, appends, and takes commands.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from condense_core.errors import HostError, RunFileError
from condense_core.foreign import PASSING, reason
from condense_core.remote.wire.messages import RunState
from condense_core.remote.wire.rows import Batch
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.info import LinkState, RunInfo, columns_of, read_info
from condense_core.runfile.rows import Numbered, Seq, StoredFrame, one, rows
from condense_core.runfile.scalars import scalars_of
from condense_core.runfile.schema import FILE_NAME, VERSION, create, open_writer, reading, version_of
from condense_core.runs.place import mirror_folder

TABLES = """
CREATE TABLE IF NOT EXISTS mirror (
  host TEXT NOT NULL, run TEXT NOT NULL, top INTEGER NOT NULL, filled INTEGER NOT NULL, link TEXT NOT NULL, delay REAL,
  heard REAL NOT NULL, trouble TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS hole (after INTEGER PRIMARY KEY, last INTEGER NOT NULL);
"""
# A command that could not be passed on for so long is no longer what anybody wants.
STALE_COMMAND_S = 60.0
# A part of a file that nobody has written for so long is nobody's: a pull writes many times a second.
LEFT_S = 600.0


class Hole(NamedTuple):
    """Rows after `after` up to and with `last` are missing."""

    after: Seq
    last: Seq


class Waiting(NamedTuple):
    """A command that a viewer left and that was not passed on yet."""

    id: int
    verb: str
    argument: str


def make_mirror_folder(runs: Path, host: str, run: str) -> Path:
    """The folder for the mirror of a run, made where it is missing, for its owner only."""
    folder = mirror_folder(runs, run, host)
    try:
        runs.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise RunFileError(
            f"cannot create a copy of the run in {runs}: {error.strerror}; choose a place with --runs-dir"
        ) from None
    return folder


def clear_leftovers(runs: Path) -> None:
    """Remove what copies leave whose makers were killed: parts of files, and folders that hold no run.

    Only what nobody has written for a while, since another process may be at it.
    """
    old = time.time() - LEFT_S
    for folder in runs.glob("*@*"):
        with contextlib.suppress(OSError):  # another process clears it, or it is not ours to clear
            for part in folder.glob(".*.partial*"):
                if part.stat().st_mtime < old:
                    part.unlink()
            if folder.stat().st_mtime < old and not (folder / FILE_NAME).exists():
                folder.rmdir()


class MirrorFile:
    """The mirror's file, open for writing. Whoever opens it holds the folder (control.hold)."""

    def __init__(self, folder: Path, host: str, info: RunInfo, format_: int = VERSION) -> None:
        """Make the file where it is missing, of the run file's own format. RunFileError if it mirrors another run than
        the one described, or of a format that is not known here."""
        self.folder = folder
        self.host = host
        self.run = info.id
        self.created = info.created
        file = folder / FILE_NAME
        if not file.exists():
            if format_ > VERSION:
                raise RunFileError(
                    f"{info.id} on {host} has format {format_}, and this program reads up to {VERSION}:"
                    " install a newer condense-tui here"
                )
            # whole or not at all: a reader never finds half a mirror, nor this one the log of a former half
            partial = folder / f".{FILE_NAME}.partial"
            for left in folder.glob(f"{partial.name}*"):
                left.unlink(missing_ok=True)
            create(partial, format_)
            with contextlib.closing(open_writer(partial)) as connection, _stored(info.id):
                _describe(connection, host, info)
                connection.execute("PRAGMA journal_mode = DELETE")
            if any(folder.glob(f"{partial.name}-*")):
                # SQLite does not say that the disk refused this; without its journal the file may be half changed
                raise RunFileError(
                    f"cannot write the copy of {info.id}: the disk of {folder} refused it; free some space first"
                )
            os.replace(partial, file)  # noqa: PTH105 - replaces atomically
        self._connection = open_writer(file)
        try:
            with _stored(info.id):
                self._scalars, self._frames = scalars_of(self._connection), FrameTable(self._connection)
                self.format = version_of(self._connection)
                """Version of the file's tables, here and there."""
                self._check(host, info)
        except BaseException:
            self._connection.close()
            raise

    def _check(self, host: str, info: RunInfo) -> None:
        before = read_info(self._connection, self.folder)
        if before.mirror is None or before.id != info.id or before.created != info.created:
            raise RunFileError(
                f"{self.folder.name} here is a copy of another run than {info.id} on {host};"
                f" remove it: condense-tui runs rm {self.folder.name}"
            )

    @property
    def top(self) -> int:
        """The highest sequence number that is here; holes are below it."""
        with reading(self.folder):
            found = one(self._connection.execute("SELECT top FROM mirror"), Numbered, "mirror")
        return (found and found.seq) or 0

    def first_hole(self) -> Hole | None:
        """The lowest stretch that is missing."""
        with reading(self.folder):
            return one(self._connection.execute("SELECT after, last FROM hole ORDER BY after LIMIT 1"), Hole, "hole")

    def append(self, after: int, last: int, batch: Batch) -> None:
        """Store the newest rows; where they do not follow on what is here, the stretch between becomes a hole."""
        with self._transaction(after, last, batch):
            top = self.top
            if after < top or last <= after:
                raise HostError(f"rows {after} to {last} come after {top}")
            if after > top:
                self._connection.execute("INSERT INTO hole VALUES (?, ?)", (top, after))
            self._connection.execute("UPDATE mirror SET top = ?", (last,))

    def fill(self, after: int, last: int, batch: Batch) -> None:
        """Store rows that were missing, from the beginning of a hole on."""
        with self._transaction(after, last, batch):
            cursor = self._connection.execute("SELECT after, last FROM hole WHERE after = ?", (after,))
            with reading(self.folder):
                hole = one(cursor, Hole, "hole")
            if hole is None or not after < last <= hole.last:
                raise HostError(f"rows {after} to {last} fill no hole")
            self._connection.execute("DELETE FROM hole WHERE after = ?", (after,))
            if last < hole.last:
                self._connection.execute("INSERT INTO hole VALUES (?, ?)", (last, hole.last))
            # readers keep what they have read, and begin again when this changes
            self._connection.execute("UPDATE mirror SET filled = filled + 1")

    def state(self, state: RunState) -> None:
        """Store what the far side says of the run."""
        columns = {name: getattr(state, name) for name in state.__struct_fields__ if name not in {"last_seq", "can"}}
        if "can" in columns_of(self.format):
            columns["can"] = msgspec.json.encode(state.can).decode()
        names = ", ".join(f"{name} = ?" for name in columns)
        with _stored(self.run):
            self._connection.execute(f"UPDATE run SET {names}", tuple(columns.values()))

    def link(
        self, link: LinkState, *, trouble: str = "", delay: float | None = None, heard: float | None = None
    ) -> None:
        """Store how the connection is."""
        with _stored(self.run):
            self._connection.execute(
                "UPDATE mirror SET link = ?, trouble = ?, delay = ?, heard = ifnull(?, heard)",
                (link, trouble[:500], delay, heard),
            )

    def waiting_commands(self) -> list[Waiting]:
        """Commands that nobody has passed on, oldest first; those that are too old are taken as passed on."""
        now = time.time()
        with _stored(self.run):
            if self._connection.execute("SELECT 1 FROM command WHERE taken_at IS NULL LIMIT 1").fetchone() is None:
                return []
            self._connection.execute(
                "UPDATE command SET taken_at = ? WHERE taken_at IS NULL AND sent_at < ?", (now, now - STALE_COMMAND_S)
            )
            cursor = self._connection.execute(
                "SELECT id, verb, argument FROM command WHERE taken_at IS NULL ORDER BY id LIMIT 16"
            )
            return rows(cursor, Waiting, "command")

    def passed_on(self, command: int) -> None:
        """That command has reached the far side."""
        with _stored(self.run):
            self._connection.execute("UPDATE command SET taken_at = ? WHERE id = ?", (time.time(), command))

    def close(self) -> None:
        """Close the file, as one file without a log beside it where nobody else has it open."""
        with contextlib.suppress(sqlite3.Error):  # somebody has: the log stays, and is as good
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()

    @contextlib.contextmanager
    def _transaction(self, after: int, last: int, batch: Batch) -> Iterator[None]:
        """Store the rows, and whatever the block does, atomically; HostError for rows outside of the stretch."""
        for seq in batch.seqs:
            if not after < seq <= last:
                raise HostError(f"row {seq} among rows {after} to {last}")
        connection = self._connection
        with _stored(self.run):
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._scalars.put(batch.scalars)
                self._frames.put(
                    StoredFrame(row.seq, row.step, row.kind, row.layer, row.key, row.blob) for row in batch.frames
                )
                connection.executemany(
                    "INSERT INTO event VALUES (?, ?, ?, ?, ?)",
                    [(row.seq, row.step, row.kind, row.text, row.time) for row in batch.events],
                )
                yield
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _describe(connection: sqlite3.Connection, host: str, info: RunInfo) -> None:
    values = {name: getattr(info, name) for name in columns_of(version_of(connection))}
    # until its last rows are here it is not over
    values["status"] = info.status if info.active else "running"
    values |= {name: msgspec.json.encode(values[name]).decode() for name in ("versions", "can") if name in values}
    connection.executescript(TABLES)
    connection.execute(
        f"INSERT INTO run ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", tuple(values.values())
    )
    connection.execute(
        "INSERT INTO mirror VALUES (?, ?, 0, 0, 'connecting', NULL, ?, '')", (host, info.id, time.time())
    )


@contextlib.contextmanager
def _stored(run: str) -> Iterator[None]:
    """One kind of error for a disk that is full and for values that no run file can hold."""
    try:
        yield
    except PASSING:
        raise
    except sqlite3.IntegrityError as error:
        raise HostError(f"malformed answer: rows of {run} were sent twice ({reason(error)})") from error
    except Exception as error:
        refused = isinstance(error, sqlite3.InterfaceError | sqlite3.ProgrammingError | sqlite3.DataError)
        if isinstance(error, sqlite3.Error | OSError) and not refused:
            raise RunFileError(f"cannot write the copy of {run}: {reason(error)}") from error
        raise HostError(f"{run}: the host sent values that a run file cannot hold ({reason(error)})") from error
