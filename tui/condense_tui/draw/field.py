"""The direction field of a network with one input as character cells: arrows, the stable lines through 0, the neurons.

Weight to the right, bias upwards, both from -reach to reach. A cell is twice as high as wide, so an arrow stands in
every second column and the picture is as wide as it is high. A stable line is drawn in braille dots over the arrows,
neurons as discs over both.
"""

from __future__ import annotations

import enum
import math

import numpy as np

from condense_tui.draw import numbers
from condense_tui.draw.line import Glyph, Span, spans

ARROWS = "→↗↑↖←↙↓↘"
# Eight directions cannot be distinguished in ASCII (which way does a slash point?), four can.
ASCII_ARROWS = ">^<v"
# Speeds span orders of magnitude: below these shares of the fastest an arrow is slow, above them fast.
SLOW, FAST = 0.05, 0.4
# Smaller than that there are too few arrows to see a field.
LEAST_ROWS = 5


class FieldTone(enum.IntEnum):
    """What a cell is."""

    BLANK = 0
    AXIS = 1
    SLOW = 2
    MIDDLE = 3
    FAST = 4
    STABLE = 5
    NEURON = 6


NEURON, ASCII_NEURON = "●", "o"
_NO_NEURONS = np.empty((0, 2))


def draw(
    omega_G2: np.ndarray,
    velocity_G2: np.ndarray,
    stable_L: np.ndarray,
    width: int,
    height: int,
    *,
    neurons_M2: np.ndarray = _NO_NEURONS,
    unicode: bool = True,
) -> list[list[Span]]:
    """At most `height` rows of spans (text, tone), the last of them the axis; none if it is no square grid of
    points or the area is too small. A velocity that is no number is a question mark."""
    grid = _grid(np.asarray(omega_G2, np.float64), np.asarray(velocity_G2, np.float64))
    rows = min(height - 1, (width + 1) // 2)
    if grid is None or rows < LEAST_ROWS:
        return []
    axis, velocity_BW2 = grid
    columns = 2 * rows - 1
    cells = _arrows(axis, velocity_BW2, rows, unicode)
    for angle in np.asarray(stable_L, np.float64).tolist():
        if math.isfinite(angle):
            _line(cells, angle, unicode)
    _put_neurons(cells, axis, neurons_M2, NEURON if unicode else ASCII_NEURON)
    left = (width - columns) // 2
    margin: list[Span] = [(" " * left, int(FieldTone.BLANK))] if left else []
    return [*([*margin, *spans(row)] for row in cells), [*margin, (_axis(axis, columns), int(FieldTone.AXIS))]]


def _grid(omega_G2: np.ndarray, velocity_G2: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The grid's axis (S,) ascending, and velocities (bias, weight, 2); None if the points are no square grid."""
    if omega_G2.ndim != 2 or omega_G2.shape[-1] != 2 or velocity_G2.shape != omega_G2.shape:
        return None
    side = math.isqrt(len(omega_G2))
    if side < 2 or side * side != len(omega_G2) or not np.isfinite(omega_G2).all():
        return None
    axis = omega_G2[::side, 0]
    expected = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    if not (np.diff(axis) > 0).all() or not np.array_equal(expected, omega_G2):
        return None
    return axis, velocity_G2.reshape(side, side, 2).transpose(1, 0, 2)


def _arrows(axis: np.ndarray, velocity_BW2: np.ndarray, rows: int, unicode: bool) -> list[list[Glyph]]:
    with np.errstate(over="ignore"):
        speed = np.hypot(velocity_BW2[..., 0], velocity_BW2[..., 1])
    fastest = float(np.max(speed[np.isfinite(speed)], initial=0.0))
    nearest = np.rint(np.linspace(0, len(axis) - 1, rows)).astype(int).tolist()
    cells: list[list[Glyph]] = []
    for at_bias in reversed(nearest):
        row: list[Glyph] = []
        for at_weight in nearest:
            dw, db = velocity_BW2[at_bias, at_weight].tolist()
            row += [_arrow(dw, db, fastest, unicode), (" ", int(FieldTone.BLANK))]
        cells.append(row[:-1])
    return cells


def _arrow(dw: float, db: float, fastest: float, unicode: bool) -> Glyph:
    speed = math.hypot(dw, db)
    if not math.isfinite(speed):
        return "?", int(FieldTone.MIDDLE)
    if speed == 0:
        return ("·" if unicode else "."), int(FieldTone.SLOW)
    signs = ARROWS if unicode else ASCII_ARROWS
    turn = math.atan2(db, dw) / math.tau
    sign = signs[round(turn * len(signs)) % len(signs)]
    share = speed / fastest
    return sign, int(FieldTone.SLOW if share < SLOW else FieldTone.FAST if share > FAST else FieldTone.MIDDLE)


# The dots of a braille character by column and row.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


def _line(cells: list[list[Glyph]], angle: float, unicode: bool) -> None:
    """A line through the middle at that angle, over whatever is there."""
    rows, columns = len(cells), len(cells[0])
    across, down = 2 * columns, 4 * rows
    dots: dict[tuple[int, int], int] = {}
    # twice as many points as the longer side has dots: none of them is missed
    reach = 1 / max(abs(math.cos(angle)), abs(math.sin(angle)))
    for t in np.linspace(-reach, reach, 4 * max(across, down)).tolist():
        x = round((math.cos(angle) * t + 1) / 2 * (across - 1))
        y = round((1 - math.sin(angle) * t) / 2 * (down - 1))
        if 0 <= x < across and 0 <= y < down:
            place = y // 4, x // 2
            dots[place] = dots.get(place, 0) | _DOTS[x % 2][y % 4]
    for (row, column), mask in dots.items():
        before, tone = cells[row][column]
        # where two lines cross, the dots of both stay
        both = mask | (ord(before) - 0x2800 if tone == FieldTone.STABLE and unicode else 0)
        cells[row][column] = (chr(0x2800 + both) if unicode else _slope(angle)), int(FieldTone.STABLE)


def _put_neurons(cells: list[list[Glyph]], axis: np.ndarray, neurons_M2: np.ndarray, sign: str) -> None:
    """Each neuron inside the grid at its weight and bias."""
    rows, columns = len(cells), len(cells[0])
    place_M2 = (np.asarray(neurons_M2, np.float64).reshape(-1, 2) - axis[0]) / (axis[-1] - axis[0])
    inside_M = ((place_M2 >= 0) & (place_M2 <= 1)).all(axis=1)
    for right, up in place_M2[inside_M].tolist():
        cells[round((1 - up) * (rows - 1))][round(right * (columns - 1))] = sign, int(FieldTone.NEURON)


def _slope(angle: float) -> str:
    """The ASCII stroke nearest to a line's angle."""
    return "-/|\\"[round((angle % math.pi) / (math.pi / 4)) % 4]


def _axis(axis: np.ndarray, columns: int) -> str:
    low, high = numbers.measure(float(axis[0]), 2), numbers.measure(float(axis[-1]), 2)
    if len(low) + len(high) + 3 > columns:
        return " " * columns
    middle = "weight" if len(low) + len(high) + 10 <= columns else ""
    space = columns - len(low) - len(high) - len(middle)
    return low + " " * (space // 2) + middle + " " * (space - space // 2) + high
