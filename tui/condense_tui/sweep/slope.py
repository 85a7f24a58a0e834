"""The order parameter of a phase diagram: the slope S of ln RD(θ) against ln M over the widths of a cell.

RD = ‖θ(t) - θ(0)‖ / ‖θ(0)‖ of a layer's kernels, its largest recorded value in a run, the median over seeds. Where it
grows with the width, S > 0, the layer condenses; where it vanishes, S < 0, it stays linear (Luo et al. 2021).
# W widths, D draws of the seeds
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from condense_core.errors import ScenarioError
from condense_tui.sweep.axes import Axis, number
from condense_tui.sweep.plan import Sweep
from condense_tui.sweep.results import CellResult, TableRow

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    SlopeNumbers = npt.NDArray[np.float64]

WIDTH = "layers.*.width"
MEASURE = "relative_change"
# Draws of the seeds with replacement: their standard deviation is then known to a tenth, as it is of few seeds at best.
DRAWS = 200


@dataclass(frozen=True)
class Slope:
    """One layer of one cell: `slope` with the standard error that the seeds leave of it, NaN for a single one.

    `departure` is how far a width's ln RD lies from the line at most: large where it is no power of the width.
    `status` is that of a width that did not end, empty where all did. `medians` are those of RD by width.
    """

    values: tuple[str, ...]
    layer: str
    slope: float
    error: float
    departure: float
    widths: tuple[float, ...]
    medians: tuple[float, ...]
    status: str = ""


def fit_axes(axes: Sequence[Axis]) -> tuple[Axis, tuple[Axis, ...]]:
    """The widths to fit over, and the axes of the picture; ScenarioError where they are not swept."""
    widths = next((axis for axis in axes if axis.key == WIDTH), None)
    others = tuple(axis for axis in axes if axis is not widths)
    numbers = [number(value) for value in widths.values] if widths else []
    if widths is None or len(numbers) < 2 or None in numbers or not others:
        raise ScenarioError(
            "--show slope: expected --over width=M1,M2,… with two widths or more, and another --over for the picture"
        )
    return widths, others


def slopes(sweep: Sweep, results: Sequence[CellResult], layers: Sequence[str]) -> list[Slope]:
    """Each layer of each combination of values but the width, in the order of the cells."""
    widths, others = fit_axes(sweep.axes)
    place = sweep.axes.index(widths)
    found = {cell.values: result for cell, result in zip(sweep.cells, results, strict=True)}
    return [
        _fitted(
            values, layer, [(float(width), found[(*values[:place], width, *values[place:])]) for width in widths.values]
        )
        for layer in layers
        for values in itertools.product(*(axis.values for axis in others))
    ]


def _fitted(values: tuple[str, ...], layer: str, cells: Sequence[tuple[float, CellResult]]) -> Slope:
    import numpy as np

    widths = tuple(width for width, _ in cells)
    widths_W = np.array(widths)
    status = next((result.status for _, result in cells if not result.usable), "")
    changes = [_changes(result.seeds, layer) for _, result in cells]
    if status or not all(changes):
        status = status or "diverged"
        return Slope(values, layer, math.nan, math.nan, math.nan, widths, (math.nan,) * len(cells), status)
    medians_W = np.array([np.median(of_width) for of_width in changes])
    with np.errstate(divide="ignore", invalid="ignore"):
        slope, departure = _line(widths_W, medians_W[None])
        # the same draws whatever is computed before: the same sweep has the same errors
        random = np.random.default_rng(0)
        drawn_DW = np.stack([np.median(random.choice(each, (DRAWS, len(each))), axis=1) for each in changes], axis=1)
        error = float(np.std(_line(widths_W, drawn_DW)[0])) if min(map(len, changes)) > 1 else math.nan
    return Slope(values, layer, float(slope[0]), error, float(departure[0]), widths, tuple(medians_W.tolist()))


def _changes(seeds: Sequence[TableRow], layer: str) -> list[float]:
    """The relative change of the seeds that did not diverge."""
    rows = [row for row in seeds if row["layer"] == layer and row["status"] != "diverged"]
    return [float(value) for row in rows if isinstance(value := row[MEASURE], int | float) and math.isfinite(value)]


def _line(widths_W: SlopeNumbers, changes_DW: SlopeNumbers) -> tuple[SlopeNumbers, SlopeNumbers]:
    """Slopes (D,) of the least-squares lines of ln change by ln width, and the largest departures from them (D,)."""
    import numpy as np

    across_W = np.log(widths_W) - np.log(widths_W).mean()
    up_DW = np.log(changes_DW)
    centred_DW = up_DW - up_DW.mean(axis=1, keepdims=True)
    slope_D = centred_DW @ across_W / (across_W @ across_W)
    return slope_D, np.abs(centred_DW - slope_D[:, None] * across_W).max(axis=1)


def slopes_table(sweep: Sweep, found: Sequence[Slope]) -> tuple[dict[str, type], list[TableRow]]:
    """Columns and rows of slopes.csv: a row for each layer of each fitted cell."""
    widths, others = fit_axes(sweep.axes)
    medians = [f"{MEASURE}_at_{width}" for width in widths.values]
    columns: dict[str, type] = {
        "layer": str,
        "status": str,
        **{axis.key: str for axis in others},
        **dict.fromkeys(("slope", "error", "departure", *medians), float),
    }
    rows: list[TableRow] = []
    for each in found:
        head = {"layer": each.layer, "status": each.status or "done"}
        numbers = {"slope": each.slope, "error": each.error, "departure": each.departure}
        swept = dict(zip((axis.key for axis in others), each.values, strict=True))
        rows.append({**head, **swept, **numbers, **dict(zip(medians, each.medians, strict=True))})
    return columns, rows
