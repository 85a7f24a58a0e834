"""A few lines with details of what the cursor is on."""

from __future__ import annotations

from functools import partial

from condense_tui.draw.line import Line
from condense_tui.widgets.lines import Lines


class Details(Lines):
    """Details of what the cursor is on."""

    DEFAULT_CSS = "Details { height: 1fr; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._tell: partial[list[Line]] | None = None

    def show(self, tell: partial[list[Line]] | None) -> None:
        """Show what `tell(look, width, height)` says."""
        self._tell = tell
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        return [] if self._tell is None else self._tell(self.look, width, height)
