"""A layer's similarity as an SVG: rows of one colour are one stroke, so a condensed matrix takes a kilobyte or two."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from condense_tui.documents.markup import Markup, el, join
from condense_tui.draw.palette import DROPPED, LEVELS, PALETTES, Palette, codes, colours

# Cells a side: what a picture of 180 pixels can show, and what keeps a report of fifty presets at a few megabytes.
LARGEST_SIDE = 90
# What a cell's class begins with; the colours behind it are in `rules`, for light and dark.
_CLASS = "k"


def heatmap(
    cosine_MM: np.ndarray, order_M: np.ndarray, dropped_M: np.ndarray, label: str, largest: int = LARGEST_SIDE
) -> Markup:
    """The matrix in the given order, on the fixed scale -1 … 1; kernels too small to count are grey."""
    side, drawn = cells(cosine_MM, order_M, dropped_M, largest)
    return el("svg", drawn, class_="heat", viewBox=f"0 0 {side} {side}", role="img", aria_label=label)


def cells(cosine_MM: np.ndarray, order_M: np.ndarray, dropped_M: np.ndarray, largest: int) -> tuple[int, Markup]:
    """Cells a side, at most `largest`, and their shapes, each cell a unit wide; empty if there are no kernels."""
    code_MM = _codes(cosine_MM, order_M, dropped_M, largest)
    side = len(code_MM)
    if not side:
        return 0, Markup("")
    ground = Counter(code_MM.ravel().tolist()).most_common(1)[0][0]
    strokes: defaultdict[int, list[str]] = defaultdict(list)
    for row, codes_M in enumerate(code_MM):
        edges = np.flatnonzero(np.diff(codes_M)) + 1
        starts, stops = np.r_[0, edges], np.r_[edges, side]
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            code = int(codes_M[start])
            if code != ground:
                strokes[code].append(f"M{start} {row}.5h{stop - start}")
    paths = [el("path", class_=f"{_CLASS}{code}", d="".join(parts)) for code, parts in sorted(strokes.items())]
    return side, join(el("rect", class_=f"{_CLASS}{ground}", width=side, height=side), *paths)


def rules(dark: bool) -> str:
    """The style rules of every colour, for a light or a dark page."""
    table = colours(PALETTES[0], dark)[: DROPPED + 1]
    named = (f".{_CLASS}{code}{{--c:#{r:02x}{g:02x}{b:02x}}}" for code, (r, g, b) in enumerate(table))
    return "".join(named)


def plain_rules(palette: Palette, dark: bool) -> str:
    """The same as `rules` for programs that know no variables of style sheets."""
    table = colours(palette, dark)[: DROPPED + 1]
    named = (
        f"rect.{_CLASS}{code}{{fill:#{r:02x}{g:02x}{b:02x}}}path.{_CLASS}{code}{{stroke:#{r:02x}{g:02x}{b:02x}}}"
        for code, (r, g, b) in enumerate(table)
    )
    return "".join(named)


def scale() -> Markup:
    """The colours from -1 to 1, each a unit wide."""
    return join(*(el("rect", class_=f"{_CLASS}{code}", x=code, width=1.05, height=1) for code in range(LEVELS)))


def legend() -> Markup:
    """The scale from -1 to 1 with its colours."""
    bar = el("svg", scale(), class_="scale", viewBox=f"0 0 {LEVELS} 1", preserveAspectRatio="none")
    return el("span", "−1 ", bar, " 1", class_="legend")


def _codes(cosine_MM: np.ndarray, order_M: np.ndarray, dropped_M: np.ndarray, largest: int) -> np.ndarray:
    ordered_MM = np.asarray(cosine_MM, np.float64)[np.ix_(order_M, order_M)]
    away_M = np.asarray(dropped_M, bool)[order_M]
    side = len(ordered_MM)
    if side <= largest:
        code_MM = codes(ordered_MM)
        code_MM[away_M, :] = code_MM[:, away_M] = DROPPED
        return code_MM
    # neighbours in the order are alike, so blocks of them are shown by their mean
    edges = np.linspace(0, side, largest + 1).astype(int)[:-1]
    known_MM = ~np.isnan(ordered_MM)
    known_MM[away_M, :] = known_MM[:, away_M] = False
    total = _blocks(np.where(known_MM, ordered_MM, 0.0), edges)
    count = _blocks(known_MM.astype(np.float64), edges)
    code_MM = codes(np.divide(total, count, out=np.zeros_like(total), where=count > 0))
    code_MM[count == 0] = DROPPED
    return code_MM


def _blocks(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    summed: np.ndarray = np.add.reduceat(np.add.reduceat(values, edges, axis=0), edges, axis=1)
    return summed
