"""The one thread that reads the run file for the screen.

It owns the open file and the playhead. The screen tells it what to change and gets the newest snapshot back; it never
asks the file anything itself, so a slow disk cannot hold up a key press. The next snapshot waits until the one before
is on the screen: a slow terminal gets fewer frames, not late ones.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from textual.message import Message

from condense_core.errors import CondenseError
from condense_core.runfile.control import Verb
from condense_core.runfile.reader import RunReader
from condense_tui.snapshots.assemble import Assembler, View
from condense_tui.snapshots.playhead import Playhead
from condense_tui.snapshots.snapshot import Head

# The most frames a second that are drawn: an eye sees no more of a heatmap, and a thin link carries no more.
FRAMES_PER_SECOND = 10
# A key press is answered sooner than the next live frame is due, yet a held key cannot flood the terminal.
ANSWERS_PER_SECOND = 20
# How often a quiet file is looked at; finding nothing costs some microseconds.
POLL_S = 0.1
# A worker that died changes nothing in the file, so the run's row is looked at now and then all the same.
STATUS_S = 1.0
# A screen that is covered or suspended never says that it has painted; one frame a second is enough for it.
PAINT_PATIENCE_S = 1.0

Change = Callable[[Playhead, Any], Playhead]


class Shown(Protocol):
    """What a screen is handed: a place among frames, and whether more frames will come."""

    @property
    def head(self) -> Head | None: ...

    @property
    def active(self) -> bool: ...

    def same(self, other: Any) -> bool:
        """Nothing that is drawn differs from `other`, which is of the same kind."""


class Source(Protocol):
    """What the thread reads from: one run, or several side by side."""

    def refresh(self) -> bool:
        """Whether anything may be new since the last call."""

    def snapshot(self, playhead: Playhead, view: Any) -> Shown: ...

    def send(self, verb: Verb, argument: str) -> None: ...

    def close(self) -> None: ...


class _Wish(NamedTuple):
    """What the screen has asked for since the thread last looked."""

    changes: list[Change]
    commands: list[tuple[Verb, str]]
    view: Any
    closing: bool


@dataclass
class SnapshotReady(Message):
    """The newest snapshot; one that is still waiting to be handled is replaced by it."""

    snapshot: Any
    """A `Shown`, of the kind that the thread's source gives."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SnapshotReady)


@dataclass
class ReadFailed(Message):
    """The run file cannot be read any more, and why."""

    reason: str


@dataclass
class CommandFailed(Message):
    """A command for the worker could not be left in the run file, and why."""

    reason: str


