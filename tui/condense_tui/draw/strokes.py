"""From a recorded curve to what is drawn of it: the part in view, smoothed where asked for, thinned to what dots can
show, and broken where nothing was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from condense_tui.draw.scale import Scale, fit

# More points than this cost time and change no dot: a braille column takes a minimum and a maximum.
MOST_POINTS = 400
# A longer curve is thinned before anything else is done with it, so that neither time nor memory go with its length.
LONG = 10 * MOST_POINTS
# Beyond this the span of an axis is no finite number any more; such a value is on its way to infinity.
HUGE = 1e150
# Below this, arithmetic on ticks underflows; what is measured gets nowhere near it and counts as 0.
TINY = 1e-150
# A hole is a gap where so many times more measurements were left out as on either side of it: a measure that is taken
# on every tenth step, or less often from some step on, has none.
GAP = 4
# The tone of a curve that stands back behind the others, such as the edge of a band; one more and further, of that of
# the first, the second, … of several curves.
BAND = 12
# An average that reaches further back than this adds less than a rounding.
FORGOTTEN = 1e-17


@dataclass(frozen=True)
class PlotCurve:
    """One line: its name, steps, values, and which of the curve tones it takes.

    `label`, one character, is set on the curve in some places, so that it is known without its colour. `among` are the
    steps at which the run was measured: where this curve was left out at many of them, it has a gap. `exact`: it is no
    measurement, and never smoothed. `fills`: the area down to the curve before it is shaded.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    tone: int = 0
    label: str = ""
    among: np.ndarray | None = None
    exact: bool = False
    fills: bool = False


@dataclass(frozen=True)
class Stroke:
    """What is drawn of a curve: points with x ascending, and where one does not hang on the one before (`begins`)."""

    x: np.ndarray
    y: np.ndarray
    begins: np.ndarray
    tone: int = 0
    label: str = ""
    marked: bool | npt.NDArray[np.bool_] = False
    """Which of its points are shown as such."""


def smoothed(y: np.ndarray, weight: float) -> np.ndarray:
    """Exponential moving average over the measurements, each value weighted by `weight` per measurement since.

    Weights are divided by their sum, so that it starts at the first value. A value that is not finite is left out, and
    has no average itself.
    """
    y = np.asarray(y, np.float64)
    known = np.isfinite(y)
    total, weights = np.where(known, y, 0.0), known.astype(np.float64)
    reach = 1
    # after each round, every value holds the sum of twice as many before it
    while reach < len(y) and weight**reach > FORGOTTEN:
        for sums in (total, weights):
            sums[reach:] = sums[reach:] + weight**reach * sums[:-reach]
        reach *= 2
    return np.where(known, total / np.where(known, weights, 1.0), np.nan)


def drawable(values: np.ndarray) -> np.ndarray:
    """Values in float64 with which an axis can be made: NaN for those that are too large, 0 for those too small."""
    values = np.asarray(values, np.float64)
    return np.where(np.abs(values) < HUGE, np.where(np.abs(values) < TINY, 0.0, values), np.nan)


def in_order(curve: PlotCurve) -> PlotCurve:
    """The curve with x ascending: a resumed run records some steps twice."""
    x, y = np.asarray(curve.x), np.asarray(curve.y)
    if len(x) > 1 and np.any(x[1:] < x[:-1]):
        order = np.argsort(x, kind="stable")
        x, y = x[order], y[order]
    return replace(curve, x=x, y=y)


def cleaned(curve: PlotCurve, *, log_x: bool, log_y: bool, window: tuple[float, float] | None = None) -> Stroke:
    """The points of a curve in order that have a place on the axes; with `window`, those in that range of x, and the
    next one on either side."""
    x, y = curve.x, curve.y
    if window is not None:
        first, last = np.searchsorted(x, window[0]), np.searchsorted(x, window[1], side="right")
        x, y = x[max(0, first - 1) : last + 1], y[max(0, first - 1) : last + 1]
    whole = curve.among is None or len(curve.among) == len(x)
    if len(x) > LONG and whole and np.all(y > 0 if log_y else np.isfinite(y)):
        x, y = decimate(x, y, fit(x[[0, -1]], log_x, 1.0 if log_x else 0.0), LONG // 2)
    x, y = x.astype(np.float64), drawable(y)
    keep = np.isfinite(x) & np.isfinite(y)
    if log_y:
        keep &= y > 0
    begins = np.diff(np.r_[-1, np.flatnonzero(keep)]) > 1
    x, y = x[keep], y[keep]
    if len(x):
        begins[0] = True
    if curve.among is not None and not whole:
        begins |= after_gaps(x, curve.among)
    return Stroke(x, y, begins, curve.tone, curve.label, not curve.exact and curve.tone < BAND)


def after_gaps(x: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Which of the points (N,) stand behind a gap: many of the steps `among` lie between it and the one before."""
    if len(x) < 3 or not len(among):
        return np.zeros(len(x), bool)
    place = np.searchsorted(among, x)
    if not np.array_equal(among[np.minimum(place, len(among) - 1)], x):
        # it is not measured when the others are, and so is not left out either
        return np.zeros(len(x), bool)
    passed = np.diff(place)
    beside = np.maximum(np.r_[0, passed[:-1]], np.r_[passed[1:], 0])
    behind: np.ndarray = np.r_[False, passed > GAP * np.maximum(beside, 1)]
    return behind


def thinned(stroke: Stroke, scale: Scale, columns: int) -> Stroke:
    """At most two points for each of the columns, and a few more where it is broken."""
    x, y, begins = stroke.x, stroke.y, stroke.begins
    if len(x) > 1:
        # what is left out of less than one column cannot be seen
        at = scale.share(x) * columns
        begins = begins & np.r_[True, np.diff(at) >= 1]
    if len(x) <= 2 * columns or columns < 1:
        return replace(stroke, begins=begins)
    xs, ys, first = _extremes(x, y, begins, scale, columns)
    return replace(stroke, x=xs, y=ys, begins=first)


def decimate(x: np.ndarray, y: np.ndarray, scale: Scale, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """At most two points a column, its lowest and its highest, so that every spike survives; x ascends.

    They stand at the column's first and last x, in the order that follows the curve's own rise or fall. Takes no
    memory by the length of the curve.
    """
    if len(x) <= 2 * columns or columns < 1:
        return x, y
    xs, ys, _ = _extremes(x, y, np.empty(0, bool), scale, columns)
    return xs, ys


def _extremes(
    x: np.ndarray, y: np.ndarray, begins: np.ndarray, scale: Scale, columns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    edges = scale.low + np.arange(columns) / columns * (scale.high - scale.low)
    starts = np.unique(np.r_[0, np.searchsorted(x, scale.back(edges)), np.flatnonzero(begins)])
    starts = starts[starts < len(x)]
    ends = np.r_[starts[1:], len(x)] - 1
    lows, highs = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    rising = y[starts] <= y[ends]
    xs = np.stack([x[starts], x[ends]], axis=1).ravel()
    ys = np.stack([np.where(rising, lows, highs), np.where(rising, highs, lows)], axis=1).ravel()
    first = np.zeros(len(xs), bool)
    if len(begins):
        first[::2] = begins[starts]
    return xs, ys, first
