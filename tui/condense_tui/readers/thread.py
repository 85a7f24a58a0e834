"""The one thread that reads run files for a screen.

It owns what is open and the playhead. The screen tells it what to change and gets the newest snapshot back; it never
asks the file anything itself, so a slow disk cannot hold up a key press. The next snapshot waits until the one before
is on the screen: a slow terminal gets fewer frames, not late ones.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

from textual.message import Message

from condense_core.errors import CondenseError
from condense_core.libraries import blame
from condense_tui.snapshots.playhead import Playhead
from condense_tui.snapshots.snapshot import Head

# The most frames a second that are drawn: an eye sees no more of a heatmap, and a thin link carries no more.
FRAMES_PER_SECOND = 10
# A key press is answered sooner than the next live frame is due, yet a held key cannot flood the terminal.
ANSWERS_PER_SECOND = 20
# How often a quiet file is checked; finding nothing costs some microseconds.
POLL_S = 0.1
# A worker that died changes nothing in the file, so the run's row is looked at now and then nevertheless.
STATUS_S = 1.0
# A screen that is covered or suspended never says that it has painted; one frame a second is enough for it.
PAINT_PATIENCE_S = 1.0


class Shown(Protocol):
    """What a screen is handed: a place among frames, and whether more frames will come."""

    @property
    def head(self) -> Head | None: ...

    @property
    def active(self) -> bool: ...

    def same(self, other: Self) -> bool:
        """Nothing that is drawn differs."""


PlayheadChange = Callable[[Playhead, Shown | None], Playhead]
"""The playhead from what it was and the snapshot that was built last."""

ViewT = TypeVar("ViewT")
ShownT = TypeVar("ShownT", bound=Shown)
ViewT_contra = TypeVar("ViewT_contra", contravariant=True)
ShownT_co = TypeVar("ShownT_co", bound=Shown, covariant=True)


class SnapshotSource(Protocol[ViewT_contra, ShownT_co]):
    """What the thread reads from: one run, or several side by side. It is asked for a view, and gives a snapshot."""

    def refresh(self) -> bool:
        """Whether anything may be new since the last call."""

    def index_of(self, head: Head) -> int:
        """Where among the frames the one stands now that `head` was at."""

    def snapshot(self, playhead: Playhead, view: ViewT_contra) -> ShownT_co: ...

    def close(self) -> None: ...


class _Wish(NamedTuple, Generic[ViewT]):
    """What the screen has asked for since the thread last looked."""

    changes: list[PlayheadChange]
    view: ViewT
    closing: bool


@dataclass
class SnapshotReady(Message, Generic[ShownT]):
    """The newest snapshot; one that is still waiting to be handled is replaced by it."""

    snapshot: ShownT

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SnapshotReady)


@dataclass
class ReadFailed(Message):
    """A run file cannot be read any more, and why."""

    reason: str


class ReaderThread(threading.Thread, Generic[ViewT, ShownT]):
    """Polls a source and posts messages about it."""

    def __init__(
        self,
        open_source: Callable[[], SnapshotSource[ViewT, ShownT]],
        view: ViewT,
        post: Callable[[Message], object],
        playhead: Playhead | None = None,
    ) -> None:
        """`open_source` is called in the thread, and what it gives is used and closed there; `view` is what the first
        snapshot holds, `playhead` where it stands; `post` must be safe to call from another thread."""
        super().__init__(name="run-file-reader", daemon=True)
        self._open_source = open_source
        self._post = post
        self._wake = threading.Condition()
        self._changes: list[PlayheadChange] = []
        self._view = view
        self._first = playhead or Playhead()
        self._view_changed = False
        self._painted = True
        self._owing = False
        self._closing = False
        self._last: ShownT | None = None

    def move(self, change: PlayheadChange) -> None:
        """Change the playhead."""
        with self._wake:
            self._changes.append(change)
            self._wake.notify()

    def look(self, view: ViewT) -> None:
        """Change what snapshots hold."""
        with self._wake:
            self._view = view
            self._view_changed = True
            self._wake.notify()

    def painted(self) -> None:
        """The last snapshot is on the screen."""
        with self._wake:
            self._painted = True
            self._wake.notify()

    @property
    def idle(self) -> bool:
        """Everything that was asked for is on the screen."""
        with self._wake:
            return self._painted and not (self._changes or self._view_changed or self._owing)

    def stop(self) -> None:
        """Have the thread close the file and end, and do not wait for it: the disk may be slow."""
        with self._wake:
            self._closing = True
            self._wake.notify()

    def run(self) -> None:
        try:
            with contextlib.closing(self._open_source()) as source:
                self._loop(source)
        except CondenseError as error:
            self._post(ReadFailed(str(error)))
        except BaseException as error:
            # a thread that dies silently leaves a screen that looks alive
            self._post(ReadFailed(blame(error) or f"unexpected {type(error).__name__}: {error}; please report this"))
            raise

    def _loop(self, source: SnapshotSource[ViewT, ShownT]) -> None:
        playhead = self._first
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
                # what was never painted is posted again
                news = self._last is None or not self._painted or not snapshot.same(self._last)
                self._last = snapshot
                self._owing = False
                self._painted = not news
            if news:
                self._post(SnapshotReady(snapshot))

    def _wait(self, until: float) -> _Wish[ViewT]:
        """What was asked for, as soon as something is; nothing, at `until`, or later while the screen still paints."""
        with self._wake:
            if not (self._changes or self._view_changed or self._closing):
                now = time.monotonic()
                # an unpainted screen wakes this thread when it is done
                until = until if self._painted else max(until, now + POLL_S)
                self._wake.wait(max(0.001, until - now))
            wish = _Wish(self._changes, self._view, self._closing)
            self._owing = self._owing or bool(self._changes) or self._view_changed
            self._changes, self._view_changed = [], False
            return wish

    def _moved(self, playhead: Playhead, seconds: float, changes: list[PlayheadChange]) -> Playhead:
        last = self._last
        if last is not None and last.head is not None:
            playhead = playhead.advance(seconds, last.head.count, last.active)
        for change in changes:
            playhead = change(playhead, last)
        return playhead

    def _at_its_step(self, playhead: Playhead, source: SnapshotSource[ViewT, ShownT]) -> Playhead:
        """The playhead where it stood, after frames were put in before it, as a mirror's earlier ones are."""
        head = None if self._last is None else self._last.head
        if playhead.following or head is None:
            return playhead
        now = source.index_of(head)
        return playhead if now == head.index else replace(playhead, place=playhead.place + now - head.index)

    def _may_post(self, since: float) -> bool:
        with self._wake:
            return self._painted or since > PAINT_PATIENCE_S
