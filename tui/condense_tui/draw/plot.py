"""Line plots: plotext draws the curves, and nothing but the curves; axes, rules and the playhead are laid around them.

plotext's own frame and ticks crowd a panel of thirty columns, and a playhead inside the figure would mean drawing the
figure again for every key press. So `build` (10 ms and more, off the UI thread) gives rows that hold whatever the
playhead does, and `with_playhead` (some microseconds) marks the column where it stands.
"""

from __future__ import annotations

import enum
import re
import threading
from dataclasses import dataclass, field, replace

import numpy as np

from condense_tui.draw import numbers
from condense_tui.draw.line import Glyph, Span, spans
from condense_tui.draw.scale import Scale, fit, ticks

# More points than this cost time and change no dot: a braille column takes a minimum and a maximum.
MOST_POINTS = 400
# A longer curve is thinned before anything else is done with it, so that neither time nor memory go with its length.
LONG = 10 * MOST_POINTS
EDGE_ROOM = 0.04
# Times that a curve's label stands on it: often enough to follow it through a bundle.
LABELS = 4
# Beyond this the span of an axis is no finite number any more; such a value is on its way to infinity.
HUGE = 1e150
# Below this, arithmetic on ticks underflows; what is measured gets nowhere near it and counts as 0.
TINY = 1e-150


class PlotTone(enum.IntEnum):
    """What a piece of a plot is, for the widget to choose a style; curves are CURVE, CURVE + 1, …"""

    BLANK = 0
    TICK = 1
    GRID = 2
    RULE = 3
    PLAYHEAD = 4
    MARK = 5
    CURVE = 16


# The tone of a curve that stands back behind the others, such as the edge of a band; one more and further, of that of
# the first, the second, … of several curves.
BAND = 12


@dataclass(frozen=True)
class PlotCurve:
    """One line: its name, steps, values, and which of the curve tones it takes.

    `label`, one character, is set on the curve in some places, so that it is known without its colour.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    tone: int = 0
    label: str = ""


@dataclass(frozen=True)
class Rule:
    """A horizontal reference line with its label."""

    value: float
    label: str


@dataclass(frozen=True)
class Mark:
    """A vertical mark at a step with its label, as for a predicted step of condensation."""

    step: float
    label: str


@dataclass(frozen=True)
class Spec:
    """A plot to be built, in an area of `width` × `height` characters. `bounds` fixes the value axis. `stamp` tells
    data apart whose curves are as long as each other and end at one x."""

    curves: tuple[PlotCurve, ...]
    width: int
    height: int
    log_y: bool = False
    log_x: bool = False
    rule: Rule | None = None
    marks: tuple[Mark, ...] = ()
    bounds: tuple[float, float] | None = None
    braille: bool = True
    stamp: int = 0


@dataclass(frozen=True)
class Plot:
    """A built plot: rows of cells (character, tone), and where its canvas lies."""

    width: int
    height: int
    rows: tuple[tuple[Glyph, ...], ...]
    left: int
    canvas_width: int
    canvas_height: int
    x: Scale
    empty: bool = field(default=False)


def sized(spec: Spec, width: int, height: int, *, braille: bool) -> Spec:
    """The same plot in an area of that size."""
    return replace(spec, width=width, height=height, braille=braille)


def build(spec: Spec) -> Plot:
    """Draw `spec`; curves without a finite value are left out, and so is what does not fit a small area."""
    series = [_clean(curve, spec) for curve in spec.curves]
    series = [curve for curve in series if len(curve.x)]
    canvas_height = max(0, spec.height - 1)
    x = _x_axis(series, spec)
    if not series or canvas_height < 1 or spec.width < 8:
        return Plot(spec.width, spec.height, _blank(spec.width, spec.height), 0, spec.width, canvas_height, x, True)
    y = _y_axis(series, spec)
    y_ticks = ticks(y, max(2, min(5, canvas_height // 2)))
    labels = _y_labels(y_ticks, y)
    left = min(max(map(len, labels.values()), default=0) + 1, spec.width // 3)
    grid = [list(row) for row in _blank(spec.width, spec.height)]
    area = _Area(grid, left, spec.width - left, canvas_height, x, y, spec.braille)
    for value in y_ticks:
        row = area.row(value)
        if row is not None:
            _write(grid[row], 0, labels[value].rjust(left - 1)[: left - 1], PlotTone.TICK)
            _write(grid[row], left, ("┈" if spec.braille else ".") * area.width, PlotTone.GRID)
    if spec.rule is not None:
        _draw_rule(area, spec.rule)
    for mark in spec.marks:
        _draw_mark(area, mark)
    for row, cells in enumerate(_rasterise(area, series)):
        for column, (character, tone) in enumerate(cells):
            if character != " ":
                grid[row][left + column] = (character, tone)
    for mark in spec.marks:
        _label_mark(area, mark)
    _draw_labels(area, series)
    _draw_x_labels(area)
    return Plot(spec.width, spec.height, tuple(map(tuple, grid)), left, area.width, canvas_height, x)


@dataclass(frozen=True)
class _Area:
    """Where curves are drawn: `width` × `height` cells of the grid from column `left`, the x labels below them."""

    grid: list[list[Glyph]]
    left: int
    width: int
    height: int
    x: Scale
    y: Scale
    braille: bool

    def row(self, value: float) -> int | None:
        """The row of the grid that holds a value, None outside."""
        place = float(self.y.share(value))
        if not -1e-9 <= place <= 1 + 1e-9:
            return None
        return self.height - 1 - min(self.height - 1, max(0, round(place * (self.height - 1))))


def with_playhead(plot: Plot, step: int | None, character: str = "│") -> list[list[Span]]:
    """Rows of spans (text, tone) with the playhead's column marked where no curve passes."""
    column = None if step is None or plot.empty else plot.x.column(step, plot.canvas_width)
    rows = []
    for index, cells in enumerate(plot.rows):
        line = list(cells)
        if column is not None and index < plot.canvas_height:
            at = plot.left + column
            if line[at][1] < PlotTone.CURVE:
                line[at] = (character, PlotTone.PLAYHEAD)
        rows.append(spans(line))
    return rows


