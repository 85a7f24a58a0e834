"""Writing to the terminal only what differs from what it shows.

Textual writes every dirty line of a widget in full. `Written` looks at each update at the moment it goes out, knows
what went out before, and leaves out cells that are there already: a live frame costs a tenth of the bytes, which is
what a thin link can carry. A difference taken earlier, when data is set, would leave holes under a dialog that has
closed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

from condense_tui.draw import heatmap as draw
from condense_tui.draw.palette import CODES, DROPPED, NAN, Palette, rich_colour
from condense_tui.draw.terminal import Depth


class Ink(NamedTuple):
    """What turns the cells of a heatmap row into colours."""

    palette: Palette
    dark: bool
    depth: Depth


class Row(Strip):
    """A row of heatmap cells, painted in one go.

    Only where it is cut in pieces, under a dialog or for a screenshot, is it the segments of an ordinary strip; most
    rows never are, and making segments would cost more than all the rest of a frame.
    """

    __slots__ = ("_made", "ink", "pairs")
    _made: list[Segment]

    def __init__(self, pairs: np.ndarray, ink: Ink) -> None:
        super().__init__((), len(pairs))
        self.pairs = pairs
        self.ink = ink

    @property
    def _segments(self) -> list[Segment]:
        if not self._made:
            styles = pair_styles(self.ink)
            self._made = [Segment(draw.glyph(pair) * count, styles(pair)) for pair, count in draw.runs(self.pairs)]
        return self._made

    @_segments.setter
    def _segments(self, segments: list[Segment]) -> None:
        self._made = segments

    def render(self, console: Console) -> str:
        return draw.paint(self.pairs[None, :], *self.ink)[0]


@lru_cache(maxsize=12)
def pair_styles(ink: Ink) -> Callable[[int], Style]:
    """The style of each half-block cell, for whatever is not written as a ready string."""

    @lru_cache(maxsize=CODES * CODES)
    def style(pair: int) -> Style:
        top, bottom = divmod(pair, CODES)
        if top == bottom == DROPPED:
            top = NAN
        return Style.from_color(rich_colour(*ink, top), rich_colour(*ink, bottom))

    return style


class _Ready(Strip):
    """Escape codes that bring a stretch of the screen up to date, whole, whatever part of it was asked for."""

    __slots__ = ("_codes",)

    def __init__(self, codes: str, length: int) -> None:
        super().__init__((), length)
        self._codes = codes

    def crop(self, start: int, end: int | None = None) -> Strip:
        return self

    def render(self, console: Console) -> str:
        return self._codes


class Written:
    """What the terminal shows, as far as it is known: by line, the strips that start at each column."""

    def __init__(self) -> None:
        self._lines: dict[int, dict[int, Strip]] = {}

    def forget(self) -> None:
        """Nothing is known any more."""
        self._lines.clear()

    def reduce(self, update: RenderableType | None, console: Console) -> None:
        """Cut an update that is about to be written down to what is new in it; a full redraw is only remembered."""
        if isinstance(update, ChopsUpdate):
            self._reduce(update, console)
        elif update is not None:
            self.forget()
            if isinstance(update, LayoutUpdate):
                self._remember(update)

    def _remember(self, update: LayoutUpdate) -> None:
        for y, strips in enumerate(update.strips, update.region.y):
            line = self._lines[y] = {}
            x = update.region.x
            for strip in strips:
                line[x] = strip
                x += strip.cell_length

    def _reduce(self, update: ChopsUpdate, console: Console) -> None:
        rows: list[tuple[dict[int, Strip | None], int, Row, Row]] = []
        for y, start, stop in update.spans:
            chops = dict(update.chops[y])
            for x, strip in chops.items():
                if strip is None or isinstance(strip, _Ready) or x >= stop or x + strip.cell_length <= start:
                    continue
                before = self._take_over(y, x, strip)
                if isinstance(strip, Row) and isinstance(before, Row) and before.ink == strip.ink:
                    rows.append((chops, x, strip, before))
                elif before is None:
                    chops[x] = _Ready(strip.render(console), strip.cell_length)
                else:
                    chops[x] = _Ready(_difference(strip, before, console), strip.cell_length)
            update.chops[y] = chops  # type: ignore[index]
        for chops, x, row, codes in _painted(rows):
            chops[x] = _Ready(codes, row.cell_length)

    def _take_over(self, y: int, x: int, strip: Strip) -> Strip | None:
        """Remember that `strip` is written at a place; gives what was there if it had the same extent."""
        line = self._lines.setdefault(y, {})
        end = x + strip.cell_length
        before = line.get(x)
        overwritten = [at for at, old in line.items() if at < end and at + old.cell_length > x]
        for at in overwritten:
            del line[at]
        line[x] = strip
        return before if before is not None and before.cell_length == strip.cell_length else None


def _painted(
    rows: list[tuple[dict[int, Strip | None], int, Row, Row]],
) -> list[tuple[dict[int, Strip | None], int, Row, str]]:
    """Differences of heatmap rows, all rows of one width and ink at once."""
    groups: dict[tuple[Ink, int], list[tuple[dict[int, Strip | None], int, Row, Row]]] = {}
    for entry in rows:
        groups.setdefault((entry[2].ink, entry[2].cell_length), []).append(entry)
    painted = []
    for (ink, _), group in groups.items():
        now = np.stack([row.pairs for _, _, row, _ in group])
        then = np.stack([before.pairs for _, _, _, before in group])
        texts = draw.paint(now, *ink, then)
        painted += [(chops, x, row, text) for (chops, x, row, _), text in zip(group, texts, strict=True)]
    return painted


def _difference(strip: Strip, before: Strip, console: Console) -> str:
    """Escape codes that turn `before` into `strip` from its first column on; empty where they look the same."""
    if strip is before:
        return ""
    new, old = _cells(strip), _cells(before)
    if new is None or old is None:
        return strip.render(console)
    system = console._color_system or ColorSystem.TRUECOLOR
    parts: list[str] = []
    at = column = 0
    while column < len(new):
        if new[column] == old[column]:
            column += 1
            continue
        style = new[column][1]
        end = column + 1
        while end < len(new) and new[end] != old[end] and new[end][1] == style:
            end += 1
        if column > at:
            parts.append(f"\x1b[{column - at}C")
        text = "".join([character for character, _ in new[column:end]])
        parts.append(text if style is None else Strip.render_style(style, text, system))
        at = column = end
    return "".join(parts)


def _cells(strip: Strip) -> list[tuple[str, Style | None]] | None:
    """A (character, style) a cell; None where some character is wider than one, which no step can land in."""
    cells = [(character, style) for text, style, _ in strip for character in text]
    return cells if len(cells) == strip.cell_length else None
