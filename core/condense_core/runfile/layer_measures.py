"""A layer at one step, as every table, panel, page and export has it: read once, from its frames and its curves."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from condense_core.runfile.curves import Points, value_at
from condense_core.runfile.frames import Condensation
from condense_core.runfile.reader import RunReader
from condense_core.thresholds import ARRIVED, COARSE, FINE, Cut


class CountsAtCut(NamedTuple):
    """What is counted of a layer's kernels at one cut."""

    lines: int | None
    directions: int | None
    coverage: float
    condensed: bool | None
    condensed_at: int | None

    @property
    def left_again(self) -> bool:
        """It was condensed once, and is not at this step."""
        return self.condensed_at is not None and not self.condensed


class LayerMeasures(msgspec.Struct, frozen=True, kw_only=True):
    """A layer at a step; NaN and None if it was not measured. What a measure means: `measure_table.MEASURES`.

    `*_at` are steps of the whole run, None if it has not happened; shares are in [0, 1]. Its fields are those of the
    JSON that commands print, in that order.
    """

    name: str
    kernels: int
    kept: int | None = None
    lines: int | None = None
    lines_coarse: int | None = None
    directions: int | None = None
    coverage: float = math.nan
    mean_abs_cos: float = math.nan
    null_coverage: float = math.nan
    alignment: float = math.nan
    condensed: bool | None = None
    condensed_at: int | None = None
    predicted_at: int | None = None
    arrived_at: int | None = None
    slice_abs_cos: float = math.nan
    directions_coarse: int | None = None
    coverage_coarse: float = math.nan
    null_coverage_coarse: float = math.nan
    condensed_coarse: bool | None = None
    condensed_coarse_at: int | None = None
    drawn_of: int | None = None
    """Of how many kernels those that are measured were drawn; None where they are all."""

    @property
    def left_again(self) -> bool:
        """It was condensed once, and is not at this step."""
        return self.at(FINE).left_again

    def at(self, cut: Cut) -> CountsAtCut:
        """What is counted at that cut."""
        if cut == COARSE:
            coarse = self.directions_coarse, self.coverage_coarse, self.condensed_coarse, self.condensed_coarse_at
            return CountsAtCut(self.lines_coarse, *coarse)
        return CountsAtCut(self.lines, self.directions, self.coverage, self.condensed, self.condensed_at)


# What a frame says under the same name needs no line here for each.
_OF_FRAME = tuple(name for name in LayerMeasures.__struct_fields__ if name in Condensation.__struct_fields__)


def read_layer(
    run: RunReader,
    name: str,
    step: int | None = None,
    *,
    curve: Callable[[str], Points] | None = None,
    brief: bool = False,
    cut: Cut | None = None,
) -> LayerMeasures:
    """The layer at its newest frames at or before `step`, the last ones without; of no kernels where there are none.

    `curve` gives scalars, where not all of a long one shall be read now. `brief` leaves out `arrived_at` and
    `slice_abs_cos`, which no screen shows, and what is counted at another cut than `cut`: each is a curve more to read.
    """
    curve = curve or run.curve
    condensation, alignment = run.condensation(name, step), run.alignment(name, step)
    found = {} if condensation is None else {field: getattr(condensation, field) for field in _OF_FRAME}
    if not brief:
        found["arrived_at"] = first_step(curve(f"{name}.ratio"), ARRIVED)
        found["slice_abs_cos"] = value_at(curve(f"{name}.slice_abs_cos"), step)
    if not brief or cut == COARSE:
        found |= _coarse(curve, name, step)
    return LayerMeasures(
        **{"kernels": 0, **found},
        name=name,
        alignment=math.nan if alignment is None else alignment.mean_abs_cos,
        condensed_at=first_step(curve(f"{name}.condensed"), 1.0),
        predicted_at=predicted_step(curve(f"{name}.predicted_at")),
    )


def _coarse(curve: Callable[[str], Points], name: str, step: int | None) -> dict[str, Any]:
    """What is counted at the coarse cut, of which a frame has the lines alone; nothing in files of version 0.1."""

    def value(measure: str) -> float:
        return value_at(curve(f"{name}.{measure}"), step)

    directions, condensed = value("directions_coarse"), value("condensed_coarse")
    return {
        "directions_coarse": int(directions) if math.isfinite(directions) else None,
        "coverage_coarse": value("coverage_coarse"),
        "null_coverage_coarse": value("null_coverage_coarse"),
        "condensed_coarse": condensed > 0 if math.isfinite(condensed) else None,
        "condensed_coarse_at": first_step(curve(f"{name}.condensed_coarse"), 1.0),
    }


def first_step(points: Points, least: float) -> int | None:
    """The first recorded step at which a scalar is at `least` or above."""
    steps, values = points
    reached = (values >= least).nonzero()[0]
    return int(steps[reached[0]]) if len(reached) else None


def predicted_step(points: Points) -> int | None:
    """The step of condensation that `LAYER.predicted_at` holds; None if none was predicted."""
    value = value_at(points)
    return int(value) if math.isfinite(value) else None
