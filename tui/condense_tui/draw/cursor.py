"""Reading a plot: where its cursor may stand, what it reads there, and which part of the plot is in view."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from condense_tui.draw import numbers
from condense_tui.draw.plot import Plot
from condense_tui.draw.scale import Scale
from condense_tui.draw.strokes import PlotCurve

# One press or one turn of the wheel: three of them make one third of what was in view.
ZOOM = 1.5
# A view of less than this of the whole shows two points of a line, and no more.
LEAST_SHARE = 1e-4
# What one press moves the view by, of its width.
PAN = 0.25

Window = tuple[float, float]
"""The range of x in view."""


@dataclass(frozen=True)
class CurveReading:
    """What the cursor reads at `x`: of each curve its name and value, None where it was not measured at that x."""

    x: float
    values: tuple[tuple[str, float | None], ...]


def read(plot: Plot, x: float) -> CurveReading:
    """The curves' values at exactly that x; of a step that was recorded twice the newer one."""
    return CurveReading(x, tuple((curve.label or curve.name, _value(curve, x)) for curve in plot.curves))


def words(reading: CurveReading, width: int, *, steps: bool = True) -> str:
    """A reading in at most `width` characters where that can be: names of curves are left out first, then curves."""
    at = f"step {numbers.step(int(reading.x))}" if steps else f"at {numbers.measure(reading.x, 3)}"
    texts = [(name, numbers.measure(value, 4)) for name, value in reading.values]
    if len(texts) == 1:
        return f"{at} · {'not measured' if reading.values[0][1] is None else texts[0][1]}"
    named = [f"{name} {text}" for name, text in texts]
    while len(" · ".join([at, *named])) > width and len(named) > 1:
        named.pop()
    whole = " · ".join([at, *named])
    return whole if len(whole) <= width else " · ".join([at, texts[0][1]])


def moved(plot: Plot, x: float | None, columns: int) -> float | None:
    """The measured x so many columns from `x`, at least the next one; without `x`, the middle one in view."""
    stops = _stops(plot)
    if not len(stops):
        return None
    if x is None:
        return nearest(plot, plot.canvas_width // 2)
    share = float(plot.x.share(x)) + columns / max(1, plot.canvas_width)
    # what lies in the same column cannot be told apart
    target = plot.x.back(plot.x.low + share * (plot.x.high - plot.x.low))
    if columns > 0:
        beyond = max(np.searchsorted(stops, x, side="right"), np.searchsorted(stops, target))
        return float(stops[min(len(stops) - 1, int(beyond))])
    before = min(np.searchsorted(stops, x), np.searchsorted(stops, target, side="right"))
    return float(stops[max(0, int(before) - 1)])


def nearest(plot: Plot, column: int) -> float | None:
    """The measured x nearest to a column of the canvas; None where there is none in view."""
    stops = _stops(plot)
    shares = plot.x.share(stops)
    inside = stops[(shares >= 0) & (shares <= 1)]
    if not len(inside):
        return None
    place = (column + 0.5) / max(1, plot.canvas_width)
    return float(inside[int(np.abs(plot.x.share(inside) - place).argmin())])


def zoomed(plot: Plot, closer: bool, around: float | None) -> Window | None:
    """The window a step closer, or further away, around an x that stays where it is; None where all is in view."""
    whole = _whole(plot)
    if whole is None:
        return None
    scale = plot.x
    share = 0.5 if around is None else min(1.0, max(0.0, float(scale.share(around))))
    span = (scale.high - scale.low) * (1 / ZOOM if closer else ZOOM)
    low = scale.low + share * (scale.high - scale.low) - share * span
    return _fitted(scale, low, low + span, whole)


def panned(plot: Plot, shares: float) -> Window | None:
    """The window moved by so many of its widths, within what was measured; None where all is in view."""
    whole = _whole(plot)
    if whole is None:
        return None
    scale = plot.x
    first, last = (float(scale.forward(end)) for end in whole)
    by = shares * (scale.high - scale.low)
    by = min(max(by, first - scale.low), last - scale.high) if first - scale.low <= last - scale.high else 0.0
    return _fitted(scale, scale.low + by, scale.high + by, whole)


def _fitted(scale: Scale, low: float, high: float, whole: Window) -> Window | None:
    """A window in the axis's own coordinate, as a range of x inside what was measured."""
    start, end = max(whole[0], scale.back(low)), min(whole[1], scale.back(high))
    if (start, end) == whole:
        return None
    if not end - start >= LEAST_SHARE * (whole[1] - whole[0]):
        return scale.back(scale.low), scale.back(scale.high)
    return start, end


def _whole(plot: Plot) -> Window | None:
    ends = [curve.x[[0, -1]] for curve in plot.curves if len(curve.x)]
    if plot.empty or not ends:
        return None
    low, high = float(np.min(ends)), float(np.max(ends))
    return (low, high) if high > low else None


def _stops(plot: Plot) -> np.ndarray:
    """Where the cursor can stand: at the points of the first curve."""
    curve = next((curve for curve in plot.curves if len(curve.x)), None)
    return np.empty(0) if curve is None or plot.empty else curve.x


def _value(curve: PlotCurve, x: float) -> float | None:
    at = int(np.searchsorted(curve.x, x, side="right")) - 1
    if at < 0 or curve.x[at] != x or math.isnan(curve.y[at]):
        return None
    return float(curve.y[at])
