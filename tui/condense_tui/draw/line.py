"""What drawn lines are made of, before and after their tones have become styles."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style

Glyph = tuple[str, int]
"""One character and its tone; what the tones are is said where it is drawn."""
Span = tuple[str, int]
"""Some text in one tone."""
Line = list[tuple[str, Style]]
"""Texts one after the other, each in its style."""


def spans(glyphs: Sequence[Glyph]) -> list[Span]:
    """The glyphs of a line, those of one tone that follow on each other together."""
    found: list[Span] = []
    start = 0
    for index in range(1, len(glyphs) + 1):
        if index == len(glyphs) or glyphs[index][1] != glyphs[start][1]:
            found.append(("".join([character for character, _ in glyphs[start:index]]), glyphs[start][1]))
            start = index
    return found
