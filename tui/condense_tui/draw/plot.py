"""Line plots: the curves are drawn on a bare canvas, and axes, rules and the playhead are laid around them.

A playhead inside the figure would mean drawing the figure again for every key press. So `build` (off the UI thread)
gives rows that hold whatever the playhead does, and `with_playhead` (some microseconds) marks where it and the cursor
stand.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from condense_tui.draw import canvas, numbers
from condense_tui.draw.line import Glyph, Span, spans
from condense_tui.draw.scale import Scale, fit, ticks
from condense_tui.draw.strokes import BAND, HUGE, MOST_POINTS, PlotCurve, Stroke, cleaned, in_order, smoothed, thinned

EDGE_ROOM = 0.04
# Times that a curve's label stands on it: often enough to follow it through a bundle.
LABELS = 4
# A measured point is shown as such where nothing was measured for so many cells on one side of it.
MARK_ROOM = 3
# Added to the tone of a cell that lies in a band.
SHADE = 1 << 12
# Cells that a band is high where it is shaded: of a narrower one its edges say all.
LEAST_BAND = 1.0

Rasterise = Callable[..., list[list[Glyph]]]
"""`canvas.rasterise`, or plotext's (`draw/printed.py`) where a plot is printed."""


class PlotTone(enum.IntEnum):
    """What a piece of a plot is, for the widget to choose a style; curves are CURVE, CURVE + 1, …"""

    BLANK = 0
    TICK = 1
    GRID = 2
    RULE = 3
    PLAYHEAD = 4
    MARK = 5
    CURSOR = 6
    CURVE = 16


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
    data apart whose curves are as long as each other and end at one x. `window` is the range of x in view, all without;
    `smooth` the weight of a moving average, 0 without: the curves as measured stand back behind it then."""

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
    of: str = ""
    """Whose curves they are: those of two layers have the same names and lengths, and are other curves."""
    window: tuple[float, float] | None = None
    smooth: float = 0.0


@dataclass(frozen=True)
class Plot:
    """A built plot: rows of cells (character, tone), and where its canvas lies. `curves` are those that a cursor reads,
    x ascending and smoothed; of them `unseen` values have no place on a logarithmic axis."""

    width: int
    height: int
    rows: tuple[tuple[Glyph, ...], ...]
    left: int
    canvas_width: int
    canvas_height: int
    x: Scale
    empty: bool = field(default=False)
    y: Scale = field(default=Scale(0, 1))
    curves: tuple[PlotCurve, ...] = ()
    unseen: int = 0


def sized(spec: Spec, width: int, height: int, *, braille: bool) -> Spec:
    """The same plot in an area of that size."""
    return replace(spec, width=width, height=height, braille=braille)


def build(spec: Spec, rasterise: Rasterise = canvas.rasterise) -> Plot:
    """Draw `spec`; curves without a finite value are left out, and so is what does not fit a small area."""
    curves = [in_order(curve) for curve in spec.curves]
    if spec.smooth:
        behind = [replace(curve, tone=BAND + 1 + curve.tone, label="") for curve in curves if _averaged(curve)]
        curves = [
            replace(curve, y=smoothed(curve.y, spec.smooth)) if _averaged(curve) else curve for curve in curves
        ] + behind
    strokes = (cleaned(curve, log_x=spec.log_x, log_y=spec.log_y, window=spec.window) for curve in curves)
    series = [stroke for stroke in strokes if len(stroke.x)]
    x = _x_axis(series, spec)
    if not series:
        return empty_plot(spec)
    y = _y_axis(series, spec)
    read = tuple(curve for curve in curves if curve.tone <= BAND)
    unseen = sum(int(((curve.y <= 0) & np.isfinite(curve.y)).sum()) for curve in read) if spec.log_y else 0
    plot = laid_out(spec, lambda width: _on(width, x, series), x, y, rasterise)
    for low, high in pairwise(curves):
        if high.fills:
            edges = (cleaned(edge, log_x=spec.log_x, log_y=spec.log_y, window=spec.window) for edge in (low, high))
            plot = _shaded(plot, *edges)
    return replace(plot, curves=read, unseen=unseen)


def _shaded(plot: Plot, low: Stroke, high: Stroke) -> Plot:
    """The plot with the cells between two strokes shaded, where both were measured and are a cell or more apart."""
    if min(len(low.x), len(high.x)) < 2 or plot.empty or plot.canvas_width < 2:
        return plot
    at = plot.x.low + np.arange(plot.canvas_width) / (plot.canvas_width - 1) * (plot.x.high - plot.x.low)
    little = 1e-9 * (plot.x.high - plot.x.low)
    rows, joined = [], np.ones(plot.canvas_width, bool)
    for edge in (high, low):
        place = plot.x.forward(edge.x)
        there = (at >= place[0] - little) & (at <= place[-1] + little)
        joined &= there & ~edge.begins[np.clip(np.searchsorted(place, at - little), 1, len(place) - 1)]
        rows.append((1 - np.interp(at, place, plot.y.share(edge.y))) * (plot.canvas_height - 1))
    top, bottom = (np.rint(np.clip(row, -1, plot.canvas_height)) for row in rows)
    wide = joined & (rows[1] - rows[0] >= LEAST_BAND)
    grid = np.arange(plot.canvas_height)[:, None]
    inside = wide & (grid >= top) & (grid <= bottom)
    shaded = [list(cells) for cells in plot.rows]
    for row, column in np.argwhere(inside).tolist():
        character, tone = shaded[row][plot.left + column]
        shaded[row][plot.left + column] = character, tone | SHADE
    return replace(plot, rows=tuple(map(tuple, shaded)))


def empty_plot(spec: Spec) -> Plot:
    """The area with nothing in it."""
    rows = _blank(spec.width, spec.height)
    return Plot(spec.width, spec.height, rows, 0, spec.width, max(0, spec.height - 1), Scale(0, 1), True)


def laid_out(
    spec: Spec,
    strokes: Callable[[int], Sequence[Stroke]],
    x: Scale,
    y: Scale,
    rasterise: Rasterise = canvas.rasterise,
    *,
    x_labels: Mapping[float, str] | None = None,
) -> Plot:
    """Strokes with axes and marks around them. `strokes` gives them for a canvas of so many columns; `x_labels` are the
    ticks of the axis across, steps without."""
    canvas_height = max(0, spec.height - 1)
    if canvas_height < 1 or spec.width < 8:
        return empty_plot(spec)
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
    shown = strokes(area.width)
    placed = [replace(stroke, x=x.share(stroke.x), y=y.share(stroke.y)) for stroke in shown]
    drawn = rasterise(placed, area.width, area.height, int(PlotTone.CURVE), braille=spec.braille)
    for row, cells in enumerate(drawn):
        for column, (character, tone) in enumerate(cells):
            if character != " ":
                grid[row][left + column] = (character, tone)
    for mark in spec.marks:
        _label_mark(area, mark)
    _draw_labels(area, shown)
    if spec.rule is not None:
        _label_rule(area, spec.rule)
    _draw_x_labels(area, _step_labels(area) if x_labels is None else x_labels)
    return Plot(spec.width, spec.height, tuple(map(tuple, grid)), left, area.width, canvas_height, x, False, y)


def _averaged(curve: PlotCurve) -> bool:
    return curve.tone < BAND and not curve.exact


def _on(width: int, x: Scale, series: Sequence[Stroke]) -> list[Stroke]:
    """The strokes with no more points than can be seen, and those marked between which the line is long: it would
    pass for measured otherwise."""
    found = []
    for stroke in series:
        thin = thinned(stroke, x, min(2 * width, MOST_POINTS // 2))
        wide = np.diff(x.share(thin.x)) * width >= MARK_ROOM
        alone = len(thin.x) == 1
        found.append(replace(thin, marked=stroke.marked & (np.r_[wide, alone] | np.r_[alone, wide])))
    return found


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


def with_playhead(
    plot: Plot, step: int | None, character: str = "│", cursor: float | None = None, cursor_character: str = "┆"
) -> list[list[Span]]:
    """Rows of spans (text, tone) with the columns of the playhead and of the cursor marked where no curve passes and no
    word stands."""
    marks = [(step, character, PlotTone.PLAYHEAD), (cursor, cursor_character, PlotTone.CURSOR)]
    columns = [
        (plot.left + column, sign, tone)
        for x, sign, tone in marks
        if x is not None and not plot.empty and (column := plot.x.column(x, plot.canvas_width)) is not None
    ]
    rows = []
    for index, cells in enumerate(plot.rows):
        line = list(cells)
        for at, sign, tone in columns if index < plot.canvas_height else ():
            shade = line[at][1] & SHADE
            if line[at][1] - shade < PlotTone.CURVE and not _of_a_word(line[at][0]):
                line[at] = (sign, tone + shade)
        rows.append(spans(line))
    return rows


def _of_a_word(character: str) -> bool:
    return character.isalnum() or character == "%"


def _x_axis(series: list[Stroke], spec: Spec) -> Scale:
    if spec.window is not None:
        return fit(np.array(spec.window), spec.log_x, 1.0 if spec.log_x else 0.0)
    ends = [curve.x[[0, -1]] for curve in series]
    steps = np.concatenate(ends) if ends else np.zeros(1)
    if steps.min() == steps.max():
        # one step alone is the start of a way, not the middle of nothing
        steps = np.r_[steps, steps[0] + 1]
    return fit(steps, spec.log_x, 1.0 if spec.log_x else 0.0)


def _y_axis(series: list[Stroke], spec: Spec) -> Scale:
    if spec.bounds is not None and not spec.log_y and spec.window is None:
        return Scale(*spec.bounds)
    values = np.concatenate([curve.y for curve in series])
    if spec.window is not None:
        low, high = spec.window
        inside = np.concatenate([(curve.x >= low) & (curve.x <= high) for curve in series])
        values = values[inside] if inside.any() else values
    elif spec.rule is not None and abs(spec.rule.value) < HUGE:
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


def _draw_mark(area: _Area, mark: Mark) -> None:
    """A dashed column."""
    column = area.x.column(mark.step, area.width)
    if column is not None:
        for row in range(area.height):
            area.grid[row][area.left + column] = ("╎" if area.braille else ":", PlotTone.MARK)


def _label_rule(area: _Area, rule: Rule) -> None:
    """The rule's label on it: at its beginning, else at its end, else wherever it hides neither a curve nor a mark;
    where it hides something everywhere, at its beginning, since half a label says nothing."""
    row, label = area.row(rule.value), f" {rule.label} "
    last = area.width - len(label)
    if row is None or last < 0 or not rule.label:
        return
    cells = area.grid[row]
    first = min(1, last)
    free = (
        at
        for at in (first, last - first, *range(last + 1))
        if all(tone <= PlotTone.RULE for _, tone in cells[area.left + at : area.left + at + len(label)])
    )
    _write(cells, area.left + next(free, first), label, PlotTone.RULE)


def _label_mark(area: _Area, mark: Mark) -> None:
    """The mark's label beside it, in the first row where it hides neither a curve nor another label; else nowhere."""
    column = area.x.column(mark.step, area.width)
    if column is None or not mark.label:
        return
    label = f" {mark.label} "
    for row in area.grid[: area.height]:
        for at in (column + 1, column - len(label)):
            cells = row[area.left + at : area.left + at + len(label)] if at >= 0 else []
            if len(cells) == len(label) and all(tone <= PlotTone.GRID for _, tone in cells):
                _write(row, area.left + at, label, PlotTone.MARK)
                return


def _draw_labels(area: _Area, series: Sequence[Stroke]) -> None:
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


def _step_labels(area: _Area) -> dict[float, str]:
    values = ticks(area.x, max(2, min(5, area.width // 9)))
    if area.x.log and area.x.low == 0 and area.width >= 24:
        values = [0.0, *values]
    labels = {value: numbers.short_step(value) for value in values}
    if len(set(labels.values())) < len(labels):
        # so near to each other that they read alike in short: whole ones in full, and no others
        labels = {value: numbers.step(int(value)) for value in values if float(value).is_integer()}
    return labels


def _draw_x_labels(area: _Area, labels: Mapping[float, str]) -> None:
    taken = -1
    for value, text in labels.items():
        column = area.x.column(value, area.width)
        if column is None:
            continue
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
