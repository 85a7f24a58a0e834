"""Curves in braille dots, or in one sign a cell, drawn on an array: the app's live plots.

plotext draws the same (`draw/printed.py`) and takes two to ten times as long, most of it in Python and so with the lock
that a key press waits for: `benchmarks plots` has both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from condense_tui.draw.line import Glyph
from condense_tui.draw.strokes import Stroke

# The dots of a braille character, by row and column.
DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint8)
BRAILLE = 0x2800
LINE, POINT = "*", ("•", "o")


def rasterise(
    strokes: Sequence[Stroke], width: int, height: int, first_tone: int, *, braille: bool
) -> list[list[Glyph]]:
    """Rows of (character, tone) with the strokes, in shares of the area, on an empty canvas; the first one on top.

    A cell takes the tone of the stroke on top, and keeps the dots of those below it.
    """
    down, across = (4, 2) if braille else (1, 1)
    dots = np.zeros((height * down, width * across), bool)
    tones = np.full((height, width), -1, np.int16)
    points = np.zeros((height, width), bool)
    for stroke in reversed(strokes):
        columns, rows = _cells(stroke, width * across, height * down)
        dots[rows, columns] = True
        tones[rows // down, columns // across] = stroke.tone
        points[rows // down, columns // across] = False
        if np.any(stroke.marked):
            columns, rows = _points(stroke, width * across, height * down, stroke.marked)
            points[rows // down, columns // across] = True
    if braille:
        cells = dots.reshape(height, 4, width, 2).transpose(0, 2, 1, 3)
        masks = (cells * DOTS).sum(axis=(2, 3))
        characters = [[chr(BRAILLE + mask) for mask in row] for row in masks.tolist()]
    else:
        characters = [[LINE if lit else " " for lit in row] for row in dots.tolist()]
    mark = POINT[0 if braille else 1]
    return [
        [
            (" ", 0) if tone < 0 else (mark if point else character, first_tone + tone)
            for character, tone, point in zip(*row, strict=True)
        ]
        for row in zip(characters, tones.tolist(), points.tolist(), strict=True)
    ]


def _points(
    stroke: Stroke, columns: int, rows: int, which: bool | npt.NDArray[np.bool_] = True
) -> tuple[np.ndarray, np.ndarray]:
    """The dots of those of a stroke's points that lie inside."""
    chosen = np.broadcast_to(which, stroke.x.shape)
    return _inside(stroke.x[chosen] * (columns - 1), (1 - stroke.y[chosen]) * (rows - 1), columns, rows)


def _cells(stroke: Stroke, columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The dots of a stroke: its points, and the lines between those that hang together."""
    points_P2 = np.stack([stroke.x * (columns - 1), (1 - stroke.y) * (rows - 1)], axis=1)
    joined = np.flatnonzero(~stroke.begins[1:])
    at, along = _points(stroke, columns, rows), _lines(points_P2[joined], points_P2[joined + 1], columns, rows)
    return np.r_[at[0], along[0]], np.r_[at[1], along[1]]


def _inside(x: np.ndarray, y: np.ndarray, columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(invalid="ignore"):
        there = (x > -0.5) & (x < columns - 0.5) & (y > -0.5) & (y < rows - 0.5)
    return np.rint(x[there]).astype(np.intp), np.rint(y[there]).astype(np.intp)


def _lines(from_P2: np.ndarray, to_P2: np.ndarray, columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The dots on straight lines, of each the part that lies inside (Liang and Barsky 1984)."""
    way_P2 = to_P2 - from_P2
    most_2 = np.array([columns, rows]) - 0.5
    still_P2 = way_P2 == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        near_P2, far_P2 = (-0.5 - from_P2) / way_P2, (most_2 - from_P2) / way_P2
    # one that runs along an axis never enters or leaves in the other
    enter_P = np.where(still_P2, 0.0, np.minimum(near_P2, far_P2)).max(axis=1, initial=0.0)
    leave_P = np.where(still_P2, 1.0, np.maximum(near_P2, far_P2)).min(axis=1, initial=1.0)
    outside_P = (still_P2 & ((from_P2 <= -0.5) | (from_P2 >= most_2))).any(axis=1)
    seen_P = (enter_P <= leave_P) & ~outside_P
    from_P2, way_P2, enter_P, leave_P = (values[seen_P] for values in (from_P2, way_P2, enter_P, leave_P))
    counts = np.ceil(np.abs(way_P2).max(axis=1, initial=0.0) * (leave_P - enter_P)).astype(np.intp) + 1
    line = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(line)) - np.repeat(np.cumsum(counts) - counts, counts)
    t = enter_P[line] + (leave_P - enter_P)[line] * place / np.maximum(counts - 1, 1)[line]
    x, y = (from_P2[line] + t[:, None] * way_P2[line]).T
    return _inside(x, y, columns, rows)
