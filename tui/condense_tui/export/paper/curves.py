"""Curves over the steps of one or several runs, for a figure: what is measured, with its gaps, and nothing between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from condense_core.errors import nearest
from condense_core.measure_table import MEASURES, MeasureKind
from condense_core.runfile.frames import Array
from condense_core.runfile.reader import RunReader
from condense_core.scalar_names import kind_of, label_of, layer_in_words, split
from condense_core.thresholds import FINE
from condense_tui.documents.files import ExportError
from condense_tui.documents.pictures import EIGENVALUES as EIGENVALUE_CURVES
from condense_tui.documents.pictures import predicted_mark
from condense_tui.draw.numbers import plural
from condense_tui.draw.strokes import PlotCurve, cleaned, in_order
from condense_tui.export.paper.sheet import CurvesPanel, SheetLine, SheetMark
from condense_tui.export.paper_look import PaperLook
from condense_tui.export.wish import ON_PAPER, not_recorded
from condense_tui.snapshots.spectra import LIMIT, LIMIT_NAME, SCALARS, TITLES

# As many as there are colours that all eyes tell apart.
MOST_LINES = 8
_SUBSCRIPTS = "₁₂₃₄₅₆₇₈₉"


@dataclass(frozen=True)
class CurveSource:
    """One of the runs of a figure: what it is called beside others, and up to which step it is shown.

    `whole` has all seeds; `member` is the one that was chosen, None for all of them.
    """

    whole: RunReader
    name: str
    at: int
    member: int | None

    @property
    def own(self) -> RunReader:
        """The run of the chosen seed, or of all."""
        return self.whole if self.member is None else self.whole.member(self.member)

    def layer(self, wanted: str | None) -> str:
        """The layer that is meant; empty where the run has none."""
        if wanted is not None and wanted not in self.whole.layers:
            raise ExportError(f"{self.name} has no layer {wanted}: {nearest(wanted, self.whole.layers)}")
        return wanted or next(iter(self.whole.layers), "")


def scalar_panel(sources: list[CurveSource], names: list[str], layer: str | None, look: PaperLook) -> CurvesPanel:
    """Recorded scalars of all runs in one pair of axes; a bare name is that of the layer, or of the network."""
    found = [(source, _recorded(source, name, layer)) for source in sources for name in names]
    if len(found) > MOST_LINES:
        raise ExportError(f"{len(found)} curves in one panel; expected {MOST_LINES} or fewer")
    scalars = [scalar for _, scalar in found]
    kinds, layers = {kind_of(scalar) for scalar in scalars}, {split(scalar)[0] for scalar in scalars}
    measures = list(dict.fromkeys(_measure(scalar, source.own) for source, scalar in found))
    log_y = kinds == {"value"} if look.log_values is None else look.log_values
    lines: list[SheetLine] = []
    for number, (source, scalar) in enumerate(found):
        words = [source.name] if len(sources) > 1 else []
        words += [split(scalar)[0]] if len(layers) > 1 else []
        words += [_measure(scalar, source.own)] if len(measures) > 1 else []
        lines.append(line(source, scalar, " · ".join(word for word in words if word), number, look, log_y=log_y))
    if not any(one.x.shape[0] for one in lines) and log_y and look.log_values is None:
        # nothing above 0: on a linear axis it can be seen
        return scalar_panel(sources, names, layer, _linear(look))
    only = next(iter(layers)) if len(layers) == 1 else ""
    return CurvesPanel(
        title=only,
        x_label="step",
        y_label=measures[0] if len(measures) == 1 else _several(kinds),
        lines=_some(lines, " and ".join(names)),
        log_x=look.log_steps,
        log_y=log_y,
        bounds=(0.0, 1.0) if kinds <= {"share", "cosine", "flag"} else None,
        whole=kinds <= {"count", "flag"},
    )


def eigenvalue_panel(source: CurveSource, layer: str | None, look: PaperLook, *, named: bool) -> CurvesPanel:
    """The largest eigenvalues of ZᵀZ, or of the layer's gradient, over the steps."""
    of, log_y = source.layer(layer), look.log_values is not False
    lines = [
        line(source, f"{of}.eigenvalue.{rank}", f"λ{_SUBSCRIPTS[rank - 1]}²", rank - 1, look, log_y=log_y)
        for rank in range(1, EIGENVALUE_CURVES + 1)
    ]
    lines = [one for one in lines if one.x.shape[0]]
    return CurvesPanel(
        title=f"{source.name} · {of}" if named else of,
        x_label="step",
        y_label=source.own.prediction_source(of).eigenvalues,
        lines=_some(lines, "eigenvalues"),
        log_x=look.log_steps,
        log_y=log_y,
    )


def network_spectrum_panel(
    which: Literal["hessian", "ntk"], source: CurveSource, look: PaperLook, *, named: bool
) -> CurvesPanel:
    """The eigenvalues of the Hessian, with the limit of stability, or of the tangent kernel, over the steps; on a
    logarithmic axis where all of them are above 0."""
    scalars = SCALARS[which] | ({LIMIT_NAME: LIMIT} if which == "hessian" else {})
    known = {name: scalar for name, scalar in scalars.items() if scalar in source.whole.curve_names}
    if not known:
        raise ExportError(f"{source.name}: {not_recorded(which, '')}")
    values = np.concatenate([source.own.curve(scalar)[1] for scalar in known.values()])
    log_y = bool((values[np.isfinite(values)] > 0).all()) if look.log_values is None else look.log_values
    lines = [
        line(source, scalar, name, tone, look, log_y=log_y, exact=scalar == LIMIT)
        for tone, (name, scalar) in enumerate(known.items())
    ]
    return CurvesPanel(
        title=source.name if named else "",
        x_label="step",
        y_label=TITLES[which],
        lines=_some([one for one in lines if one.x.shape[0]], which),
        log_x=look.log_steps,
        log_y=log_y,
    )


