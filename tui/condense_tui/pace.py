"""Frames only as fast as the terminal draws them, however far away it is.

Whatever is written towards a slow link queues in ssh and in the kernel, and every key press then waits behind it. So
after each frame the terminal is asked something that costs nothing (whether it knows synchronised output): what has
been answered has been drawn. With two frames unanswered, the next one waits. A terminal that never answers, or a
multiplexer that answers in its place, gets a budget of bytes instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

QUESTION = "\x1b[?2026$p"
# Two, so that the link is never idle for a round trip; more would only be older.
MOST_UNANSWERED = 2
# An answer that took so long was lost.
LOST_AFTER_S = 3.0
# What a terminal that says nothing may get over ssh: ten frames of 8 kB a second, which 1 Mbit/s carries.
BYTES_PER_SECOND = 80_000
# A frame that changed nothing: the marks around it.
NOTHING = 40
# Less than this is not worth waiting for.
SHORTEST_WAIT_S = 0.02

Done = Callable[[], None]


class Paced(Protocol):
    """An app whose screens tell it of every frame."""

    def frame_shown(self, done: Done) -> None:
        """A frame went out to the terminal: call `done` once the next one may."""


class Pace:
    """Says when the next frame may come."""

    def __init__(
        self,
        environment: Mapping[str, str],
        write: Callable[[str], None],
        later: Callable[[float, Done], object],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`write` goes to the terminal, `later(seconds, call)` is a timer."""
        term = environment.get("TERM", "")
        self._multiplexed = "TMUX" in environment or "STY" in environment or term.startswith(("tmux", "screen"))
        self._over_ssh = "SSH_CONNECTION" in environment or "SSH_TTY" in environment
        self._write = write
        self._later = later
        self._now = now
        self._answers = False
        self._unanswered = 0
        self._answered_at = now()
        self._waiting: Done | None = None
        self._bytes = 0

    def sent(self, length: int) -> None:
        """So many characters were written to the terminal."""
        self._bytes += length

    def frame(self, done: Done) -> None:
        """A frame was written: call `done` once the next one may come."""
        length, self._bytes = self._bytes, 0
        if length < NOTHING:
            done()
            return
        if self._over_ssh and (self._multiplexed or not self._answers):
            wait = length / BYTES_PER_SECOND
            if wait > SHORTEST_WAIT_S:
                self._later(wait, done)
                return
        if not self._answers or self._multiplexed:
            done()
            return
        now = self._now()
        if self._unanswered >= MOST_UNANSWERED and now - self._answered_at > LOST_AFTER_S:
            self._unanswered = 0
        if self._unanswered == 0:
            self._answered_at = now
        self._unanswered += 1
        self._write(QUESTION)
        if self._unanswered < MOST_UNANSWERED:
            done()
        else:
            self._waiting = done

    def answered(self) -> None:
        """The terminal has answered: it has drawn everything up to that question."""
        self._answers = True
        self._answered_at = self._now()
        self._unanswered = max(0, self._unanswered - 1)
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting()
