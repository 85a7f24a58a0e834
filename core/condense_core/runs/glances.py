"""Glances at all runs of a folder, kept from one look to the next, and of thousands from one program to the next.

A run that is trained is read at every look. Of others it is looked whether their files have changed: of those on the
first screen and those that have just been written at every look, of old ones now and then. That costs what hundreds of
runs cost, however many there are; a run that is made, and one that is removed, shows in the folder of all.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from condense_core.runfile.info import RunInfo
from condense_core.runs import glance as glancing
from condense_core.runs.about_run import NOTHING, AboutRun
from condense_core.runs.glance import Glance, LayerGlance, no_base
from condense_core.runs.kept import Kept, Signature, clean, lasts, signature
from condense_core.runs.label import PresetBase
from condense_core.runs.place import run_names

# Runs at the top of the list, which are looked at every time.
SCREENFUL = 50
# A run that lies still is looked at again after this share of the time for which it has, and after so long at most.
REST_S, REST_SHARE = 30.0, 0.05
# How long a folder is watched for a run file that is not there yet.
YOUNG_S = 60.0
# The time of a folder may not change with what follows within so long; and some file systems tell it late.
SETTLED_S, LIST_AGAIN_S = 2.0, 30.0


class KeptGlance(msgspec.Struct, frozen=True, array_like=True):
    """A glance without what only says where it is."""

    info: RunInfo
    loss: tuple[float, ...]
    layers: tuple[LayerGlance, ...]
    about: AboutRun = NOTHING
    differs: tuple[str, ...] = ()


class _Known:
    """What was read of one run, and when it is looked at next."""

    __slots__ = ("due", "found", "name", "signature", "since")

    def __init__(self, name: str, now: float) -> None:
        self.name = name
        self.signature: Signature | None = None
        self.found: Glance | None = None
        self.since = self.due = now


class Glances:
    """Use it from one thread."""

    def __init__(self, runs: Path, base: PresetBase = no_base) -> None:
        """`base` gives the presets' scenarios, by which runs are called."""
        self._runs, self._base = runs, base
        self._known: dict[str, _Known] = {}
        self._order: list[_Known] = []
        self._folder_time = -1
        self._settles = self._listed = 0.0
        # what is kept of runs has their labels in it
        self._kept: Kept[KeptGlance] = Kept(runs, "glances" if base is not no_base else "glances-plain", KeptGlance)

    def look(self, *, every: bool = True) -> Iterator[Glance]:
        """All runs, the newest first, each read only where it may have changed. Without `every`, old ones are looked at
        now and then."""
        self._list()
        now = time.monotonic()
        if not every:
            due = (known for known in self._order[SCREENFUL:] if known.due <= now)
            for known in (*self._order[:SCREENFUL], *due):
                self._look_at(known, now)
        for known in self._order:
            if every:
                self._look_at(known, now)
            if known.found is not None:
                yield known.found
        self._kept.write(self._known.keys())

    def _list(self) -> None:
        """The names of all runs, listed anew where one may have come or gone."""
        now = time.monotonic()
        try:
            written = os.stat(self._runs).st_mtime_ns  # noqa: PTH116 - as often as a list is shown
        except (FileNotFoundError, NotADirectoryError):
            written = 0
        if written != self._folder_time:
            self._folder_time, self._settles = written, now + SETTLED_S
        elif now >= self._settles and now < self._listed + LIST_AGAIN_S:
            return
        self._listed = now
        before = self._known
        self._order = [before.get(name) or _Known(name, now) for name in run_names(self._runs)]
        self._known = {known.name: known for known in self._order}

    def _look_at(self, known: _Known, now: float) -> None:
        folder = f"{self._runs}/{known.name}"
        try:
            seen: Signature | None = signature(folder)
        except OSError:
            # whoever reads it says why
            seen = None
        if seen is not None and not any(seen[:2]):
            # no run, or not yet
            known.found = known.signature = None
            known.due = now if now < known.since + YOUNG_S else now + REST_S
            return
        active = known.found is not None and known.found.info is not None and known.found.info.active
        if known.found is None or seen is None or seen != known.signature or active:
            known.found, known.signature = self._read(known.name, Path(folder), seen), seen
        known.due = now + _rest(known)

    def _read(self, name: str, folder: Path, before: Signature | None) -> Glance:
        kept = None if before is None else self._kept.get(name, before)
        if kept is not None and _is_clean(kept):
            info, loss, layers, about, differs = msgspec.structs.astuple(kept)
            return Glance(folder=folder, info=info, loss=loss, layers=layers, about=about, differs=differs)
        found = glancing.glance(folder, self._base)
        info = found.info
        if before is not None and info is not None and lasts(info) and not found.trouble:
            known = KeptGlance(info, found.loss, found.layers, found.about, found.differs)
            self._kept.put(name, before, signature(str(folder)), known)
        return found


def _is_clean(kept: KeptGlance) -> bool:
    about = kept.about
    words = (about.name, about.note, *about.tags, about.sweep, *kept.differs)
    return clean(kept.info, *(layer.name for layer in kept.layers), *words)


def _rest(known: _Known) -> float:
    """How long a run need not be looked at."""
    found, seen = known.found, known.signature
    if seen is None or found is None or found.info is None or found.info.active:
        return 0.0
    age = time.time() - max(seen[0], seen[2], seen[4]) / 1e9
    return min(REST_S, max(0.0, REST_SHARE * age))
