"""A layer at one step over the seeds that a run trains, one or several, counted at one cut: what every list of layers
shows, so that a number of one seed never stands for all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from condense_core.runfile.curves import Points
from condense_core.runfile.layer_measures import LayerMeasures, read_layer
from condense_core.runfile.reader import RunReader
from condense_core.runs.over_seeds import OverSeeds, over_seeds
from condense_core.thresholds import COARSE, Cut, other_cut

# Counted at a cut, and recorded under another name at the coarse one.
_AT_A_CUT = ("lines", "directions", "coverage", "condensed", "condensed_at")
_AT_NO_CUT = ("kept", "mean_abs_cos", "alignment", "predicted_at")


class LayerOverSeeds(msgspec.Struct, frozen=True, kw_only=True):
    """A layer over the seeds whose loss is finite; `diverged` of `seeds` are left out. What a measure means is in
    `measure_table.MEASURES`; lines, directions, coverage and condensed are those of `cut`."""

    name: str
    kernels: int
    cut: Cut
    seeds: int
    diverged: int
    step: int | None
    """Of which step it is; None of one that was not measured, and where nobody asks."""
    kept: OverSeeds
    lines: OverSeeds
    lines_at_other: OverSeeds
    """Lines at the other of the two cuts."""
    directions: OverSeeds
    coverage: OverSeeds
    condensed: OverSeeds
    condensed_at: OverSeeds
    mean_abs_cos: OverSeeds
    alignment: OverSeeds
    predicted_at: OverSeeds
    left_again: bool
    """Of a single seed: it was condensed once, and is not at this step."""
    drawn_of: int | None = None
    """Of how many kernels those that are measured were drawn; None where they are all."""

    @property
    def is_condensed(self) -> bool | None:
        """In every seed; None where that was not measured."""
        return self.condensed.yes == self.condensed.known if self.condensed.known else None


def layer_of(
    name: str,
    kernels: int,
    measured: Sequence[LayerMeasures],
    cut: Cut,
    *,
    diverged: int = 0,
    step: int | None = None,
) -> LayerOverSeeds:
    """The layer from its measures in each seed that did not diverge, at `step`; `diverged` are left out."""
    values = {name: [getattr(each.at(cut), name) for each in measured] for name in _AT_A_CUT}
    values |= {name: [getattr(each, name) for each in measured] for name in _AT_NO_CUT}
    found = {name: over_seeds(name, column) for name, column in values.items()}
    found["lines_at_other"] = over_seeds("lines", [each.at(other_cut(cut)).lines for each in measured])
    alone = len(measured) + diverged == 1
    return LayerOverSeeds(
        name=name,
        kernels=kernels,
        cut=cut,
        seeds=len(measured) + diverged,
        diverged=diverged,
        step=step,
        left_again=alone and any(each.at(cut).left_again for each in measured),
        drawn_of=measured[0].drawn_of if measured else None,
        **found,
    )


def read_layer_over_seeds(
    run: RunReader,
    name: str,
    step: int | None,
    cut: Cut,
    *,
    curve: Callable[[str], Points] | None = None,
    upto: int | None = None,
) -> LayerOverSeeds:
    """The layer at its newest measurement at or before `step`; over all members where the run has several, from their
    scalars, so that not every member's frames are read. `curve` gives scalars where not all of a long one shall be read
    now. It condensed at a step of the whole run, or up to step `upto` where given."""
    measured_at = run.step_of("condensation", name, step)
    if run.members == 1:
        alone = read_layer(run, name, step, curve=curve, brief=True, cut=cut)
        if upto is not None:
            alone = _as_of(alone, upto)
        return layer_of(name, alone.kernels, [alone], cut, step=measured_at)
    lost = run.last_of_members("diverged", step) == 1

    def over(measure: str, scalar: str = "") -> OverSeeds:
        values = run.last_of_members(f"{name}.{scalar or measure}", step)
        return over_seeds(measure, values[~lost].tolist())

    found = {measure: over(measure, f"{measure}{suffix(cut)}") for measure in _AT_A_CUT[:-1]}
    found["lines_at_other"] = over("lines", f"lines{suffix(other_cut(cut))}")
    found |= {measure: over(measure) for measure in _AT_NO_CUT if measure != "kept"}
    steps, condensed = run.spread(f"{name}.condensed{suffix(cut)}")
    seen = len(steps) if upto is None else int(np.searchsorted(steps, upto, side="right"))
    found["condensed_at"] = over_seeds("condensed_at", _first(steps[:seen], condensed[:seen, ~lost]))
    first = run.condensation(name, step)
    return LayerOverSeeds(
        name=name,
        kernels=0 if first is None else first.kernels,
        cut=cut,
        seeds=run.members,
        diverged=int(lost.sum()),
        step=measured_at,
        left_again=False,
        drawn_of=None if first is None else first.drawn_of,
        kept=over_seeds("kept", ()),
        **found,
    )


def _as_of(layer: LayerMeasures, step: int) -> LayerMeasures:
    """Without what had not happened yet."""
    found = {name: getattr(layer, name) for name in ("condensed_at", "condensed_coarse_at")}
    later = {name: None for name, at in found.items() if at is not None and at > step}
    return msgspec.structs.replace(layer, **later)


def suffix(cut: Cut) -> str:
    """What names of measures at that cut end with."""
    return "_coarse" if cut == COARSE else ""


def _first(steps: np.ndarray, values: np.ndarray) -> list[float]:
    """Each column's first step at which it is 1; NaN where it never is."""
    if not len(steps):
        return []
    reached = values >= 1
    return np.where(reached.any(axis=0), steps[reached.argmax(axis=0)], math.nan).tolist()  # type: ignore[no-any-return]
