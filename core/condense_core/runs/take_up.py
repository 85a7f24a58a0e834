"""Going on with a run that somebody's own script trains: what it says of itself, and marking it as begun. No torch."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from condense_core.errors import RunFileError
from condense_core.machine import here
from condense_core.runfile import control
from condense_core.runfile.info import RunAbility, RunInfo, read_info
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runs import place
from condense_core.scenario.watched import Watched


class TakenUp(NamedTuple):
    """What there is of a watched run that is over: its row, what was watched, and the last step of any row."""

    info: RunInfo
    watched: Watched
    upto: int


def watched_folder(runs: Path, name: str | Path) -> Path:
    """The folder of a run: by its id or name, or part of one, by its folder, or by the run file in it."""
    path = Path(name).expanduser()
    if path.name == FILE_NAME and path.is_file():
        return path.parent
    if (path / FILE_NAME).is_file():
        return path
    return place.find_run(runs, str(name))


def recorded(folder: Path) -> TakenUp:
    """What the run has; RunFileError for one that nobody can go on with."""
    with RunReader(folder) as run:
        info, subject, upto = run.info(), run.subject, run.last_step
    _refuse(info, folder)
    if not isinstance(subject, Watched):
        raise _not_watched(folder.name)
    return TakenUp(info, subject, upto)


def take_up(folder: Path, *, can: Sequence[RunAbility], steps: int | None = None) -> RunInfo:
    """Mark the run as starting, for whoever records it from now on; its row as it was before. RunFileError as from
    `recorded`."""
    with writer(folder / FILE_NAME) as connection:
        # whoever takes it up at the same time waits here, and then finds it starting
        connection.execute("BEGIN IMMEDIATE")
        before = read_info(connection, folder)
        _refuse(before, folder)
        # what was asked of its former training was not meant for this one
        connection.execute("UPDATE command SET taken_at = ? WHERE taken_at IS NULL", (time.time(),))
        connection.execute(
            "UPDATE run SET status = 'starting', reason = '', heartbeat = ?, host = ?, pid = NULL, can = ?,"
            " steps = ifnull(?, steps)",
            (time.time(), here(), json.dumps(list(can)), steps),
        )
        connection.execute("COMMIT")
    return before


def put_back(folder: Path, before: RunInfo) -> None:
    """Undo `take_up`, where nobody recorded anything after it."""
    with writer(folder / FILE_NAME) as connection:
        # lost is what an active run is seen to be that nobody records
        status = "running" if before.status == "lost" else before.status
        connection.execute("UPDATE run SET status = ?, reason = ?", (status, before.reason))


def _refuse(info: RunInfo, folder: Path) -> None:
    name = folder.name
    if info.trainer != "watch":
        raise _not_watched(name)
    if info.mirror is not None:
        raise RunFileError(f"{name} is a copy of a run on {info.mirror.host}; only there somebody can go on with it")
    if info.active:
        raise RunFileError(f"{name} is {info.status}, and one training at a time is recorded in it")
    if control.worker_is_alive(folder):
        raise RunFileError(f"{name} is still being ended by its recorder; try again in a moment")


def _not_watched(name: str) -> RunFileError:
    return RunFileError(f"{name} was trained by the engine; to go on with it: condense-tui runs resume {name}")
