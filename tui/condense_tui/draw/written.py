"""Values of measures as tables have them: how each is written, its kind in the table of measures says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from condense_core.measure_table import MEASURES, MeasureKind
from condense_core.thresholds import COARSE, FINE, Cut, other_cut
from condense_tui.draw.numbers import UNKNOWN, kernels_in_words, measure, percent, plural, short_step

if TYPE_CHECKING:
    from condense_core.runfile.frames import Condensation
    from condense_core.runs.layer_over_seeds import LayerOverSeeds
    from condense_core.runs.over_seeds import OverSeeds

# Figures in a narrow column: two cosines that differ in the next one are alike for a list.
NARROW = 3


def written(name: str, value: float | None, *, narrow: bool = False) -> str:
    """A value of the measure of that name; a dash for what was not measured or is no number.

    `narrow`: with as few figures as one of many columns has room for.
    """
    found = MEASURES[name]
    if narrow and found.kind == "step" and value is not None and not math.isnan(value):
        return short_step(value)
    return written_as(found.kind, value, min(NARROW, found.digits) if narrow else found.digits)


def written_as(kind: MeasureKind, value: float | None, digits: int = 4) -> str:
    """A value of a measure of that kind."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if kind == "share":
        return percent(value)
    if kind == "flag":
        return "yes" if value > 0 else "no"
    if kind == "step":
        return f"step {value:.0f}"
    if kind == "count":
        return f"{value:g}"
    return measure(value, digits)


def over(name: str, values: OverSeeds) -> str:
    """A measure over seeds: `5 (2–6)`, the most frequent count or the median with its range; the value alone where all
    have the same; of yes or no, `4 of 10`."""
    kind = MEASURES[name].kind
    if kind == "flag" and values.known > 1:
        return f"{values.yes} of {values.known}"
    middle = written(name, values.middle)
    low, high = written(name, values.low), written(name, values.high)
    if not values.known or low == high:
        return middle
    if kind == "share":
        low = low.removesuffix(" %")
    return f"{middle} ({low.removeprefix('step ')}–{high.removeprefix('step ')})"


def lines_of(values: OverSeeds) -> str:
    """`1 line`, `5 lines (2–6)`: the lines of a layer, of several seeds the most frequent number and the range."""
    if not values.known:
        return UNKNOWN
    often = plural(round(values.middle), "line")
    return often if values.alike else f"{often} ({values.low:g}–{values.high:g})"


def lines_in(frame: Condensation, cut: Cut) -> str:
    """`2 lines at 0.9`, `1 line at 0.8, 2 at 0.9`: the lines of a frame, at the other cut too where that differs."""
    counts = {FINE: frame.lines, COARSE: frame.lines_coarse}
    said = f"{plural(counts[cut], 'line')} at {cut.short}"
    rest = other_cut(cut)
    return said if counts[rest] == counts[cut] else f"{said}, {counts[rest]} at {rest.short}"


def remarks(layers: Sequence[LayerOverSeeds]) -> list[str]:
    """Under a table of layers: at which cut lines are counted, of which seeds, and what the dagger means."""
    first = layers[0]
    said = [f"lines, directions, coverage and condensed: cut at |cos| {first.cut.words}"]
    if first.seeds > 1:
        left_out = f"; {first.diverged} diverged and are left out" if first.diverged else ""
        said.append(f"of {first.seeds} seeds: the most frequent number of lines, medians of other values{left_out}")
    said += [
        f"{layer.name}: {kernels_in_words(layer.kernels, layer.drawn_of)} are measured"
        for layer in layers
        if layer.drawn_of is not None
    ]
    if any(layer.left_again for layer in layers):
        said.append("† condensed at that step, but not at the end")
    return said
