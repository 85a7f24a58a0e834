"""Wrapped lines of text that take the room that they need."""

from __future__ import annotations

from rich.style import Style
from textual.geometry import Size

from condense_tui.draw.line import Line
from condense_tui.widgets.lines import Lines, wrapped


class Paragraphs(Lines):
    """Some lines of text, wrapped; takes the room that they need."""

    DEFAULT_CSS = "Paragraphs { height: auto; background: $surface; }"

    def __init__(self) -> None:
        super().__init__()
        self._said: list[tuple[str, Style]] = []

    def show(self, said: list[tuple[str, Style]]) -> None:
        """Show these paragraphs."""
        if said != self._said:
            self._said = said
            self.refresh(layout=True)
            self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        return [line for text, style in self._said for line in wrapped(text, style, width)]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.build(width, viewport.height))
