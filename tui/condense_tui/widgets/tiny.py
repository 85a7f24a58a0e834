"""What is shown instead of the run screen in a terminal too small for it."""

from __future__ import annotations

from condense_tui.widgets.lines import Line, Lines, centred


class Tiny(Lines):
    """An honest word, and that nothing is lost."""

    DEFAULT_CSS = "Tiny { height: 1fr; width: 1fr; }"

    def build(self, width: int, height: int) -> list[Line]:
        words = (f"{width}×{height} is too small", "make it 60×20 or more", "training goes on · q leaves")
        lines = centred(words[0], self.look.strong, width, max(1, height - 2))
        for text in words[1:]:
            lines += centred(text, self.look.muted, width, 1)
        return lines
