"""What is shown instead of a screen in a terminal too small for it."""

from __future__ import annotations

from condense_tui.draw.line import Line
from condense_tui.widgets.lines import Lines, centred


class Tiny(Lines):
    """Says that the terminal is too small, and that nothing is lost."""

    DEFAULT_CSS = "Tiny { height: 1fr; width: 1fr; }"

    def __init__(self, purpose: str = "", least: tuple[int, int] = (60, 20)) -> None:
        """`purpose` says what it is too small for, where that is not everything."""
        super().__init__()
        self._purpose, self._least = purpose, least

    def build(self, width: int, height: int) -> list[Line]:
        columns, rows = self._least
        words = (
            f"{width}×{height} is too small {self._purpose}".rstrip(),
            f"make it {columns}×{rows} or more",
            "esc goes back" if self._purpose else "training continues · q leaves",
        )
        lines = centred(words[0], self.look.strong, width, max(1, height - 2))
        for text in words[1:]:
            lines += centred(text, self.look.muted, width, 1)
        return lines
