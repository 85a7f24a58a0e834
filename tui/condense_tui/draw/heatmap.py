"""A matrix of cosines as character cells: which code stands where, and the fewest bytes that draw it.   # M kernels

Two steps, both without a loop over cells. `lay_out` orders, scales or pools the matrix into pixels, two to a half
block. `paint` turns pixels into one string a row through tables of ready escape sequences, saying only what changes
from one cell to its neighbour: 4,800 cells cost no more than a lookup each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from condense_tui.draw import palette as colour
from condense_tui.draw.ability import Depth
from condense_tui.draw.palette import CODES, DROPPED, EMPTY, Palette

HALF_BLOCK = "▀"
HATCH = "╱"
RESET = "\x1b[0m"
# Share of the kernels that must be as wide as the next whole factor makes them, where it does not fit for all.
NEARLY = 0.75


@dataclass(frozen=True)
class Layout:
    """Pixels of a heatmap and what each stands for.

    `pixels` (rows, columns) uint8 codes. Cell c covers the kernels edges[c] … edges[c+1] - 1 along the order, and the
    pixels places[c] … places[c+1] - 1 each way; both are (cells + 1,). `pooled`: cells are means.
    """

    pixels: np.ndarray
    places: np.ndarray
    edges: np.ndarray
    pooled: bool

    @property
    def side(self) -> int:
        """Pixels each way that show kernels."""
        return int(self.places[-1])

    def cell_of(self, pixel: int) -> int | None:
        """The cell at a pixel along either axis, None outside the matrix."""
        if not 0 <= pixel < self.side:
            return None
        return int(np.searchsorted(self.places, pixel, side="right")) - 1


def lay_out(
    cosine_MM: np.ndarray, order_M: np.ndarray, dropped_M: np.ndarray, side: int, starts: Sequence[int] = ()
) -> Layout:
    """Pixels of `cosine_MM` in the given order, in a square of at most `side` pixels.

    Scaled up by a whole factor where it fits, so that every kernel is as wide as the next, unless the next factor is so
    near that some kernels a pixel narrower than others cost less than the empty room; else pooled by the mean
    over kernels that have a direction and are not dropped. A block of dropped kernels is hatched, a block without a
    single number shows as such. No block reaches over a place of `starts`, where another group of kernels begins: the
    mean over two sides of a line would be a 0 that no pair of kernels has.
    """
    kernels = len(order_M)
    if kernels == 0 or side < 1:
        return Layout(np.zeros((0, 0), np.uint8), np.zeros(1, np.int64), np.zeros(1, np.int64), False)
    dropped = np.asarray(dropped_M, bool)[order_M]
    if kernels <= side:
        scale, rest = divmod(side, kernels)
        shown = side if rest >= NEARLY * kernels else scale * kernels
        places = np.rint(np.linspace(0, shown, kernels + 1)).astype(np.int64)
        cells = colour.codes(cosine_MM)[np.ix_(order_M, order_M)]
        cells[dropped, :] = DROPPED
        cells[:, dropped] = DROPPED
        wide = np.diff(places)
        return Layout(cells.repeat(wide, axis=0).repeat(wide, axis=1), places, np.arange(kernels + 1), False)
    edges = np.linspace(0, kernels, side + 1).astype(np.int64)
    for start in starts:
        if 0 < start < kernels and len(edges) > 2:
            edges[1 + np.abs(edges[1:-1] - start).argmin()] = start
    edges = np.unique(edges)
    pixels = _pool(cosine_MM[np.ix_(order_M, order_M)], dropped, edges)
    return Layout(pixels, np.arange(len(edges)), edges, True)


def _pool(cosine_MM: np.ndarray, dropped_M: np.ndarray, edges: np.ndarray) -> np.ndarray:
    starts = edges[:-1]
    counts = np.isfinite(cosine_MM)
    counts[dropped_M, :] = False
    counts[:, dropped_M] = False

    def block_sum(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(np.add.reduceat(values, starts, axis=0), starts, axis=1)

    total = block_sum(np.where(counts, np.clip(cosine_MM, -1, 1), np.float32(0)))
    number = block_sum(counts.astype(np.float32))
    mean = np.full(total.shape, np.nan, np.float32)
    np.divide(total, number, out=mean, where=number > 0)
    cells = colour.codes(mean)
    gone = np.add.reduceat(dropped_M.astype(np.int64), starts) == np.diff(edges)
    cells[gone, :] = DROPPED
    cells[:, gone] = DROPPED
    return cells


def pairs(pixels: np.ndarray, width: int, height: int, column: int = 0, row: int = 0) -> np.ndarray:
    """Half-block cells (height, width) of `pixels` set at a character cell: top code × CODES + bottom code."""
    canvas = np.full((2 * height, width), EMPTY, np.int32)
    rows, columns = min(pixels.shape[0], 2 * (height - row)), min(pixels.shape[1], width - column)
    if rows > 0 and columns > 0:
        canvas[2 * row : 2 * row + rows, column : column + columns] = pixels[:rows, :columns]
    return canvas[0::2] * CODES + canvas[1::2]


@lru_cache(maxsize=64)
def glyph(pair: int) -> str:
    """The character of a half-block cell: a blank where both halves are one colour, hatching where both are dropped."""
    top, bottom = divmod(pair, CODES)
    if top == bottom:
        return HATCH if top == DROPPED else " "
    return HALF_BLOCK


# Rows of the table of strings, behind the CODES² cells that set both colours.
_FORE = CODES * CODES
_BACK = _FORE + CODES
_BLANK = _BACK + CODES
_SAME_BLOCK, _SAME_BLANK, _SAME_HATCH = _BLANK + CODES, _BLANK + CODES + 1, _BLANK + CODES + 2


@lru_cache(maxsize=12)
def _table(palette: Palette, dark: bool, depth: Depth) -> tuple[str, ...]:
    """The string that draws a cell, by what has to be said: both colours, one of them, or none."""
    fore, back = colour.sgr(palette, dark, depth, 38), colour.sgr(palette, dark, depth, 48)
    hatch = colour.sgr(palette, dark, depth, 38)[colour.NAN]
    both = []
    for pair in range(CODES * CODES):
        top, bottom = divmod(pair, CODES)
        front = hatch if pair == DROPPED * CODES + DROPPED else fore[top]
        both.append(f"\x1b[{front};{back[bottom]}m{glyph(pair)}")
    only_fore = [f"\x1b[{code}m{HALF_BLOCK}" for code in fore]
    only_back = [f"\x1b[{code}m{HALF_BLOCK}" for code in back]
    blank = [f"\x1b[{code}m " for code in back]
    return (*both, *only_fore, *only_back, *blank, HALF_BLOCK, " ", HATCH)


def paint(
    pair_HW: np.ndarray, palette: Palette, dark: bool, depth: Depth, before_HW: np.ndarray | None = None
) -> list[str]:
    """One string a row that draws the cells with the fewest colour changes, ending with colours reset.

    With `before_HW`, what the terminal shows there, only cells that differ are drawn and the others stepped over; a
    row without a difference is an empty string. A blank cell sets only the background, so after it the foreground
    counts as unknown; hatching sets both.
    """
    height, width = pair_HW.shape
    if width == 0:
        return [""] * height
    changed = np.ones_like(pair_HW, bool) if before_HW is None else pair_HW != before_HW
    index = _what_to_say(pair_HW, changed)
    table = _table(palette, dark, depth)
    if before_HW is None:
        return ["".join([table[i] for i in row]) + RESET for row in index.tolist()]
    return _only_changed(index.tolist(), changed, table)


def _what_to_say(pair_HW: np.ndarray, changed_HW: np.ndarray) -> np.ndarray:
    """Row of the table for each cell, given what its left neighbour has set where that is drawn too."""
    top, bottom = pair_HW // CODES, pair_HW % CODES
    hatch = pair_HW == DROPPED * CODES + DROPPED
    blank = (top == bottom) & ~hatch
    block = ~blank & ~hatch
    drawn_before = np.zeros_like(hatch)
    drawn_before[:, 1:] = changed_HW[:, :-1]

    def left(values: np.ndarray) -> np.ndarray:
        return np.roll(values, 1, axis=1)

    same_fore = drawn_before & left(block) & (left(top) == top)
    same_back = drawn_before & (left(bottom) == bottom)
    index = np.where(block & same_back, _FORE + top, pair_HW)
    index = np.where(block & same_fore, _BACK + bottom, index)
    index = np.where(block & same_fore & same_back, _SAME_BLOCK, index)
    index = np.where(blank, np.where(same_back, _SAME_BLANK, _BLANK + bottom), index)
    return np.where(hatch & drawn_before & left(hatch), _SAME_HATCH, index)


def _only_changed(index_HW: list[list[int]], changed_HW: np.ndarray, table: tuple[str, ...]) -> list[str]:
    """Rows of only the changed stretches, each reached by a step to the right over what stays."""
    height, width = changed_HW.shape
    # an edge is where a cell and its left neighbour differ in being changed; edges of a row come in pairs
    walled = np.zeros((height, width + 2), bool)
    walled[:, 1:-1] = changed_HW
    parts: list[list[str]] = [[] for _ in range(height)]
    ends = [0] * height
    rows, edges = np.nonzero(walled[:, 1:] != walled[:, :-1])
    for y, start, stop in zip(rows[::2].tolist(), edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if start > ends[y]:
            parts[y].append(f"\x1b[{start - ends[y]}C")
        parts[y] += [table[index] for index in index_HW[y][start:stop]]
        ends[y] = stop
    return ["".join(pieces) + RESET if pieces else "" for pieces in parts]


def runs(pair_W: np.ndarray) -> list[tuple[int, int]]:
    """Neighbouring equal cells of one row as (cell, how many)."""
    if not len(pair_W):
        return []
    starts = np.flatnonzero(np.r_[True, pair_W[1:] != pair_W[:-1]])
    lengths = np.diff(np.r_[starts, len(pair_W)])
    return list(zip(pair_W[starts].tolist(), lengths.tolist(), strict=True))


def ascii_rows(pixels: np.ndarray, width: int, height: int, wide: bool, column: int = 0) -> list[str]:
    """Rows of text for terminals without colour or half blocks, one pixel a line, one or two characters a pixel."""
    texts = colour.ramp(wide)
    rows = []
    for line in pixels[:height].tolist():
        text = " " * column + "".join([texts[code] for code in line])
        rows.append(text[:width].ljust(width))
    return rows + [" " * width] * (height - len(rows))
