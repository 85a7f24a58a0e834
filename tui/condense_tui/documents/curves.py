"""Curves over the steps of training as an SVG: one or many runs, rules and marks, ticks at round values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from condense_tui.documents.markup import Markup, el, join
from condense_tui.draw.numbers import power, short_step, tick
from condense_tui.draw.scale import Scale, fit, ticks
from condense_tui.draw.strokes import HUGE

WIDTH, HEIGHT = 300, 190
LEFT, RIGHT, TOP, BOTTOM = 40, 32, 8, 22
# Points of a curve: two a pixel column at the size at which it is shown would be seen as one.
POINTS = 120
POINTS_BEHIND = 50
# Share of the axis that a line spans before the points at its ends are marked.
LONG = 0.04
# Below this distance two names at the ends of curves run into each other.
NAME_HEIGHT = 11.0


@dataclass(frozen=True)
class ChartCurve:
    """Steps and values; a curve `behind` is one of many and drawn faintly, a `wide` one can be seen under another.
    `name` is written at its end. `points`: they are not joined; `whole`: no point is left out."""

    steps: np.ndarray
    values: np.ndarray
    behind: bool = False
    name: str = ""
    tone: int = 0
    wide: bool = False
    points: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Chart:
    """Curves with their axes. `rule` is a value marked across, `mark` a step marked upwards, each with its words.
    `of_steps`: on a logarithmic axis 0 has a place, too."""

    title: str
    curves: Sequence[ChartCurve]
    log: bool = False
    rule: tuple[float, str] | None = None
    mark: tuple[float, str] | None = None
    low: float | None = None
    high: float | None = None
    log_x: bool = True
    of_steps: bool = True


def plot(spec: Chart) -> Markup:
    """The plot; curves without a finite value are left out."""
    return el("svg", drawing(spec), class_="plot", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=spec.title)


def drawing(spec: Chart) -> Markup:
    """The plot's shapes in an area of WIDTH × HEIGHT."""
    steps = np.concatenate([curve.steps for curve in spec.curves]) if spec.curves else np.empty(0)
    values = np.concatenate([curve.values for curve in spec.curves]) if spec.curves else np.empty(0)
    extra = [value for value in (spec.low, spec.high, spec.rule[0] if spec.rule else None) if value is not None]
    # beyond this the span of an axis is no finite number; such a value is on its way to infinity
    values, extra = values[np.abs(values) < HUGE], [value for value in extra if abs(value) < HUGE]
    x = fit(steps, log=spec.log_x, shift=1.0 if spec.log_x and spec.of_steps else 0.0)
    y = fit(np.r_[values, extra], log=spec.log)
    parts = [*_grid(x, y), *_annotations(spec, x, y)]
    parts += [_line(curve, x, y) for curve in sorted(spec.curves, key=lambda curve: not curve.behind)]
    parts += _names(spec.curves, y)
    return join(*parts)


