"""Steering a worker from outside: commands through the run file, and the lock that says whether one is alive.

The lock is an advisory lock on the run's folder: the kernel drops it however the worker ends, so nothing can be stale.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from condense_core.errors import RunFileError
from condense_core.foreign import decoding
from condense_core.runfile.schema import FILE_NAME, writer

Verb = Literal["pause", "resume", "stop", "checkpoint"]
VERBS: tuple[str, ...] = get_args(Verb)

# A liveness test holds the lock for microseconds; a worker that meets one tries again within this time.
LOCK_PATIENCE_S = 2.0
# Of a folder's path, which systems bound by less.
LONGEST_PLACE = 8_192


def send(folder: Path, verb: Verb, argument: str = "") -> None:
    """Leave a command for the run's worker, which takes it within a fraction of a second."""
    if verb not in VERBS:
        raise RunFileError(f"unknown command {verb!r}; expected one of {', '.join(VERBS)}")
    with (
        writer(folder / FILE_NAME) as connection,
        decoding(RunFileError, f"cannot send {verb!r} to {folder.name}"),
    ):
        connection.execute(
            "INSERT INTO command (verb, argument, sent_at) VALUES (?, ?, ?)", (verb, argument, time.time())
        )


def log(text: str) -> None:
    """Write lines to standard error, which is a worker's log. It may lie on the disk that is full: then they are lost,
    and whoever writes them goes on to record how the run ended."""
    with contextlib.suppress(OSError):
        if sys.stderr is not None:
            # past Python's buffer, which would be written once more when the process ends, and change its status
            os.write(sys.stderr.fileno(), f"{text.rstrip()}\n".encode("utf-8", "backslashreplace"))


def record_failure(folder: Path, reason: str) -> None:
    """Write that the run failed, for a worker whose writer could not; the log says it in any case."""
    log(reason)
    record_end(folder, "failed", reason)


def record_end(folder: Path, status: Literal["failed", "stopped"], reason: str) -> None:
    """Write how the run ended, for a worker that has no writer."""
    file = folder / FILE_NAME
    try:
        with writer(file) as connection:
            connection.execute("UPDATE run SET status = ?, reason = ?, heartbeat = ?", (status, reason, time.time()))
    except RunFileError as error:
        log(f"{reason} ({error})")


def say_stage(folder: Path, stage: str) -> None:
    """Write what a run that starts waits for, for a worker that has no writer yet. Where it cannot be written the run
    starts nevertheless, and the log says why."""
    try:
        with writer(folder / FILE_NAME) as connection:
            connection.execute(
                "UPDATE run SET reason = ?, heartbeat = ? WHERE status = 'starting'", (stage, time.time())
            )
    except RunFileError as error:
        log(str(error))


def worker_is_alive(folder: Path) -> bool:
    """Whether a worker on this machine holds the run."""
    with _locked(folder, fcntl.LOCK_SH) as free:
        return free is None


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[int]:
    """Be the run's only worker for the length of the block; RunFileError if there is one already. The descriptor has
    the lock: processes that have it too hold the run until all of them have closed it."""
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while True:
        with _locked(folder, fcntl.LOCK_EX) as descriptor:
            if descriptor is not None:
                yield descriptor
                return
        if time.monotonic() > deadline:
            raise RunFileError(f"{folder.name} is already being trained by another worker")
        time.sleep(0.02)


def hand_over(folder: Path, log: int, channel: socket.socket) -> None:
    """Make the process at the other end the run's only worker, and give it the open log; RunFileError if there is one
    already, OSError where that process has ended. From then on it holds the run, whether it has heard of it or not."""
    with hold(folder) as descriptor:
        socket.send_fds(channel, [os.fsencode(folder.resolve()) + b"\0"], [descriptor, log])


def take_over(channel: socket.socket) -> tuple[Path, int, int] | None:
    """Wait for a run that is handed over: its folder, the descriptor that holds it while it is open, and that of its
    log. None where whoever would have given it has ended."""
    place, descriptors = b"", list[int]()
    while not place.endswith(b"\0"):
        part, passed, _, _ = socket.recv_fds(channel, LONGEST_PLACE, 2)
        if not part:
            return None
        place, descriptors = place + part, descriptors + passed
    held, log = descriptors
    return Path(os.fsdecode(place[:-1])), held, log


@contextlib.contextmanager
def _locked(folder: Path, operation: int) -> Iterator[int | None]:
    """The descriptor that has the lock; None where somebody else has it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise RunFileError(f"no run at {folder}: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield descriptor
    finally:
        os.close(descriptor)
