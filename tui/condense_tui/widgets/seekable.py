"""A line whose places can be clicked, dragged to and reached with the wheel."""

from __future__ import annotations

from textual import events

from condense_tui.widgets.lines import Lines


class Seekable(Lines):
    """One line with a way from its first place to its last; what a place means is the subclass's."""

    def __init__(self) -> None:
        super().__init__(id="timeline")
        self._left = self._width = 0
        """Columns before the way, and of it, as it was drawn last."""
        self._dragging = False

    def seek(self, place: float) -> None:
        """Go to a place, from 0 at the first to 1 at the last."""
        raise NotImplementedError

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._dragging = True
        self.capture_mouse()
        self._seek_column(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            self._seek_column(event.x)

    async def on_mouse_scroll_up(self) -> None:
        await self.app.run_action("frame(-1)", self.screen)

    async def on_mouse_scroll_down(self) -> None:
        await self.app.run_action("frame(1)", self.screen)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._dragging = False
        self.release_mouse()

    def _seek_column(self, x: int) -> None:
        if self._width > 1:
            # event offsets count from the padding's edge
            place = (x - self._left - self.styles.padding.left) / (self._width - 1)
            self.seek(min(1.0, max(0.0, place)))
