"""What a run says of itself in one row, and what its status means to somebody looking."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import time
from pathlib import Path
from typing import Literal

import msgspec

from condense_core.errors import RunFileError
from condense_core.runfile.control import worker_is_alive
from condense_core.runfile.schema import has_table
from condense_core.runfile.status import ACTIVE, Status
from condense_core.text import printable

# The worker's writer beats once a second; ten missed beats are no hiccup of a busy disk.
HEARTBEAT_S = 1.0
LOST_AFTER_S = 10.0
# Between a run's making and its worker's taking the lock a bare Python starts; a minute only where a cluster is cold.
START_GRACE_S = 10.0
COLD_GRACE_S = 60.0
LOG_NAME = "worker.log"
# Below this a run file cannot grow by a frame.
LEAST_SPACE = 100_000
# The end of a log that is looked at for why a worker went.
LOG_TAIL = 2_000


LinkState = Literal["connected", "connecting", "offline"]


class Mirror(msgspec.Struct, frozen=True, kw_only=True):
    """Of a run that is recorded elsewhere: where, and how the connection is.

    `host` is the name that its user gave it. `delay` is the last round trip in seconds, `heard` the time here when the
    host last said anything, `trouble` why there is no connection, `missing` how many rows are still to come.
    """

    host: str
    link: LinkState
    delay: float | None
    heard: float
    trouble: str
    missing: int


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The run's row, with the status as a reader sees it. Times are seconds since the epoch; `seconds` was trained."""

    id: str
    name: str
    preset: str
    experiment: str
    seed: int
    revision: str
    versions: dict[str, str]
    device: str
    host: str
    pid: int | None
    status: Status
    reason: str
    steps: int
    step: int
    seconds: float
    created: float
    heartbeat: float
    mirror: Mirror | None = None
    """None for a run of this machine."""

    @property
    def active(self) -> bool:
        """A worker is at it, as far as can be told."""
        return self.status in ACTIVE


COLUMNS = tuple(name for name in RunInfo.__struct_fields__ if name != "mirror")


def read_info(connection: sqlite3.Connection, folder: Path) -> RunInfo:
    """The run's row; RunFileError where it is missing or not of the right types."""
    try:
        row = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM run").fetchone()
    except sqlite3.Error as error:
        # of text that is none SQLite repeats all there is
        raise RunFileError(f"cannot read {folder}: it is damaged ({str(error).partition(' with text ')[0]})") from None
    if row is None:
        raise RunFileError(
            f"{folder} holds an empty run file; it was never started: condense-tui runs rm {folder.name}"
        )
    values = dict(zip(COLUMNS, row, strict=True))
    try:
        values["versions"] = msgspec.json.decode(values["versions"], type=dict[str, str])
        info = msgspec.convert(values, RunInfo)
    except (msgspec.MsgspecError, TypeError) as error:
        raise RunFileError(f"{folder} is damaged: {error}") from None
    info = shown(info)
    mirror = _read_mirror(connection, folder)
    if mirror is not None:
        # its status is what the far side saw
        return msgspec.structs.replace(info, mirror=mirror)
    status = seen_status(info, folder)
    reason = _why_lost(folder) if status == "lost" and not info.reason else info.reason
    return msgspec.structs.replace(info, status=status, reason=reason)


def shown(info: RunInfo) -> RunInfo:
    """A row that came from a file or from another machine, with texts that can be shown, and of no mirror here."""
    texts = (name for name in COLUMNS if name != "experiment" and isinstance(getattr(info, name), str))
    return msgspec.structs.replace(info, mirror=None, **{name: printable(getattr(info, name)) for name in texts})


def _read_mirror(connection: sqlite3.Connection, folder: Path) -> Mirror | None:
    """What a mirror's file says of its connection; None where the run was recorded here."""
    try:
        if not has_table(connection, "mirror"):
            return None
        row = connection.execute(
            "SELECT host, link, delay, heard, trouble, (SELECT ifnull(sum(last - after), 0) FROM hole) FROM mirror"
        ).fetchone()
        found = msgspec.convert(dict(zip(Mirror.__struct_fields__, row or (), strict=True)), Mirror)
    except (sqlite3.Error, msgspec.MsgspecError, ValueError, TypeError) as error:
        raise RunFileError(f"cannot read {folder}: {error}") from None
    # whoever keeps the mirror holds its folder, as a worker does; without anybody there is no connection
    link = found.link if folder.is_dir() and worker_is_alive(folder) else "offline"
    return msgspec.structs.replace(found, host=printable(found.host), trouble=printable(found.trouble), link=link)


def _why_lost(folder: Path) -> str:
    """What is known of why a worker went without a word in the run file; empty where nothing is."""
    words = _last_words(folder / LOG_NAME)
    if words:
        return words
    try:
        full = shutil.disk_usage(folder).free < LEAST_SPACE
    except OSError:
        return ""
    return f"the disk of {folder} is full" if full else ""


def _last_words(log: Path) -> str:
    """The last line that a worker wrote to its log; empty where it wrote nothing, or there is no log to be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LOG_TAIL))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return printable(lines[-1]) if lines else ""


def seen_status(info: RunInfo, folder: Path, now: float | None = None) -> Status:
    """`lost` for an active run whose worker is gone: known by its lock on this machine, by its heartbeat elsewhere."""
    if info.status not in ACTIVE:
        return info.status
    silent = (time.time() if now is None else now) - info.heartbeat
    if info.host == socket.gethostname():
        gone = not worker_is_alive(folder) and (info.status != "starting" or silent > START_GRACE_S)
    else:
        gone = silent > (COLD_GRACE_S if info.status == "starting" else LOST_AFTER_S)
    return "lost" if gone else info.status
