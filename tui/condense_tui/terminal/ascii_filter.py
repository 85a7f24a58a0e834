"""For terminals without Unicode: everything that is drawn goes through here, so nothing has to be written twice."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from condense_tui.draw.ascii import to_ascii


class Ascii(LineFilter):
    """Replaces what is not ASCII by what looks most like it, and the rest by a question mark."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(to_ascii(text), style, control) for text, style, control in segments]