def _grid(x: Scale, y: Scale) -> list[Markup]:
    parts: list[Markup] = []
    # a step of 0 has no place of its own on a logarithmic axis
    across = [value for value in ticks(x, 4) if value >= 1 or not (x.log and x.shift)]
    for value in across:
        place = _x(x, value)
        parts.append(el("line", class_="grid", x1=place, x2=place, y1=TOP, y2=HEIGHT - BOTTOM))
        parts.append(
            el("text", short_step(value), class_="tick", x=place, y=HEIGHT - BOTTOM + 13, text_anchor="middle")
        )
    for value in ticks(y, 5):
        place = _y(y, value)
        name = power(value) if y.log and y.high - y.low >= 1 else tick(value)
        parts.append(el("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=place, y2=place))
        parts.append(el("text", name, class_="tick", x=LEFT - 5, y=place + 3.5, text_anchor="end"))
    return parts


def _annotations(spec: Chart, x: Scale, y: Scale) -> list[Markup]:
    parts: list[Markup] = []
    if spec.rule is not None and _can_stand(y, spec.rule[0]):
        place = _y(y, spec.rule[0])
        parts.append(el("line", class_="rule", x1=LEFT, x2=WIDTH - RIGHT, y1=place, y2=place))
        parts.append(el("text", spec.rule[1], class_="note", x=LEFT + 4, y=place - 4))
    if spec.mark is not None and x.low <= float(x.forward(spec.mark[0])) <= x.high:
        place = _x(x, spec.mark[0])
        left = place > (LEFT + WIDTH - RIGHT) / 2
        parts.append(el("line", class_="rule", x1=place, x2=place, y1=TOP, y2=HEIGHT - BOTTOM))
        shift, anchor = (-4, "end") if left else (4, "start")
        parts.append(el("text", spec.mark[1], class_="note", x=place + shift, y=TOP + 9, text_anchor=anchor))
    return parts


def _line(curve: ChartCurve, x: Scale, y: Scale) -> Markup:
    shown = _seen(y, curve)
    steps, values = curve.steps[shown], curve.values[shown]
    if not len(steps):
        return Markup("")
    if curve.points:
        return _dots(curve, x.share(steps), y.share(values))
    if not curve.whole:
        steps, values = _thinned(steps, values, x, POINTS_BEHIND if curve.behind else POINTS)
    points = " ".join(f"{_x(x, a):g},{_y(y, b):g}" for a, b in zip(steps.tolist(), values.tolist(), strict=True))
    style = f"curve tone{curve.tone}" + (" behind" if curve.behind else " wide" if curve.wide else "")
    line = el("polyline", class_=style, points=points)
    # what lies between two points that are far apart was not measured
    share = x.share(steps)
    wide, alone = np.diff(share) >= LONG, len(share) == 1
    ends = np.r_[wide, alone] | np.r_[alone, wide]
    return join(line, _dots(curve, share[ends], y.share(values[ends]))) if ends.any() and _measured(curve) else line


def _measured(curve: ChartCurve) -> bool:
    return not (curve.behind or curve.wide or curve.whole)


def _dots(curve: ChartCurve, across: np.ndarray, up: np.ndarray) -> Markup:
    """The points, those that would be drawn over each other once, as one shape: a line of no length has round ends."""
    places = np.unique(
        np.stack(
            [np.rint(LEFT + across * (WIDTH - LEFT - RIGHT)), np.rint(HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM))],
            axis=1,
        ),
        axis=0,
    )
    path = "".join(f"M{x:g} {y:g}h0" for x, y in places.tolist())
    return el("path", class_=f"dots tone{curve.tone}" + (" behind" if curve.behind else ""), d=path)


def _names(curves: Sequence[ChartCurve], y: Scale) -> list[Markup]:
    """Names at the curves' ends, from the top down, each pushed below the one above it."""
    ends = []
    for curve in curves:
        shown = curve.values[_seen(y, curve)]
        if curve.name and len(shown):
            ends.append((_y(y, float(shown[-1])), curve))
    parts, lowest = [], -float("inf")
    for place, curve in sorted(ends, key=lambda end: end[0]):
        lowest = max(place, lowest + NAME_HEIGHT)
        style = f"name tone{curve.tone}"
        parts.append(el("text", curve.name, class_=style, x=WIDTH - RIGHT + 3, y=round(lowest + 3.5, 1)))
    return parts


def _seen(y: Scale, curve: ChartCurve) -> np.ndarray:
    """Which values have a place on the axis."""
    found: np.ndarray = np.isfinite(y.forward(curve.values)) & (np.abs(curve.values) < HUGE)
    return found


def _can_stand(scale: Scale, value: float) -> bool:
    return bool(np.isfinite(scale.forward(value))) and abs(value) < HUGE


def _thinned(steps: np.ndarray, values: np.ndarray, x: Scale, points: int) -> tuple[np.ndarray, np.ndarray]:
    """At most `points` of the points, evenly along the axis, both ends included."""
    if len(steps) <= points:
        return steps, values
    share = x.share(steps)
    wanted = np.linspace(float(share[0]), float(share[-1]), points)
    chosen = np.unique(np.r_[0, np.searchsorted(share, wanted).clip(0, len(steps) - 1), len(steps) - 1])
    return steps[chosen], values[chosen]


def _x(scale: Scale, step: float) -> float:
    return round(LEFT + float(scale.share(step)) * (WIDTH - LEFT - RIGHT), 1)


def _y(scale: Scale, value: float) -> float:
    return round(HEIGHT - BOTTOM - float(scale.share(value)) * (HEIGHT - TOP - BOTTOM), 1)
