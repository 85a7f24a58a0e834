"""What a run says of itself in one row, and what its status means to somebody looking."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import sqlite3
import time
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from condense_core.errors import RunFileError
from condense_core.foreign import LONGEST_SCENARIO, open_file
from condense_core.machine import machine_of
from condense_core.runfile.beats import silence
from condense_core.runfile.control import worker_is_alive
from condense_core.runfile.rows import DamagedError, Moment, Seq, Step, converted
from condense_core.runfile.schema import FILE_NAME, has_table, log_is_missing, open_reader, reading, version_of
from condense_core.runfile.status import ACTIVE, Status
from condense_core.text import printable

# The worker's writer beats once a second; ten missed beats are no hiccup of a busy disk.
HEARTBEAT_S = 1.0
LOST_AFTER_S = 10.0
# Between a run's making and its worker's taking the lock a bare Python starts; a minute only where a cluster is cold.
START_GRACE_S = 10.0
COLD_GRACE_S = 60.0
LOG_NAME = "worker.log"
CHECKPOINT_NAME = "checkpoint.safetensors"
# Below this a run file cannot grow by a frame.
LEAST_SPACE = 100_000
# The end of a log that is looked at for why a worker went.
LOG_TAIL = 2_000
# Characters of a text about a run that are shown: a worker's reason may be long, and travels over the wire.
LONGEST_TEXT = 2_000


Trainer = Literal["engine", "watch", "import"]
"""Who trains: this program's engine, or somebody's own script, which is watched; `import`: it was trained elsewhere."""
RunAbility = Literal["pause", "stop", "resume", "reduce", "new"]
"""What can be done with a run: `new`, train another from its settings."""
EVERYTHING: tuple[RunAbility, ...] = get_args(RunAbility)

LinkState = Literal["connected", "connecting", "offline"]


class Mirror(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of a run that is recorded elsewhere: where, and how the connection is.

    `host` is the name that its user gave it. `delay` is the last round trip in seconds, `heard` the time here when the
    host last said anything, `trouble` why there is no connection, `missing` how many rows are still to come.
    """

    host: str
    link: LinkState
    delay: float | None
    heard: Moment
    trouble: str
    missing: Seq


class RunInfo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The run's row, with the status as a reader sees it. Times are seconds since the epoch; `seconds` was trained."""

    id: str
    name: str
    preset: str
    experiment: Annotated[str, Meta(max_length=LONGEST_SCENARIO)]
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    revision: str
    versions: Annotated[dict[str, str], Meta(max_length=100)]
    device: str
    host: str
    pid: Seq | None
    status: Status
    reason: str
    steps: Step | None
    """None where nobody knows how far it goes."""
    step: Step
    seconds: Moment
    created: Moment
    heartbeat: Moment
    trainer: Trainer = "engine"
    can: Annotated[tuple[RunAbility, ...], Meta(max_length=10)] = EVERYTHING
    mirror: Mirror | None = None
    """None for a run of this machine."""

    @property
    def active(self) -> bool:
        """A worker is at it, as far as can be told."""
        return self.status in ACTIVE


COLUMNS = tuple(name for name in RunInfo.__struct_fields__ if name != "mirror")
# Columns that files of older versions do not have, whose runs the engine trained.
_SINCE_3 = ("trainer", "can")


def columns_of(version: int) -> tuple[str, ...]:
    """Columns of the run's row in a file of that version."""
    return COLUMNS if version >= 3 else tuple(name for name in COLUMNS if name not in _SINCE_3)


@functools.cache
def _query(version: int) -> tuple[tuple[str, ...], str]:
    columns = columns_of(version)
    return columns, f"SELECT {', '.join(columns)} FROM run"


def has_checkpoint(info: RunInfo, place: Path) -> bool:
    """Whether the run in that folder goes on from a checkpoint where it is resumed, and not from its start; of one on
    another machine, which has it there, True."""
    return info.mirror is not None or (place / CHECKPOINT_NAME).is_file()


def read_run(place: Path) -> RunInfo:
    """The row of the run in a folder, or in a file by itself; RunFileError as from `read_info`."""
    alone = not place.is_dir()
    with contextlib.closing(open_reader(place if alone else place / FILE_NAME, alone=alone)) as connection:
        return read_info(connection, place)


