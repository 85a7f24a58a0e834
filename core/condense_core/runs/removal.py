"""Deleting a run and everything it recorded, where nobody trains or watches it."""

from __future__ import annotations

from pathlib import Path

from condense_core.errors import RunFileError
from condense_core.runfile import control
from condense_core.runfile.info import read_run
from condense_core.runs import place


def remove_ended(folder: Path) -> str:
    """Delete the run in a folder, also one whose file cannot be read; of a copy of a run on another machine, the host
    that still has it, else nothing. RunFileError where it trains or is watched."""
    alive = control.worker_is_alive(folder)
    still_on = ""
    try:
        info = read_run(folder)
    except RunFileError:
        # it can be removed all the same
        pass
    else:
        alive = alive or (info.mirror is None and info.active)
        still_on = "" if info.mirror is None else info.mirror.host
    if alive and place.is_mirror(folder):
        raise RunFileError(f"{folder.name} is being watched; close that viewer first")
    if alive:
        raise RunFileError(f"{folder.name} is still training; stop it first: condense-tui runs stop {folder.name}")
    place.remove_run(folder)
    return still_on
