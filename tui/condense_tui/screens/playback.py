"""Moving the playhead: the same keys for one run and for several side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from condense_tui.readers.thread import PlayheadChange, Shown
from condense_tui.snapshots.playhead import Playhead
from condense_tui.terminal.habits import Habits

if TYPE_CHECKING:
    import numpy as np


class Playback:
    """Moves the playhead that a reader thread owns, once there are frames."""

    def __init__(self, move: Callable[[PlayheadChange], None], habits: Habits) -> None:
        """`move` has the thread change its playhead; `habits` keep its speed for the next time."""
        self._move_playhead = move
        self._habits = habits

    def _move(self, change: Callable[[Playhead, int, bool], Playhead]) -> None:
        def changed(playhead: Playhead, last: Shown | None) -> Playhead:
            if last is None or last.head is None:
                return playhead
            return change(playhead, last.head.count, last.active)

        self._move_playhead(changed)

    def toggle(self) -> None:
        """Play or pause."""
        self._move(lambda playhead, count, active: playhead.toggle(count, active))

    def play(self) -> None:
        """Play from where it stands."""
        self._move(lambda playhead, *_: replace(playhead, playing=True, following=False))

    def step(self, by: int) -> None:
        """Move by frames."""
        self._move(lambda playhead, count, _: playhead.step(by, count))

    def go(self, index: int) -> None:
        """To a frame."""
        self._move(lambda playhead, *_: playhead.go(index))

    def seek(self, step: float, instants: np.ndarray) -> None:
        """Go to the frame nearest to a step; `instants` are the steps of all frames."""
        if len(instants):
            self.go(int(abs(instants - step).argmin()))

    def live(self) -> None:
        """To the newest frame, and stay with it."""
        self._move(lambda playhead, *_: playhead.live())

    def faster(self, by: int) -> None:
        """The next speed up (1) or down (-1)."""

        def changed(playhead: Playhead, *_: object) -> Playhead:
            playhead = playhead.faster(by)
            self._habits.keep("speed", playhead.speed)
            return playhead

        self._move(changed)


def next_member(member: int | None, by: int, count: int) -> int | None:
    """The seed after or before a seed of `count`; between the last and the first are all of them, None."""
    at = (0 if member is None else member + 1) + by
    return at % (count + 1) - 1 if at % (count + 1) else None
