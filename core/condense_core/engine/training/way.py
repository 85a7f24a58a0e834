"""The way in which a run's steps were taken so far, for whoever goes on with it, and what of it is another now.

A checkpoint names the way. Before the first one a run that is resumed repeats itself from step 0, and what was recorded
stays, so that it must repeat itself in the way of that: it stands in the event `started`.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import re

import torch

from condense_core.engine import checkpoint
from condense_core.engine.training import device
from condense_core.runfile.info import RunInfo
from condense_core.runfile.reader import RunReader

STARTED = "started"
_STARTED = re.compile(r"training on (?:cpu .*?, \d+ threads?|cuda:\d+ [^,]*), (?P<way>.+) steps")
# Of those that a run notes, libraries whose versions may round otherwise.
_LIBRARIES = {"torch": "PyTorch", "numpy": "NumPy"}


def started(chosen: torch.device, way: str) -> str:
    """What the event says."""
    return f"training on {device.describe(chosen)}, {way} steps"


def way_so_far(run: RunReader) -> str | None:
    """The name of the way in which the checkpoint was trained, or without one what is recorded; None where nothing is,
    or it is not known: it may be chosen."""
    of_checkpoint = checkpoint.steps(run.folder)
    if of_checkpoint is not None:
        return of_checkpoint
    # a worker that died before it had recorded anything is of no account
    newest = run.newest_seq
    begun = [event.text for event in run.events if event.kind == STARTED and event.seq < newest]
    found = _STARTED.fullmatch(begun[-1]) if begun else None
    return None if found is None else found["way"]


def repeated(recorded_to: int) -> str:
    """What is said of a run that repeats itself up to the end of its recording."""
    return f"from step 0, since there is no checkpoint; what was recorded up to step {recorded_to} stays as it is"


def another(info: RunInfo, before: str | None, way: str, chosen: torch.device) -> str:
    """What is another than so far, to be added to words about a run that goes on; empty where nothing is. `info` is
    the run's row as it was, `before` and `way` name the ways of steps."""
    found = []
    if before and before != way:
        found.append(f"{way} steps in place of {before} steps")
    device_before, device_now = (device.without_threads(words) for words in (info.device, device.describe(chosen)))
    # before a run first trains it has the device that was asked for, by its kind alone
    if " " in device_before and device_before != device_now:
        found.append(f"{device_now} in place of {device_before}")
    for package, name in _LIBRARIES.items():
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            version = importlib.metadata.version(package)
            noted = info.versions.get(package, version)
            if noted != version:
                found.append(f"{name} {version} in place of {noted}")
    return f"; now {', '.join(found)}: the last digits may differ" if found else ""
