"""How much may be written to the terminal now, so that nothing queues on the way to it, however far away it is.

Whatever is written towards a slow link queues in ssh and in the kernel, and the effect of every key press then waits
behind it. So each frame is bounded, and followed by a question that costs nothing (whether the terminal knows
synchronised output): what has been answered has been drawn. With two frames unanswered, only what is small and urgent
still goes out. A terminal that never answers, or a multiplexer that answers in its place, gets so many bytes a second.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

QUESTION = "\x1b[?2026$p"
# Two, so that the link is never idle for a round trip; more would only be older.
MOST_UNANSWERED = 2
# Over ssh, to begin with: 48 ms of a link of 1 Mbit/s, which is as long as anybody's key may wait behind one frame; two
# of them are what is under way on it in a round trip of 100 ms.
FRAME_BYTES = 6_000
# A link that takes a full frame hardly later than an empty one gets larger ones, as long as that stays so.
MOST_FRAME_BYTES = 96_000
QUICK_S, SLOW_S = 0.02, 0.05
# What answers a key goes out beside two unanswered frames: headers, marks and the line of a cursor take less.
URGENT_BYTES = 4_000
# An answer that took so long was lost.
LOST_AFTER_S = 3.0
# What a terminal that says nothing may get over ssh: a frame of 8 kB ten times a second, which 1 Mbit/s carries.
BYTES_PER_SECOND = 80_000
# Less than this is not worth a frame of its own.
LEAST_BYTES = 1_000
UNLIMITED = 1 << 40

Call = Callable[[], None]


def over_ssh(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is on another machine."""
    return "SSH_CONNECTION" in environment or "SSH_TTY" in environment


class Sent(NamedTuple):
    """A frame that has not been answered: its bytes, those under way with it, and when it was written."""

    size: int
    under_way: int
    at: float


class Pace:
    """Keeps account of what is under way to the terminal."""

    def __init__(
        self,
        environment: Mapping[str, str],
        write: Callable[[str], None],
        later: Callable[[float, Call], object],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`write` goes to the terminal, `later(seconds, call)` is a timer."""
        term = environment.get("TERM", "")
        self._multiplexed = "TMUX" in environment or "STY" in environment or term.startswith(("tmux", "screen"))
        self.far = over_ssh(environment)
        """The terminal is on another machine."""
        self._write = write
        self._later = later
        self._now = now
        self._answers = False
        self._unanswered: deque[Sent] = deque()
        self._answered_at = now()
        self._frame = FRAME_BYTES
        # the answer to next to nothing
        self._quickest = math.inf
        self._left = float(FRAME_BYTES)
        self._counted_at = now()
        self._timed = False
        self.more: Call = lambda: None
        """Called where there may be room again."""

    def room(self, *, urgent: bool = False) -> int:
        """Bytes that may be written now; `urgent`: the effect of a key, which is small."""
        extra = URGENT_BYTES if urgent else 0
        if self._asks:
            if not self.far:
                return UNLIMITED if urgent or len(self._unanswered) < MOST_UNANSWERED else 0
            if urgent:
                return max(0, min(self._frame, 2 * self._frame + extra - self._under_way))
            return self._frame if self._under_way <= self._frame else 0
        if not self.far:
            return UNLIMITED
        room = min(FRAME_BYTES, int(self._budget()) + extra)
        return room if room >= LEAST_BYTES else 0

    def sent(self, count: int) -> None:
        """A frame of so many bytes was written."""
        if self._asks:
            if not self._unanswered:
                self._answered_at = self._now()
            self._unanswered.append(Sent(count, self._under_way + count, self._now()))
            self._write(QUESTION)
            self._call_in(LOST_AFTER_S, self._look_for_lost)
        elif self.far:
            self._left = self._budget() - count

    def wait(self) -> None:
        """Something is held back: have `more` called once there is room."""
        if self.far and not self._asks:
            self._call_in(max(0.0, LEAST_BYTES - self._budget()) / BYTES_PER_SECOND + 0.001, self.more)

    def answered(self) -> None:
        """The terminal has answered: it has drawn everything up to that question."""
        self._answers = True
        self._answered_at = self._now()
        if self._unanswered:
            sent = self._unanswered.popleft()
            self._learn(sent, self._answered_at - sent.at)
        self.more()

    def _learn(self, sent: Sent, seconds: float) -> None:
        """A frame was there, and the answer to it here, after so long."""
        if sent.under_way <= FRAME_BYTES // 4:
            self._quickest = min(self._quickest, seconds)
        late = seconds - self._quickest
        if late > SLOW_S:
            self._frame = max(FRAME_BYTES, self._frame // 2)
        elif -math.inf < late < QUICK_S and sent.size > 0.9 * self._frame:
            self._frame = min(MOST_FRAME_BYTES, 2 * self._frame)

    @property
    def _under_way(self) -> int:
        return sum(sent.size for sent in self._unanswered)

    @property
    def _asks(self) -> bool:
        return self._answers and not self._multiplexed

    def _budget(self) -> float:
        now = self._now()
        self._left = min(float(FRAME_BYTES), self._left + (now - self._counted_at) * BYTES_PER_SECOND)
        self._counted_at = now
        return self._left

    def _call_in(self, seconds: float, call: Call) -> None:
        if self._timed:
            return
        self._timed = True

        def due() -> None:
            self._timed = False
            call()
            if self._unanswered:
                self._call_in(LOST_AFTER_S, self._look_for_lost)

        self._later(seconds, due)

    def _look_for_lost(self) -> None:
        if not self._unanswered:
            return
        left = self._answered_at + LOST_AFTER_S - self._now()
        if left > 0:
            self._call_in(left, self._look_for_lost)
            return
        self._unanswered.clear()
        self._frame = FRAME_BYTES
        self.more()
