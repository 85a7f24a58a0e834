"""Curves and points of a figure: colours and dashes, gaps where nothing was measured, and dots beside them."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from condense_tui.export.paper import axes as along
from condense_tui.export.paper.sheet import CurvesPanel, SheetLine
from condense_tui.export.paper.words import plain

# Okabe and Ito's colours, which all kinds of colour blindness tell apart; their yellow cannot be seen on white.
TONES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#7f7f7f")
# On a print without colour lines are told apart by these.
DASHES: tuple[str | tuple[float, tuple[float, ...]], ...] = (
    "-",
    (0, (5, 1.6)),
    (0, (1.2, 1.2)),
    (0, (5, 1.4, 1.2, 1.4)),
    (0, (8, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (2, 2)),
    (0, (10, 2, 2, 2)),
)
BEHIND, RULE = "#9a9a9a", "#555555"
# Points that are farther apart than this share of the axis are marked, since nothing was measured between them.
APART = 0.08


def draw_curves(axes: Axes, panel: CurvesPanel, most: tuple[int, int]) -> None:
    """The panel's lines, its axes and its marks; at most so many steps between numbers across, and up."""
    if panel.log_y:
        axes.set_yscale("log")
    on_log_steps = panel.along == "step" and panel.log_x
    if on_log_steps:
        # step 0 is measured, too: it has a place of its own before step 1
        first = min((float(line.x.numpy().min()) for line in panel.lines if line.x.shape[0]), default=0.0)
        if first > 0:
            axes.set_xscale("log")
        else:
            axes.set_xscale("symlog", linthresh=1, linscale=0.4)
    axes.margins(x=0.02)
    for line in panel.lines:
        _line(axes, line, alone=len(panel.lines) == 1)
    for mark in panel.marks:
        thin = mpl.rcParams["axes.linewidth"]
        axes.axvline(mark.x, color=RULE, linestyle=(0, (2, 2)), linewidth=thin, label=plain(mark.name))
    _widen_if_flat(axes, panel)
    if panel.bounds is not None and not panel.log_y:
        low, high = axes.get_ylim()
        room = 0.03 * (max(high, panel.bounds[1]) - min(low, panel.bounds[0]))
        axes.set_ylim(min(low, panel.bounds[0] - room), max(high, panel.bounds[1] + room))
    _ticks(axes, panel, most)
    for line in panel.lines:
        if not (line.exact or line.points):
            _mark_measured(axes, line)


def _widen_if_flat(axes: Axes, panel: CurvesPanel) -> None:
    """An axis over values that differ by rounding would show noise as shape."""
    values = np.concatenate([line.y.numpy() for line in panel.lines])
    values = values[np.isfinite(values)]
    if len(values) and np.ptp(values) <= 1e-6 * np.abs(values).max():
        middle = float(values[0])
        room = max(0.1 * abs(middle), 1e-12)
        axes.set_ylim(*(middle / 1.1, middle * 1.1) if panel.log_y else (middle - room, middle + room))


def _ticks(axes: Axes, panel: CurvesPanel, most: tuple[int, int]) -> None:
    if panel.log_y:
        low, high = axes.get_ylim()
        along.log_values(axes.yaxis, low, high, most[1])
    elif panel.whole:
        axes.yaxis.set_major_locator(along.round_numbers(most[1], whole=True))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(most[1], steps=[1, 2, 2.5, 5, 10]))
    match panel.along:
        case "angle":
            axes.set_xlim(-math.pi, math.pi)
            along.angles_along(axes.xaxis)
        case "rank":
            last = max((int(line.x.numpy().max(initial=1)) for line in panel.lines), default=1)
            axes.set_xlim(0.5 - 0.02 * last, 0.5 + 1.02 * last)
            axes.xaxis.set_major_locator(along.first_to_last(1, last))
        case "step" if panel.log_x:
            axes.set_xlim(left=max(axes.get_xlim()[0], -0.1))
            axes.xaxis.set_minor_locator(NullLocator())
        case "step":
            along.steps_along(axes.xaxis, most[0])
        case _:
            axes.xaxis.set_major_locator(MaxNLocator(most[0], steps=[1, 2, 2.5, 5, 10]))


def _line(axes: Axes, line: SheetLine, *, alone: bool) -> None:
    tone, label = _tone(line), plain(line.name) or None
    if line.points:
        axes.plot(line.x.numpy(), line.y.numpy(), "o", color=tone, label=label, markeredgewidth=0)
        return
    x, y = _broken(line, line.x.numpy()), _broken(line, line.y.numpy())
    dashes = "-" if alone or line.tone < 0 else DASHES[line.tone % len(DASHES)]
    width = mpl.rcParams["lines.linewidth"] * (0.6 if line.tone < 0 else 1)
    axes.plot(x, y, linestyle=dashes, color=tone, label=label, linewidth=width, zorder=1 if line.tone < 0 else 2)
    if line.low is not None and line.high is not None:
        low, high = _broken(line, line.low.numpy()), _broken(line, line.high.numpy())
        axes.fill_between(x, low, high, color=tone, alpha=0.2, linewidth=0)


def _broken(line: SheetLine, values: np.ndarray) -> np.ndarray:
    """The values with a gap before each point that does not hang on the one before."""
    begins = np.flatnonzero(line.begins.numpy())
    return np.insert(values, begins[begins > 0], np.nan)


def _mark_measured(axes: Axes, line: SheetLine) -> None:
    """Dots where a neighbour is far away, or on the other side of a gap."""
    x, y, begins = line.x.numpy(), line.y.numpy(), line.begins.numpy() > 0
    if not len(x):
        return
    # limits are those of all that is drawn once they are asked for
    axes.get_xlim(), axes.get_ylim()
    to_share = axes.transScale + axes.transLimits
    far = (np.diff(to_share.transform(np.stack([x, y], axis=1))[:, 0]) > APART) | begins[1:]
    ends = np.r_[far, len(x) == 1] | np.r_[len(x) == 1, far]
    axes.plot(x[ends], y[ends], "o", color=_tone(line), markeredgewidth=0)


def _tone(line: SheetLine) -> str:
    return BEHIND if line.tone < 0 else TONES[line.tone % len(TONES)]
