"""Writing a run file: whole transactions, one counter, and a separate thread so that training never waits.

The worker hands over records; the thread commits them, beats the heart, and looks for commands.
"""

from __future__ import annotations

import contextlib
import math
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from condense_core.errors import RunFailedError
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.frames import Frame, encode
from condense_core.runfile.info import HEARTBEAT_S
from condense_core.runfile.places import place, place_of_several
from condense_core.runfile.precision import CLOCK, rounded
from condense_core.runfile.rows import StoredFrame, newest
from condense_core.runfile.scalars import scalars_of
from condense_core.runfile.schema import FILE_NAME, open_writer, reading
from condense_core.runfile.stacks import Stack, is_key, kind_of
from condense_core.runfile.status import Status

# A human's key press should act at once; a look at an empty table costs some microseconds.
COMMAND_POLL_S = 0.1
# Records that may wait for the disk: at ten a second, several seconds of a stalled disk without a lost measurement.
QUEUE_LENGTH = 64

# What the machine does is read every two seconds, and in a long run as often as makes some hundred points an hour and
# some thousand a week.
SAMPLE_S = 2.0
SAMPLE_SHARE = 0.005

# A viewer's look takes milliseconds; one that holds the file for longer has it keep its log, which is as good there.
CLOSE_MS = 2_000


class StepRecord(NamedTuple):
    """Everything measured at one step: committed together or not at all."""

    step: int
    scalars: list[tuple[str, float]]
    frames: Sequence[tuple[str, Frame | Stack]]
    """By the name of the row, and frames of several members by that of their layer."""
    events: list[tuple[str, str]]


class Command(NamedTuple):
    """What a viewer asked for."""

    verb: str
    argument: str


class RunWriter:
    """The only writer of a run's rows. Not safe for threads: `RecordingThread` owns one."""

    def __init__(self, folder: Path) -> None:
        self._connection = open_writer(folder / FILE_NAME)
        with reading(folder):
            self._scalars, self._frames = scalars_of(self._connection), FrameTable(self._connection)
            self._seq = newest(self._connection)

    def append(self, *records: StepRecord) -> None:
        """Commit the records, ascending, as one transaction."""
        connection = self._connection
        stored = [[(layer, frame, encode(frame)) for layer, frame in self._stored(record.frames)] for record in records]
        connection.execute("BEGIN IMMEDIATE")
        try:
            # frames of all of them at once: each time their table is asked which places it has
            self._frames.put(
                [row for record, found in zip(records, stored, strict=True) for row in self._store(record, found)]
            )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def update(self, **columns: str | int | float | None) -> None:
        """Change columns of the run's row: status, reason, step, seconds, heartbeat, pid, device, …"""
        names = ", ".join(f"{name} = ?" for name in columns)
        self._connection.execute(f"UPDATE run SET {names}", tuple(columns.values()))

    def sync(self) -> None:
        """Have all that was committed on the medium, where it survives a loss of power too."""
        # SQLite itself syncs its log with this commit: a file of its own that is opened beside it would drop its locks
        self._connection.execute("PRAGMA synchronous = FULL")
        try:
            self.update(heartbeat=time.time())
        finally:
            self._connection.execute("PRAGMA synchronous = NORMAL")

    def take_commands(self) -> list[Command]:
        """Commands that nobody has taken, oldest first; each is given out once."""
        rows = self._connection.execute(
            "SELECT id, verb, argument FROM command WHERE taken_at IS NULL ORDER BY id"
        ).fetchall()
        if rows:
            self._connection.execute(
                "UPDATE command SET taken_at = ? WHERE taken_at IS NULL AND id <= ?", (time.time(), rows[-1][0])
            )
        return [Command(verb, argument) for _, verb, argument in rows]

    def close(self) -> None:
        """Close the file, which then holds everything: whoever copies it needs no log beside it."""
        with contextlib.suppress(sqlite3.OperationalError):
            # a viewer in the middle of a look is waited for; no other training is
            self._connection.execute(f"PRAGMA busy_timeout = {CLOSE_MS}")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.execute("PRAGMA busy_timeout = 0")
            # a viewer that has the file open keeps the log, empty as it is now
            self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()

    def _store(self, record: StepRecord, stored: Sequence[tuple[str, Frame | Stack, bytes]]) -> list[StoredFrame]:
        """Store all but the frames, which are numbered."""
        scalars = self._scalars.numbered(self._seq + 1, record.step, record.scalars)
        self._scalars.put(scalars)
        self._seq += len(scalars)
        frames = [
            StoredFrame(self._next(), record.step, kind_of(frame), layer, int(is_key(frame)), blob)
            for layer, frame, blob in stored
        ]
        if record.events:
            now = time.time()
            self._connection.executemany(
                "INSERT INTO event VALUES (?, ?, ?, ?, ?)",
                [(self._next(), record.step, kind, text, now) for kind, text in record.events],
            )
        return frames

    def _stored(self, found: Sequence[tuple[str, Frame | Stack]]) -> Iterator[tuple[str, Frame | Stack]]:
        """Frames under the names of their rows: of several members as one where the file's version has that."""
        for layer, frame in found:
            if not isinstance(frame, Stack):
                yield layer, frame
            elif self._frames.has_stacks:
                yield from ((place_of_several(layer, part.members), part) for part in frame.parts(layer))
            else:
                yield from ((place(layer, number), own) for number, own in frame.each_member())

    def _next(self) -> int:
        self._seq += 1
        return self._seq