class ReaderThread(threading.Thread):
    """Polls one run and posts messages through `post`, which must be safe to call from another thread.

    A subclass that shows something else than one run opens another source.
    """

    def __init__(self, place: Path, post: Callable[[Message], object]) -> None:
        super().__init__(name="run-file-reader", daemon=True)
        self.place = place
        self._post = post
        self._wake = threading.Condition()
        self._changes: list[Change] = []
        self._commands: list[tuple[Verb, str]] = []
        self._view: Any = View()
        self._view_changed = False
        self._painted = True
        self._owing = False
        self._closing = False
        self._last: Shown | None = None

    def move(self, change: Change) -> None:
        """Change the playhead: `change(playhead, last snapshot)` gives the new one."""
        with self._wake:
            self._changes.append(change)
            self._wake.notify()

    def look(self, view: Any) -> None:
        """Change what snapshots hold; `view` is what the source understands."""
        with self._wake:
            self._view = view
            self._view_changed = True
            self._wake.notify()

    def send(self, verb: Verb, argument: str = "") -> None:
        """Leave a command for the worker."""
        with self._wake:
            self._commands.append((verb, argument))
            self._wake.notify()

    def painted(self) -> None:
        """The last snapshot is on the screen."""
        with self._wake:
            self._painted = True
            self._wake.notify()

    @property
    def idle(self) -> bool:
        """All wishes are granted, and what came of them is on the screen."""
        with self._wake:
            return self._painted and not (self._changes or self._commands or self._view_changed or self._owing)

    def stop(self) -> None:
        """Have the thread close the file and end, and do not wait for it: the disk may be slow."""
        with self._wake:
            self._closing = True
            self._wake.notify()

    def _open(self) -> Source:
        return Assembler(RunReader(self.place))

    def run(self) -> None:
        try:
            with contextlib.closing(self._open()) as source:
                self._loop(source)
        except CondenseError as error:
            self._post(ReadFailed(str(error)))
        except BaseException as error:
            # a thread that dies silently leaves a screen that looks alive
            self._post(ReadFailed(f"unexpected {type(error).__name__}: {error}; please report this"))
            raise

    def _loop(self, source: Source) -> None:
        playhead = Playhead()
        before = built_at = answered_at = status_due = time.monotonic() - 1
        stale = True
        while True:
            due = max(built_at + 1 / FRAMES_PER_SECOND, answered_at + 1 / ANSWERS_PER_SECOND)
            wish = self._wait(
                answered_at + 1 / ANSWERS_PER_SECOND
                if self._owing
                else due
                if stale or playhead.playing
                else before + POLL_S
            )
            if wish.closing:
                return
            now = time.monotonic()
            self._obey(source, wish.commands)
            moved = self._moved(playhead, now - before, wish.changes)
            before = now
            stale = source.refresh() or stale or self._owing or moved != playhead or now >= status_due
            playhead = moved
            # a live frame that has just been drawn does not hold up the answer to a key; only other answers do
            early = now < answered_at + 1 / ANSWERS_PER_SECOND if self._owing else now < due
            if not stale or early or not self._may_post(now - built_at):
                continue
            playhead = self._at_its_step(playhead, source)
            snapshot = source.snapshot(playhead, wish.view)
            stale, built_at, status_due = False, now, now + STATUS_S
            with self._wake:
                if self._owing:
                    answered_at = now
                # what was never painted is told again
                news = self._last is None or not self._painted or not snapshot.same(self._last)
                self._last = snapshot
                self._owing = False
                self._painted = not news
            if news:
                self._post(SnapshotReady(snapshot))

    def _wait(self, until: float) -> _Wish:
        """What was asked for, as soon as something is; nothing, at `until`, or later while the screen still paints."""
        with self._wake:
            if not (self._changes or self._commands or self._view_changed or self._closing):
                now = time.monotonic()
                # an unpainted screen wakes this thread when it is done
                until = until if self._painted else max(until, now + POLL_S)
                self._wake.wait(max(0.001, until - now))
            wish = _Wish(self._changes, self._commands, self._view, self._closing)
            self._owing = self._owing or bool(self._changes) or self._view_changed
            self._changes, self._commands, self._view_changed = [], [], False
            return wish

    def _moved(self, playhead: Playhead, seconds: float, changes: list[Change]) -> Playhead:
        last = self._last
        if last is not None and last.head is not None:
            playhead = playhead.advance(seconds, last.head.count, last.active)
        for change in changes:
            playhead = change(playhead, last)
        return playhead

    def _at_its_step(self, playhead: Playhead, source: Source) -> Playhead:
        """The playhead where it stood, after frames were put in before it, as a mirror's earlier ones are."""
        head = None if self._last is None else self._last.head
        if playhead.following or head is None or not isinstance(source, Assembler):
            return playhead
        now = source.index_of(head.step)
        return playhead if now == head.index else replace(playhead, place=playhead.place + now - head.index)

    def _may_post(self, since: float) -> bool:
        with self._wake:
            return self._painted or since > PAINT_PATIENCE_S

    def _obey(self, source: Source, commands: list[tuple[Verb, str]]) -> None:
        for verb, argument in commands:
            try:
                source.send(verb, argument)
            except CondenseError as error:
                self._post(CommandFailed(str(error)))
