"""Frames whose words change with every frame, drawn without drawing all that they frame."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget


class Captioned(Widget):
    """A widget with a border that has a title above and a remark below."""

    key = ""
    """What the key is called that goes to it, where there is one; it stands before the title."""
    _captions: tuple[str, str, str] | None = None
    _only_border = False

    def caption(self, title: str, remark: str = "") -> None:
        """Change the title and the remark; the two lines that they stand in are drawn again, and nothing else."""
        if (self.key, title, remark) == self._captions:
            return
        self._captions = self.key, title, remark
        self._only_border = True
        try:
            self.border_title = Content(self._lead + title)
            self.border_subtitle = Content(remark)
        finally:
            self._only_border = False

    @property
    def room(self) -> int:
        """Cells that a title may take; 0 while nobody knows."""
        return max(0, self.size.width - 4 - len(self._lead)) if self.size.width else 0

    @property
    def _lead(self) -> str:
        return f"[{self.key}] " if self.key else ""

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Captioned:
        """Textual draws a widget whole where one of its titles is set."""
        if self._only_border and self.size:
            regions = self._border_lines()
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self

    def _border_lines(self) -> tuple[Region, Region]:
        """The first and the last line, seen from the content as `refresh` has it."""
        width, height = self.outer_size
        top = Region(-self.gutter.left, -self.gutter.top, width, 1)
        return top, top.translate((0, height - 1))
