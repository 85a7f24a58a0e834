"""Glances at all runs of a folder, kept from one look to the next, and of thousands from one program to the next.

A run that is trained is read at every look. Of others it is looked whether their files have changed: of those on the
first screen and those that have just been written at every look, of old ones now and then. That costs what hundreds of
runs cost, however many there are; a run that is made, and one that is removed, shows in the folder of all.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from condense_core.runs.glance import Glance, no_base
from condense_core.runs.kept import WORTH_PROCESSES, Kept, Signature
from condense_core.runs.label import PresetBase
from condense_core.runs.place import run_names
from condense_core.runs.read_run import KeptGlance, Lasting, read

if TYPE_CHECKING:
    from condense_core.runs.judged import ClaimOfRun

# Runs at the top of the list, which are looked at every time.
SCREENFUL = 50
# A run that lies still is looked at again after this share of the time for which it has, and after so long at most.
REST_S, REST_SHARE = 30.0, 0.05
# How long a folder is watched for a run file that is not there yet.
YOUNG_S = 60.0
# The time of a folder may not change with what follows within so long; and some file systems tell it late.
SETTLED_S, LIST_AGAIN_S = 2.0, 30.0


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

    def __init__(
        self, runs: Path, base: PresetBase = no_base, claims: Kept[ClaimOfRun] | None = None, *, forks: bool = False
    ) -> None:
        """`base` gives the presets' scenarios, by which runs are called. Where a run is read, how its claim stands is
        read with it and put into `claims`, if there is such a cache. `forks` where this process may be forked for it,
        as fork.py says."""
        self._runs, self._base, self._claims, self._forks = runs, base, claims, forks
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
        with contextlib.ExitStack() as ahead:
            read_ahead = self._ahead(ahead) if every else iter(())
            fresh: set[str] = set()
            for number, known in enumerate(self._order):
                if every:
                    if number == SCREENFUL:
                        # what a person sees first does not wait for the rest
                        fresh = {name for name, lasting in read_ahead if self._take(self._known[name], lasting, now)}
                    # what was read a moment ago was looked at then
                    if known.name not in fresh:
                        self._look_at(known, now)
                if known.found is not None:
                    yield known.found
        self._kept.write(self._known.keys())

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """How the files of runs were at the last look, by the names of their folders."""
        return {name: known.signature for name, known in self._known.items() if known.signature is not None}

    def _ahead(self, stack: contextlib.ExitStack) -> Iterator[tuple[str, Lasting]]:
        """Have those below the first screen that were never read be read by processes; what these found."""
        unread = [
            known.name for known in self._order[SCREENFUL:] if known.found is None and known.name not in self._kept
        ]
        if len(unread) < WORTH_PROCESSES:
            return iter(())
        from condense_core.runs.ahead import Ahead

        claims = self._claims is not None
        return stack.enter_context(Ahead(self._runs, unread, self._base, claims=claims, forks=self._forks)).found()

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
        try:
            seen: Signature | None = self._kept.signature(known.name)
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
            known.found, known.signature = self._read(known.name, seen), seen
        known.due = now + _rest(known)

    def _read(self, name: str, before: Signature | None) -> Glance:
        folder = self._runs / name
        kept = None if before is None else self._kept.get(name, before)
        if kept is not None and (self._kept.was_put(name) or kept.is_clean):
            return _glance(folder, kept)
        found, lasting = read(folder, self._base, before, claims=self._claims is not None)
        if lasting is not None:
            self._keep(name, lasting)
        return found

    def _take(self, known: _Known, found: Lasting, now: float) -> bool:
        """Have what a process found of a run, unless that may change without its files."""
        self._keep(known.name, found)
        if self._kept.get(known.name, found.after) is not found.glance:
            return False
        known.found, known.signature = _glance(self._runs / known.name, found.glance), found.after
        known.due = now + _rest(known)
        return True

    def _keep(self, name: str, found: Lasting) -> None:
        self._kept.put(name, found.before, found.after, found.glance)
        if self._claims is not None and found.claim is not None:
            self._claims.put(name, found.before, found.after, found.claim)


def _glance(folder: Path, kept: KeptGlance) -> Glance:
    info, loss, layers, about, differs = msgspec.structs.astuple(kept)
    return Glance(folder=folder, info=info, loss=loss, layers=layers, about=about, differs=differs)


def _rest(known: _Known) -> float:
    """How long a run need not be looked at."""
    found, seen = known.found, known.signature
    if seen is None or found is None or found.info is None or found.info.active:
        return 0.0
    age = time.time() - max(seen[0], seen[2], seen[4]) / 1e9
    return min(REST_S, max(0.0, REST_SHARE * age))