class _Synced(threading.Event):
    """Set when all that was handed over before is on the medium."""


Records = StepRecord | list[StepRecord]
"""What was measured at one step, or at several that are committed together."""

# What is handed over: records, what makes them, columns of the run's row, and who waits for all before it.
_Item = Records | Callable[[], Records] | dict[str, str | int | float | None] | threading.Event


class RecordingThread:
    """A RunWriter on a separate thread: `put` waits only where there is no room, `flush` until all is committed.

    Whatever stops the writer (a full disk) is kept and raised at the next call, in the training thread.
    """

    def __init__(self, folder: Path, *, resumable: bool = True) -> None:
        """`resumable`: `runs resume` goes on with the run once the writer had to stop."""
        self._file = folder / FILE_NAME
        self._resumable = resumable
        self._writer = RunWriter(folder)
        self._queue: queue.Queue[_Item | None]
        self._queue = queue.Queue(QUEUE_LENGTH)
        self._error: BaseException | None = None
        self.progress = (0, 0.0)
        """Step reached and seconds trained; written with every heartbeat."""
        self.commands: deque[Command] = deque()
        """Commands taken from the file and not yet obeyed; the training loop pops them."""
        self._at_stop: Callable[[], None] | None = None
        self.sampler: Callable[[], list[tuple[str, float]]] | None = None
        """Gives scalars of the moment, as of the machine; called in the thread, now and then while training goes on."""
        self.seconds = 0.0
        """What the thread has worked so far, of a core."""
        self._begun = time.monotonic()
        self._sampled_at, self._sampled_step = -math.inf, -1
        self._thread = threading.Thread(target=self._work, name="run-file-writer", daemon=True)
        self._thread.start()

    def call_at_stop(self, call: Callable[[], None] | None) -> None:
        """Have `call` called, in this thread and again, while a command to stop is there that nobody has obeyed; None:
        not any more."""
        self._at_stop = call

    def has_room(self) -> bool:
        """Whether `put` would return at once. Only one thread hands over records, so it still holds when it does."""
        self.raise_error()
        return not self._queue.full()

    def put(self, record: Records | Callable[[], Records]) -> None:
        """Hand over records, or what makes them in the thread, waiting for room where there is none."""
        self._put(record)

    def set_status(self, status: Status, reason: str = "", **columns: str | int | float | None) -> None:
        """Write the run's status after all that was handed over before."""
        self._put({"status": status, "reason": reason, **columns})

    def flush(self, *, sync: bool = False) -> None:
        """Return when everything handed over is committed; with `sync`, when it also survives a loss of power."""
        done = _Synced() if sync else threading.Event()
        self._put(done)
        while not done.wait(0.05):
            self.raise_error()
        self.raise_error()

    def close(self) -> None:
        """Commit what is left and close the file."""
        if self._thread.is_alive():
            self._queue.put(None)
        self._thread.join()
        self._writer.close()
        self.raise_error()

    def _put(self, item: _Item) -> None:
        while True:
            self.raise_error()
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def raise_error(self) -> None:
        """RunFailedError if the writer had to stop."""
        if isinstance(self._error, sqlite3.Error | OSError):
            resume = f"; fix the cause, then: condense-tui runs resume {self._file.parent.name}"
            raise RunFailedError(f"the run file cannot be written: {self._error}{resume if self._resumable else ''}")
        if self._error is not None:
            raise RunFailedError(f"the measurements cannot be recorded: {type(self._error).__name__}: {self._error}")

    def _work(self) -> None:
        next_beat = 0.0
        try:
            while True:
                try:
                    item = self._queue.get(timeout=COMMAND_POLL_S)
                except queue.Empty:
                    item = {}
                if item is None:
                    self._beat()
                    return
                self._do(item)
                self.seconds = time.thread_time()
                self.commands.extend(self._writer.take_commands())
                at_stop = self._at_stop
                if at_stop is not None and any(command.verb == "stop" for command in list(self.commands)):
                    at_stop()
                self._sample()
                if time.monotonic() >= next_beat:
                    self._beat()
                    next_beat = time.monotonic() + HEARTBEAT_S
        except BaseException as error:  # noqa: BLE001 - raised again in the training thread, at its next call
            self._error = error

    def _do(self, item: _Item) -> None:
        if callable(item):
            item = item()
        if isinstance(item, StepRecord):
            self._writer.append(item)
        elif isinstance(item, list):
            self._writer.append(*item)
        elif isinstance(item, threading.Event):
            if isinstance(item, _Synced):
                self._writer.sync()
            item.set()
        elif item:
            step, seconds = self.progress
            self._writer.update(**{"step": step, "seconds": seconds, "heartbeat": time.time(), **item})

    def _sample(self) -> None:
        now, step = time.monotonic(), self.progress[0]
        every = max(SAMPLE_S, SAMPLE_SHARE * (now - self._begun))
        if self.sampler is None or now - self._sampled_at < every or step == self._sampled_step:
            return
        self._sampled_at, self._sampled_step = now, step
        scalars = [(name, rounded(value, CLOCK)) for name, value in self.sampler()]
        if scalars:
            self._writer.append(StepRecord(step, scalars, [], []))

    def _beat(self) -> None:
        if not self._file.exists():
            # its pages are still ours to write, but nobody could ever read them
            raise FileNotFoundError(f"{self._file} was removed")
        step, seconds = self.progress
        self._writer.update(step=step, seconds=seconds, heartbeat=time.time())
