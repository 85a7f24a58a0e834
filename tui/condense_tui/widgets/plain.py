"""For terminals without Unicode: everything that is drawn goes through here, so nothing has to be written twice."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("─━╌┈╸╺▔▁", "-"),
        **dict.fromkeys("│┃╎▌▐▏▕█", "|"),
        **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
        **dict.fromkeys("·•", "-"),
        **{"…": "~", "λ": "l", "ᵀ": "T", "²": "2", "×": "x", "–": "-", "←": "<", "→": ">", "●": "*", "○": "o"},
    }
)


class Ascii(LineFilter):
    """Replaces what is not ASCII by what looks most like it, and the rest by a question mark."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(_plain(text), style, control) for text, style, control in segments]


def _plain(text: str) -> str:
    return text if text.isascii() else text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")
