"""Moving the playhead: the same keys for one run and for several side by side."""

from __future__ import annotations

from collections.abc import Callable

from condense_tui.readers.thread import ReaderThread, Shown
from condense_tui.snapshots.playhead import Playhead


class Scrubbing:
    """What a screen with a playhead does when it is moved; the reader thread owns the playhead."""

    _reader: ReaderThread

    def _move(self, change: Callable[[Playhead, int, bool], Playhead]) -> None:
        def changed(playhead: Playhead, last: Shown | None) -> Playhead:
            if last is None or last.head is None:
                return playhead
            return change(playhead, last.head.count, last.active)

        self._reader.move(changed)

    def action_play(self) -> None:
        """Play or pause the playhead."""
        self._move(lambda playhead, count, active: playhead.toggle(count, active))

    def action_frame(self, by: int) -> None:
        """Move the playhead by frames."""
        self._move(lambda playhead, count, _: playhead.step(by, count))

    def action_start(self) -> None:
        """To the first frame."""
        self._move(lambda playhead, *_: playhead.go(0))

    def action_live(self) -> None:
        """To the newest frame."""
        self._move(lambda playhead, *_: playhead.live())

    def action_speed(self, by: int) -> None:
        """Play faster or slower."""
        self._move(lambda playhead, *_: playhead.faster(by))


def next_member(member: int | None, by: int, count: int) -> int | None:
    """The seed after or before a seed of `count`; between the last and the first are all of them, None."""
    at = (0 if member is None else member + 1) + by
    return at % (count + 1) - 1 if at % (count + 1) else None
