"""Rows of a heatmap on their way to the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.segment import Segment
from rich.style import Style

from condense_tui.draw import heatmap as draw
from condense_tui.draw.ability import Depth
from condense_tui.draw.palette import CODES, DROPPED, NAN, Palette, rich_colour
from condense_tui.terminal.emit import PictureRow


class HeatmapInk(NamedTuple):
    """What turns the cells of a heatmap row into colours."""

    palette: Palette
    dark: bool
    depth: Depth


class HeatmapRow(PictureRow):
    """A row of heatmap cells, painted in one go.

    Only where it is cut in pieces, under a dialog or for a screenshot, is it the segments of an ordinary strip; most
    rows never are.
    """

    __slots__ = ("ink", "pairs")
    ink: HeatmapInk

    def __init__(self, pairs: np.ndarray, ink: HeatmapInk) -> None:
        super().__init__(len(pairs))
        self.pairs = pairs
        self.ink = ink

    def make(self) -> list[Segment]:
        styles = pair_styles(self.ink)
        return [Segment(draw.glyph(pair) * count, styles(pair)) for pair, count in draw.runs(self.pairs)]

    def render(self, console: Console) -> str:
        return draw.paint(self.pairs[None, :], *self.ink)[0]

    @staticmethod
    def drawn_over(rows: Sequence[tuple[HeatmapRow, HeatmapRow]]) -> list[str]:
        """All rows at once."""
        now, then = (np.stack([pair[at].pairs for pair in rows]) for at in (0, 1))
        return draw.paint(now, *rows[0][0].ink, then)


@lru_cache(maxsize=12)
def pair_styles(ink: HeatmapInk) -> Callable[[int], Style]:
    """The style of each half-block cell, for whatever is not written as a ready string."""

    @lru_cache(maxsize=CODES * CODES)
    def style(pair: int) -> Style:
        top, bottom = divmod(pair, CODES)
        if top == bottom == DROPPED:
            top = NAN
        return Style.from_color(rich_colour(*ink, top), rich_colour(*ink, bottom))

    return style
