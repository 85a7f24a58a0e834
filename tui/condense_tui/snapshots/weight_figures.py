"""A layer's weights as pictures: what each is called, of which step it is, and what draws it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

import numpy as np

from condense_tui.draw import numbers
from condense_tui.draw import weights as draw
from condense_tui.draw.layer_names import without_shared
from condense_tui.draw.plot import Plot, Spec
from condense_tui.snapshots.snapshot import Snapshot

DrawPlot = Callable[[Spec], Plot]


@dataclass(frozen=True)
class WeightFigure:
    """One picture: its name (`orientation`, `norms`, `singular`), the title at the top and a remark below, what draws
    it in the area that a Spec gives, and words where there is nothing to draw. `of` tells apart what it is drawn from;
    `log_x` and `log_y` say which of its axes are logarithmic."""

    name: str
    title: str
    remark: str
    draw: DrawPlot | None
    of: Hashable
    empty: str
    log_x: bool = False
    log_y: bool = False


def weight_figures(snapshot: Snapshot, log: bool) -> tuple[WeightFigure, ...]:
    """Those of the chosen layer, with logarithmic axes or not; orientations only of a layer with one input. None where
    the weights were not asked for."""
    view = snapshot.weights
    if view is None:
        return ()
    # the end of a long name says which layer it is
    layer = without_shared(view.layer, [each.name for each in snapshot.layers])
    whose = "" if snapshot.seeds is None else f" · {snapshot.seeds.imaged}"
    head = None if snapshot.head is None else snapshot.head.step
    old = "" if view.norms_at in {None, head} else f"of step {numbers.step(view.norms_at or 0)}"
    fate = f"{int(view.dropped.sum())} of {len(view.norm)} dropped" if len(view.norm) else ""
    there, measured = len(view.singular) > 0, len(view.norm) > 0
    figures = [
        WeightFigure(
            "norms",
            f"norms · {layer}{whose}",
            " · ".join(part for part in (fate, old) if part),
            partial(draw.norms, view.norm, view.dropped) if measured else None,
            (id(view), log),
            "no norms recorded",
            log_x=log,
        ),
        WeightFigure(
            "singular",
            f"singular values · {layer}",
            _of_step(view.singular_at),
            partial(draw.singular_values, view.singular) if there else None,
            (id(view), log),
            _missing(view.singular_at, ever=view.ever_kept),
            log_y=log,
        ),
    ]
    if view.angle.size:
        stable = () if snapshot.field is None else snapshot.field.stable
        steps = f", trails over {numbers.plural(len(view.angle), 'step')}" if len(view.angle) > 1 else ""
        pointing = WeightFigure(
            "orientation",
            f"orientation θ, amplitude A · {layer}",
            f"{_of_step(view.kept_at)}{steps}{_split_from(view.origin_at, view.kept_at)}",
            partial(draw.orientation, view.angle, view.amplitude, np.asarray(stable), origin_M=view.origin),
            (id(view), log, id(stable)),
            "",
            log_y=log,
        )
        figures.insert(0, pointing)
    return tuple(figures)


def _split_from(at: int | None, kept_at: int | None) -> str:
    return "" if at is None or at == kept_at else f", colours: lines of step {numbers.step(at)}"


def _of_step(at: int | None) -> str:
    return "" if at is None else f"weights of step {numbers.step(at)}"


def _missing(at: int | None, *, ever: bool) -> str:
    if at is not None:
        return "not recorded of this layer"
    return "none recorded before this step" if ever else "not recorded in this file"
