"""The position in a run: live view, replay and scrubbing are the same few numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

# Frames a second; above the screen's ten a second, frames are skipped and the run still passes at this speed.
SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)


class Play(NamedTuple):
    """A recording is played when it is opened: from that step, at so many frames a second, or as fast as ever."""

    step: int
    speed: float | None = None


@dataclass(frozen=True)
class Playhead:
    """A place among the recorded frames. `following`: it is wherever the newest frame is."""

    place: float = 0.0
    following: bool = True
    playing: bool = False
    speed: float = 10.0

    @classmethod
    def at_speed(cls, speed: float) -> Playhead:
        """At the end, to play with the speed nearest to one."""
        return cls(speed=min(SPEEDS, key=lambda each: abs(each - speed)))

    def index(self, count: int) -> int:
        """The frame to show among `count`; the last one while following."""
        if self.following:
            return max(0, count - 1)
        return min(max(0, int(self.place)), max(0, count - 1))

    def step(self, by: int, count: int) -> Playhead:
        """Move by frames and stand there; on from the last frame means following again."""
        target = self.index(count) + by
        if target >= count and by > 0:
            return self.live()
        return replace(self, place=float(max(0, target)), following=False, playing=False)

    def go(self, index: int) -> Playhead:
        """Stand at a frame."""
        return replace(self, place=float(max(0, index)), following=False, playing=False)

    def live(self) -> Playhead:
        """Follow the newest frame."""
        return replace(self, following=True, playing=False)

    def toggle(self, count: int, active: bool) -> Playhead:
        """Play or pause. A live run that is followed stands still; at the end of a finished one, it starts over."""
        if self.playing or (self.following and active):
            return replace(self, place=float(self.index(count)), following=False, playing=False)
        at_end = self.index(count) >= count - 1
        if at_end and active:
            return self.live()
        return replace(self, place=0.0 if at_end else float(self.index(count)), following=False, playing=True)

    def faster(self, by: int) -> Playhead:
        """The next speed up (1) or down (-1)."""
        nearest = min(range(len(SPEEDS)), key=lambda at: abs(SPEEDS[at] - self.speed))
        return replace(self, speed=SPEEDS[min(len(SPEEDS) - 1, max(0, nearest + by))])

    def advance(self, seconds: float, count: int, active: bool) -> Playhead:
        """After `seconds` of playing; at the end it follows a live run and stops at the end of a finished one."""
        if not self.playing:
            return self
        place = self.place + seconds * self.speed
        if place >= count - 1:
            return self.live() if active else replace(self, place=float(max(0, count - 1)), playing=False)
        return replace(self, place=place)
