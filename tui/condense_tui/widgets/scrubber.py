"""A line on which the playhead moves from the first place to the last; a click goes there."""

from __future__ import annotations

from textual.message import Message

from condense_tui.draw.line import Line
from condense_tui.snapshots.snapshot import Head
from condense_tui.widgets.seekable import Seekable


class Scrubber(Seekable):
    """One line: words for the first place, the way, words for the last."""

    DEFAULT_CSS = "Scrubber { height: 1; padding: 0 1; }"

    class Sought(Message):
        """A place was clicked or dragged to."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self) -> None:
        super().__init__()
        self._head: Head | None = None
        self._ends = ("", "")

    def show(self, head: Head | None, first: str, last: str) -> None:
        """Show where the playhead stands between two ends."""
        self._head, self._ends = head, (first, last)
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        head, look = self._head, self.look
        if head is None:
            return []
        first, last = f"{self._ends[0]} ", f" {self._ends[1]}"
        self._left, self._width = len(first), max(2, width - len(first) - len(last))
        at = round((self._width - 1) * head.index / max(1, head.count - 1))
        way, mark = ("━", "█") if self.ability.unicode else ("=", "|")
        return [
            [
                (first, look.muted),
                (way * at, look.accent),
                (mark, look.playhead),
                (way * (self._width - 1 - at), look.accent),
                (last, look.muted),
            ]
        ]

    def seek(self, place: float) -> None:
        if self._head is not None:
            self.post_message(self.Sought(round(place * (self._head.count - 1))))