def read_info(connection: sqlite3.Connection, folder: Path) -> RunInfo:
    """The run's row; RunFileError if it is missing or not of the right types."""
    with reading(folder):
        columns, query = _query(version_of(connection))
        values = _row(connection.execute(query), columns)
        if values is None:
            raise RunFileError(
                f"{folder} holds an empty run file, which was never started;"
                f" to remove it: condense-tui runs rm {folder.name}"
            )
        for name in ("versions", "can"):
            if name in values:
                try:
                    values[name] = msgspec.json.decode(values[name])
                except (msgspec.DecodeError, TypeError) as error:
                    raise DamagedError(f"run.{name}: {error}") from None
        mirror = _read_mirror(connection, folder)
        if mirror is None and os.path.isfile(f"{folder}/{FILE_NAME}"):  # noqa: PTH113 - for each of thousands in a list
            # not a file that lies somewhere by itself; a folder that was copied or renamed is a run of its own, by the
            # name by which it can be found
            values["id"] = folder.name
        info = shown(converted(values, RunInfo, "run"))
        cut = (
            info.active
            # one whose worker has not begun has no rows that could be missing
            and info.status != "starting"
            and log_is_missing(connection)
            and not worker_is_alive(folder if folder.is_dir() else folder.parent)
        )
    if cut:
        # nobody writes a file whose log is gone
        missing = f"its log ({FILE_NAME}-wal) is not here: what was recorded after step {info.step} is missing"
        info = msgspec.structs.replace(info, status=info.status if mirror else "lost", reason=missing)
    if mirror is not None:
        # its status is what the far side saw
        return msgspec.structs.replace(info, mirror=mirror)
    status = seen_status(info, folder)
    # what a worker that starts says it is at is no reason of its end
    begun = info.status == "starting"
    reason = info.reason
    if status == "lost" and (begun or not reason):
        reason = _why_lost(folder) or (f"while {reason}" if reason else "")
    unchanged = status == info.status and reason == info.reason
    return info if unchanged else msgspec.structs.replace(info, status=status, reason=reason)


def shown(info: RunInfo) -> RunInfo:
    """A row that came from a file or from another machine, with texts that can be shown, and of no mirror here."""
    own = (info.id, info.name, info.preset, info.revision, info.device, info.host, info.status, info.reason)
    joined = "".join((*own, info.trainer, *info.versions, *info.versions.values()))
    if info.mirror is None and joined.isascii() and joined.isprintable() and len(joined) <= LONGEST_TEXT:
        # as nearly all of thousands in a list
        return info
    texts = (name for name in COLUMNS if name != "experiment" and isinstance(getattr(info, name), str))
    found: dict[str, Any] = {name: _shown(getattr(info, name)) for name in texts}
    versions = {_shown(name): _shown(version) for name, version in info.versions.items()}
    return msgspec.structs.replace(info, mirror=None, versions=versions, **found)


def _shown(text: str) -> str:
    return printable(text[:LONGEST_TEXT])


def _row(cursor: sqlite3.Cursor, columns: tuple[str, ...]) -> dict[str, Any] | None:
    row = cursor.fetchone()
    return None if row is None else dict(zip(columns, row, strict=True))


def _read_mirror(connection: sqlite3.Connection, folder: Path) -> Mirror | None:
    """What a mirror's file says of its connection; None if the run was recorded here."""
    if not has_table(connection, "mirror"):
        return None
    cursor = connection.execute(
        "SELECT host, link, delay, heard, trouble, (SELECT ifnull(sum(last - after), 0) FROM hole) FROM mirror"
    )
    values = _row(cursor, Mirror.__struct_fields__)
    if values is None:
        raise DamagedError("mirror: no row")
    found = converted(values, Mirror, "mirror")
    # whoever keeps the mirror holds its folder, as a worker does; without anybody there is no connection
    link = found.link if folder.is_dir() and worker_is_alive(folder) else "offline"
    return msgspec.structs.replace(found, host=_shown(found.host), trouble=_shown(found.trouble), link=link)


def _why_lost(folder: Path) -> str:
    """What is known of why a worker went without a word in the run file; empty if nothing is."""
    words = last_words(folder / LOG_NAME)
    if words:
        return words
    import shutil

    try:
        full = shutil.disk_usage(folder).free < LEAST_SPACE
    except OSError:
        return ""
    return f"the disk of {folder} is full" if full else ""


def last_words(log: Path) -> str:
    """The last line that a worker wrote to its log; empty if it wrote nothing, or there is no log to be read."""
    try:
        with open_file(log) as file:
            file.seek(max(0, log.stat().st_size - LOG_TAIL))
            lines = file.read(LOG_TAIL).decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return printable(lines[-1]) if lines else ""


def seen_status(info: RunInfo, folder: Path) -> Status:
    """`lost` for an active run whose worker is gone: known by its lock on this machine, elsewhere by a heartbeat that
    does not change (`beats`)."""
    if info.status not in ACTIVE:
        return info.status
    if machine_of(info.host) == socket.gethostname():
        # one machine, one clock
        started = time.time() - info.heartbeat < START_GRACE_S
        gone = not worker_is_alive(folder) and not (info.status == "starting" and started)
    else:
        limit = COLD_GRACE_S if info.status == "starting" else LOST_AFTER_S
        gone = silence(folder / FILE_NAME if folder.is_dir() else folder, info.heartbeat, limit) > limit
    return "lost" if gone else info.status
