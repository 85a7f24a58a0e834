"""A line on which the playhead moves from the first place to the last; a click goes there."""

from __future__ import annotations

from textual import events
from textual.message import Message

from condense_tui.draw.line import Line
from condense_tui.snapshots.snapshot import Head
from condense_tui.widgets.lines import Lines


class Scrubber(Lines):
    """One line: words for the first place, the way, words for the last."""

    DEFAULT_CSS = "Scrubber { height: 1; padding: 0 1; }"

    class Sought(Message):
        """A place was clicked or dragged to."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self) -> None:
        super().__init__(id="timeline")
        self._head: Head | None = None
        self._ends = ("", "")
        self._left = self._width = 0
        self._dragging = False

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

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._dragging = True
        self.capture_mouse()
        self._seek(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            self._seek(event.x)

    async def on_mouse_scroll_up(self) -> None:
        await self.app.run_action("frame(-1)", self.screen)

    async def on_mouse_scroll_down(self) -> None:
        await self.app.run_action("frame(1)", self.screen)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._dragging = False
        self.release_mouse()

    def _seek(self, x: int) -> None:
        if self._head is not None and self._width > 1:
            # event offsets count from the padding's edge
            place = (x - self._left - self.styles.padding.left) / (self._width - 1)
            self.post_message(self.Sought(round(min(1.0, max(0.0, place)) * (self._head.count - 1))))