def prediction_panel(source: CurveSource, layer: str | None, look: PaperLook, *, named: bool) -> CurvesPanel:
    """The share of the layer on the direction predicted for it, as measured and as the linear dynamics have it."""
    of = source.layer(layer)
    lines = [
        line(source, f"{of}.ratio", "measured", 0, look, log_y=False),
        line(source, f"{of}.predicted_ratio", "theory", 1, look, log_y=False, exact=True),
    ]
    mark = predicted_mark(source.own, of)
    return CurvesPanel(
        title=f"{source.name} · {of}" if named else of,
        x_label="step",
        y_label=f"share of the weights on {source.own.prediction_source(of).direction}",
        lines=_some([one for one in lines if one.x.shape[0]], "prediction"),
        log_x=look.log_steps,
        bounds=(0.0, 1.0),
        marks=[] if mark is None else [SheetMark(name="predicted step", x=mark[0])],
    )


def line(
    source: CurveSource, scalar: str, name: str, tone: int, look: PaperLook, *, log_y: bool, exact: bool = False
) -> SheetLine:
    """One scalar up to the step that is shown; of several seeds their median and a band from the lowest to the
    highest."""
    low = high = None
    if source.member is None and source.whole.members > 1:
        steps, values = source.whole.spread(scalar)
        steps, values = steps[steps <= source.at], values[steps <= source.at]
        known = np.isfinite(values)
        low, middle, high = _quantiles(values, known)
        name = f"{name}{': ' if name else ''}{_seeds(known)}"
    else:
        steps, middle = source.own.curve(scalar)
        steps, middle = steps[steps <= source.at], middle[steps <= source.at]
    instants = source.own.instants
    curve = in_order(PlotCurve(scalar, steps, middle, among=instants[instants <= source.at], exact=exact))
    stroke = cleaned(curve, log_x=look.log_steps, log_y=log_y)
    edges: list[Array | None] = [None, None]
    if low is not None and high is not None:
        place = np.searchsorted(steps, stroke.x)
        edges = [Array.of(edge[place], "f8") for edge in (low, high)]
    return SheetLine(
        name=name,
        x=Array.of(stroke.x, "f8"),
        y=Array.of(stroke.y, "f8"),
        begins=Array.of(stroke.begins, "i1"),
        tone=tone,
        low=edges[0],
        high=edges[1],
        exact=exact,
    )


def _quantiles(values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lowest, median and highest of each row, of what is a number in it; NaN where nothing is."""
    middle = np.array(
        [np.median(row[there]) if there.any() else np.nan for row, there in zip(values, known, strict=True)]
    )
    some = known.any(axis=1)
    low = np.where(some, np.where(known, values, np.inf).min(axis=1, initial=np.inf), np.nan)
    high = np.where(some, np.where(known, values, -np.inf).max(axis=1, initial=-np.inf), np.nan)
    return low, middle.astype(np.float64), high


def _seeds(known: np.ndarray) -> str:
    """`median of 10 seeds`, `median of 8 to 10 seeds` where some have no number at some steps; and what the band is."""
    counts = known.sum(axis=1)
    counts = counts[counts > 0]
    low, high = (int(counts.min()), int(counts.max())) if len(counts) else (0, 0)
    return f"median of {f'{low} to ' if low < high else ''}{plural(high, 'seed')} (band: lowest to highest)"


def _recorded(source: CurveSource, name: str, layer: str | None) -> str:
    """The full name of a scalar that the run has; ExportError with the nearest otherwise."""
    names, of = set(source.whole.curve_names), source.layer(layer)
    for full in (name, f"{of}.{name}"):
        if full in names:
            return full
    hint = nearest(name, (*ON_PAPER, *sorted(names)))
    if not hint.startswith("did you mean"):
        hint = f"expected {', '.join(ON_PAPER)}, or a recorded scalar such as loss"
    raise ExportError(f"--what {name}: {source.name} has not recorded it; {hint}")


def _measure(scalar: str, run: RunReader) -> str:
    """What is measured, without its layer; of what is counted at a cut, at which."""
    layer, name = split(scalar)
    label = label_of(scalar, run.prediction_source(layer)).removeprefix(f"{layer_in_words(layer)}: ")
    return f"{label} at {FINE.words}" if f"{name}_coarse" in MEASURES else label


def _several(kinds: set[MeasureKind]) -> str:
    """What a vertical axis of different measures is called."""
    names: dict[MeasureKind, str] = {"count": "number", "share": "share", "cosine": "|cos|"}
    return names.get(next(iter(kinds)), "value") if len(kinds) == 1 else "value"


def _some(lines: list[SheetLine], what: str) -> list[SheetLine]:
    if not any(one.x.shape[0] for one in lines):
        raise ExportError(f"{what}: no number that can be drawn was recorded up to this step")
    return lines


def _linear(look: PaperLook) -> PaperLook:
    return PaperLook(look.width_mm, look.height_mm, look.font_pt, look.titled, look.log_steps, False)
