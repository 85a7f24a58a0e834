"""What has happened to a run since it was last looked at, and is worth telling whoever looks elsewhere."""

from __future__ import annotations

from typing import NamedTuple

from condense_core.preferences import Occasion
from condense_tui.draw import numbers, verdict
from condense_tui.draw.status import sign_of
from condense_tui.snapshots.snapshot import Snapshot


class Notice(NamedTuple):
    """Something that has just happened, in words."""

    of: Occasion
    text: str


class News:
    """Compares each snapshot of a run with the one before. What had happened when the run was opened is no news,
    wherever the playhead goes."""

    def __init__(self) -> None:
        self._active: bool | None = None
        self._events = 0
        self._condensed: set[str] = set()

    def of(self, snapshot: Snapshot) -> list[Notice]:
        """What is new in a snapshot."""
        run, found = snapshot.header, list[Notice]()
        was_active, self._active = self._active, run.active
        for event in snapshot.events[self._events :]:
            layer = event.text.partition(" condensed")[0]
            if event.kind != "condensed" or layer in self._condensed:
                # of many seeds the first in which a layer has condensed
                continue
            self._condensed.add(layer)
            # earlier rows of a run elsewhere come after later ones
            if was_active and not run.missing:
                found.append(Notice("condensed", f"{run.name}: {event.text}"))
        self._events = len(snapshot.events)
        if was_active and not run.active:
            where = f"{run.name} {sign_of(run.status).word} at step {numbers.progress(run.step, run.steps)}"
            because = f": {run.reason}" if run.reason else ""
            claim = snapshot.claim_at_end or snapshot.claim
            judged = f" · claim {verdict.verdict(claim)}" if claim is not None and run.status == "done" else ""
            found.append(Notice("diverged" if run.status == "diverged" else "end", where + (because or judged)))
        return found


def title_of(snapshot: Snapshot) -> str:
    """A run with its step and state, for the terminal's title."""
    run = snapshot.header
    state = run.away or sign_of(run.status).word
    return f"{run.name} · {state} · step {numbers.progress(run.step, run.steps)}"