def decimate(x: np.ndarray, y: np.ndarray, scale: Scale, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """At most two points a column, its lowest and its highest, so that every spike survives; x ascends.

    They stand at the column's first and last x, in the order that follows the curve's own rise or fall. Takes no
    memory by the length of the curve.
    """
    if len(x) <= 2 * columns or columns < 1:
        return x, y
    edges = scale.low + np.arange(columns) / columns * (scale.high - scale.low)
    starts = np.unique(np.r_[0, np.searchsorted(x, scale.back(edges))])
    starts = starts[starts < len(x)]
    ends = np.r_[starts[1:], len(x)] - 1
    lows, highs = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    rising = y[starts] <= y[ends]
    xs = np.stack([x[starts], x[ends]], axis=1).ravel()
    ys = np.stack([np.where(rising, lows, highs), np.where(rising, highs, lows)], axis=1).ravel()
    return xs, ys


def _clean(curve: PlotCurve, spec: Spec) -> PlotCurve:
    x, y = np.asarray(curve.x), np.asarray(curve.y)
    if len(x) > LONG and np.all(x[1:] >= x[:-1]) and np.all(y > 0 if spec.log_y else np.isfinite(y)):
        x, y = decimate(x, y, fit(x[[0, -1]], spec.log_x, 1.0 if spec.log_x else 0.0), LONG // 2)
    x, y = x.astype(np.float64), y.astype(np.float64)
    keep = np.isfinite(x) & (np.abs(y) < HUGE)
    y = np.where(np.abs(y) < TINY, 0.0, y)
    if spec.log_y:
        keep &= y > 0
    x, y = x[keep], y[keep]
    # a resumed run records some steps twice
    if len(x) > 1 and np.any(np.diff(x) < 0):
        order = np.argsort(x, kind="stable")
        x, y = x[order], y[order]
    return PlotCurve(curve.name, x, y, curve.tone, curve.label)


def _x_axis(series: list[PlotCurve], spec: Spec) -> Scale:
    ends = [curve.x[[0, -1]] for curve in series]
    steps = np.concatenate(ends) if ends else np.zeros(1)
    if steps.min() == steps.max():
        # one step alone is the start of a way, not the middle of nothing
        steps = np.r_[steps, steps[0] + 1]
    return fit(steps, spec.log_x, 1.0 if spec.log_x else 0.0)


def _y_axis(series: list[PlotCurve], spec: Spec) -> Scale:
    if spec.bounds is not None and not spec.log_y:
        return Scale(*spec.bounds)
    values = np.concatenate([curve.y for curve in series])
    if spec.rule is not None:
        values = np.r_[values, spec.rule.value]
    found = fit(values, spec.log_y)
    # a curve along the very edge of its panel reads as a part of the frame
    room = EDGE_ROOM * (found.high - found.low)
    return Scale(found.low - room, found.high + room, found.log)


def _y_labels(y_ticks: list[float], y: Scale) -> dict[float, str]:
    if y.log and y.high - y.low >= 1.0:
        return {value: numbers.power(value) for value in y_ticks}
    # ticks of one axis share their decimals, or the column of labels looks ragged
    texts = [numbers.tick(value) for value in y_ticks]
    if any("e" in text for text in texts):
        return dict(zip(y_ticks, texts, strict=True))
    decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
    return {value: f"{value:.{decimals}f}" for value in y_ticks}


def _draw_rule(area: _Area, rule: Rule) -> None:
    row = area.row(rule.value)
    if row is not None:
        _write(area.grid[row], area.left, ("╌" if area.braille else "-") * area.width, PlotTone.RULE)
        if len(rule.label) + 2 <= area.width:
            _write(area.grid[row], area.left + 1, f" {rule.label} ", PlotTone.RULE)


def _draw_mark(area: _Area, mark: Mark) -> None:
    """A dashed column."""
    column = area.x.column(mark.step, area.width)
    if column is not None:
        for row in range(area.height):
            area.grid[row][area.left + column] = ("╎" if area.braille else ":", PlotTone.MARK)


def _label_mark(area: _Area, mark: Mark) -> None:
    """The mark's label beside it, in the first row where it hides neither a curve nor another label; else nowhere."""
    column = area.x.column(mark.step, area.width)
    if column is None:
        return
    label = f" {mark.label} "
    for row in area.grid[: area.height]:
        for at in (column + 1, column - len(label)):
            cells = row[area.left + at : area.left + at + len(label)] if at >= 0 else []
            if len(cells) == len(label) and all(tone <= PlotTone.GRID for _, tone in cells):
                _write(row, area.left + at, label, PlotTone.MARK)
                return


def _draw_labels(area: _Area, series: list[PlotCurve]) -> None:
    """Each curve's label on it, a few times over the width, at columns that no other curve labels."""
    labelled = [curve for curve in series if curve.label]
    for number, curve in enumerate(labelled):
        places = area.x.column_of(curve.x, area.width)
        for turn in range(LABELS):
            column = int((turn + (number + 1) / (len(labelled) + 1)) * area.width / LABELS)
            near = int(np.abs(places - column).argmin())
            row = area.row(float(curve.y[near]))
            if row is not None and abs(places[near] - column) <= area.width / (2 * LABELS):
                _write(area.grid[row], area.left + int(places[near]), curve.label, PlotTone.CURVE + curve.tone)


def _draw_x_labels(area: _Area) -> None:
    values = ticks(area.x, max(2, min(5, area.width // 9)))
    if area.x.log and area.x.low == 0 and area.width >= 24:
        values = [0.0, *values]
    taken = -1
    for value in values:
        column = area.x.column(value, area.width)
        if column is None:
            continue
        text = numbers.short_step(value)
        start = min(max(0, column - len(text) // 2), area.width - len(text))
        if start > taken:
            _write(area.grid[-1], area.left + start, text, PlotTone.TICK)
            taken = start + len(text)


def _write(row: list[Glyph], column: int, text: str, tone: int) -> None:
    for offset, character in enumerate(text):
        if 0 <= column + offset < len(row):
            row[column + offset] = (character, tone)


def _blank(width: int, height: int) -> tuple[tuple[Glyph, ...], ...]:
    return tuple(tuple([(" ", int(PlotTone.BLANK))] * max(0, width)) for _ in range(max(0, height)))


_PIECE = re.compile(r"\x1b\[([0-9;]*)m|([^\x1b\n]+)|(\n)")
# plotext names colours by number; 0 to 15 are taken apart into names of their own, so tones start behind them.
_FIRST_COLOUR = 16


# plotext has one figure for the whole program, and panels are built in threads.
_FIGURE = threading.Lock()


def _rasterise(area: _Area, series: list[PlotCurve]) -> list[list[Glyph]]:
    """Rows of (character, tone) with the curves as plotext draws them on a bare canvas."""
    # imported where it is used: 75 ms that the first frame of the app does not wait for
    import plotext

    columns = min(2 * area.width, MOST_POINTS // 2)
    # drawn last lies on top, and the first curve is the one that matters
    curves = [(curve, *decimate(curve.x, curve.y, area.x, columns)) for curve in reversed(series)]
    with _FIGURE:
        plotext.clear_figure()
        # a figure is as large as its panel, whatever size the terminal had when plotext looked
        plotext.limit_size(False, False)
        plotext.plot_size(area.width, area.height)
        plotext.frame(False)
        plotext.xaxes(False, False)
        plotext.yaxes(False, False)
        plotext.xticks([])
        plotext.yticks([])
        plotext.canvas_color("default")
        plotext.axes_color("default")
        plotext.xlim(0, 1)
        plotext.ylim(0, 1)
        for curve, xs, ys in curves:
            plotext.plot(
                area.x.share(xs).tolist(),
                np.clip(area.y.share(ys), -0.5, 1.5).tolist(),
                marker="braille" if area.braille else "*",
                color=_FIRST_COLOUR + curve.tone,
            )
        canvas = plotext.build()
    return _parse(canvas, area.height)


def _parse(canvas: str, height: int) -> list[list[Glyph]]:
    rows: list[list[Glyph]] = [[]]
    tone = int(PlotTone.BLANK)
    for match in _PIECE.finditer(canvas):
        codes, text, newline = match.groups()
        if newline:
            rows.append([])
        elif text:
            rows[-1].extend((character, tone) for character in text)
        elif codes.startswith("38;5;"):
            tone = int(PlotTone.CURVE) + int(codes[5:]) - _FIRST_COLOUR
        elif codes == "0":
            tone = int(PlotTone.BLANK)
    return rows[:height]
