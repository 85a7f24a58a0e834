"""From a snapshot to the plots of the run screen: what is drawn, what the panel's frame says, and what stands there
while there is nothing to draw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from string import ascii_lowercase

import numpy as np
from rich.cells import cell_len

from condense_core.runfile.event_kinds import UNPREDICTED
from condense_core.scalar_names import kind_of, layer_in_words, split
from condense_core.thresholds import INITIAL_STAGE, percent
from condense_tui.draw import numbers
from condense_tui.draw.layer_names import fitted, without_shared
from condense_tui.draw.plot import Mark, Rule, Spec
from condense_tui.draw.strokes import BAND, PlotCurve
from condense_tui.draw.written import written_as
from condense_tui.snapshots.snapshot import Series, Snapshot
from condense_tui.snapshots.spectra import LIMIT_NAME, RecordedSpectrum

NOTHING_YET = "nothing recorded yet"
# What of a curve's name stays at least; its value goes first, and then what stands at the right.
LEAST_NAME = 12


@dataclass(frozen=True)
class Figure:
    """One panel: its plot, the title at the top left, a remark at the bottom right, and words for an empty panel."""

    spec: Spec | None
    title: str
    remark: str = ""
    empty: str = NOTHING_YET
    old: bool = False
    """What the title says is of an earlier step than the playhead's, and the title names it."""
    legend: tuple[tuple[str, str, str], ...] = ()
    """Of several curves: the letter on it, its name and its value; `title` is all of that."""

    def title_in(self, room: int) -> str:
        """The title in `room` cells, where names that are cut in their middle make it fit."""
        if cell_len(self.title) <= room or not self.legend:
            return self.title
        free = room - 3 * (len(self.legend) - 1)
        each = (free - sum(cell_len(f"{letter}  {value}") for letter, _, value in self.legend)) // len(self.legend)
        if each >= LEAST_NAME:
            return " · ".join(f"{letter} {fitted(name, each)} {value}" for letter, name, value in self.legend)
        # values are read with the cursor
        each = max(LEAST_NAME, (free - 2 * len(self.legend)) // len(self.legend))
        return " · ".join(f"{letter} {fitted(name, each)}" for letter, name, _ in self.legend)


@dataclass(frozen=True)
class Axes:
    """How values and steps are scaled, and the weight of a moving average, 0 without."""

    log_y: bool = True
    log_x: bool = False
    smooth: float = 0.0
    spectrum: int = 0
    """Which of the recorded spectra: 0 for the layer's own, then those of `Snapshot.spectra`."""


def loss(snapshot: Snapshot, axes: Axes) -> Figure:
    """The loss with the line under which the initial stage has ended."""
    steps, values = snapshot.loss
    at = value_at(snapshot.loss, snapshot)
    title = f"loss {numbers.measure(at)}{_when(snapshot.loss, snapshot)}" if at is not None else "loss"
    if not len(steps):
        return Figure(None, title)
    if np.isnan(values).all():
        # of checkpoints alone, or of a script that does not say it
        return Figure(None, title, empty="no loss is known")
    first = float(values[0])
    rule = Rule(INITIAL_STAGE * first, percent(INITIAL_STAGE)) if np.isfinite(first) and first > 0 else None
    share = at / first if at is not None and rule else np.nan
    remark = f"{round(100 * share)} % of the first loss" if abs(share) < 1e6 else ""
    curves = (PlotCurve(_name(snapshot, "loss"), steps, values), *_band(snapshot, "loss"))
    spec = _spec(curves, snapshot, axes, axes.log_y, rule=rule)
    return Figure(spec, title, remark, old=bool(_when(snapshot.loss, snapshot)))


def accuracy(snapshot: Snapshot, axes: Axes) -> Figure:
    """The accuracy, where the run has one."""
    steps, values = snapshot.accuracy
    at = value_at(snapshot.accuracy, snapshot)
    title = f"accuracy {numbers.percent(at)}{_when(snapshot.accuracy, snapshot)}" if at is not None else "accuracy"
    if not len(steps):
        return Figure(None, title, empty=_absent(snapshot, "this run has no accuracy"))
    curves = (PlotCurve(_name(snapshot, "accuracy"), steps, values, 2), *_band(snapshot, "accuracy"))
    spec = _spec(curves, snapshot, axes, False, bounds=(0.0, 1.0))
    return Figure(spec, title, old=bool(_when(snapshot.accuracy, snapshot)))


def scalars(snapshot: Snapshot, axes: Axes) -> Figure:
    """The recorded scalars that were chosen, with a letter on each where there are several."""
    chosen = snapshot.scalars
    if not chosen:
        return Figure(None, "chosen curves", empty="press / to choose")
    letters = ascii_lowercase if len(chosen) > 1 else ""
    names = [layer.name for layer in snapshot.layers]
    legend, curves = [], []
    for number, scalar in enumerate(chosen):
        letter = letters[number : number + 1]
        kind, now = kind_of(scalar.name), value_at(scalar.points, snapshot)
        layer, label = split(scalar.name)[0], scalar.label
        if layer:
            label = label.replace(layer_in_words(layer), without_shared(layer, names), 1)
        legend.append((letter, label, written_as(kind, now)))
        curves.append(PlotCurve(_name(snapshot, scalar.name), *scalar.points, number, label=letter))
    if len(chosen) == 1 and chosen[0].band is not None:
        curves += _edges(chosen[0].band)
    title = " · ".join(" ".join(part for part in parts if part) for parts in legend)
    several = tuple(legend) if len(legend) > 1 else ()
    kinds = {kind_of(scalar.name) for scalar in chosen}
    shares = kinds <= {"share", "cosine", "flag"}
    if not any(len(curve.x) for curve in curves):
        return Figure(None, title, empty="not recorded in this run", legend=several)
    spec = _spec(
        tuple(curves), snapshot, axes, axes.log_y and kinds == {"value"}, bounds=(0.0, 1.0) if shares else None
    )
    return Figure(spec, title, legend=several)


def each_scalar(snapshot: Snapshot, axes: Axes) -> list[Figure]:
    """The recorded scalars that were chosen, each by itself."""
    return [scalars(replace(snapshot, scalars=(scalar,)), axes) for scalar in snapshot.scalars]


def eigenvalues(snapshot: Snapshot, axes: Axes) -> Figure:
    """Eigenvalues of ZᵀZ of the chosen layer, or of its gradient, and the gap at the playhead; or another spectrum that
    was chosen, where it was recorded."""
    chosen = _chosen(snapshot, axes.spectrum)
    if chosen is not None:
        return _spectrum(chosen, snapshot, axes)
    spectrum = snapshot.spectrum
    title = spectrum.source.eigenvalues
    if not spectrum.curves:
        return Figure(None, title, empty=_unpredicted(snapshot, "no spectrum recorded"))
    curves = tuple(
        PlotCurve(f"λ{rank}²", steps, values, rank - 1) for rank, (steps, values) in enumerate(spectrum.curves, start=1)
    )
    remark = _gap(spectrum.values, spectrum.doubtful)
    remark += " · median" if remark and _over_seeds(snapshot) else ""
    return Figure(replace(_spec(curves, snapshot, axes, axes.log_y), of=_whose(snapshot)), title, remark)


def spectrum_count(snapshot: Snapshot) -> int:
    """How many spectra there are to choose from."""
    return bool(snapshot.spectrum.curves) + len(snapshot.spectra)


def _chosen(snapshot: Snapshot, number: int) -> RecordedSpectrum | None:
    """The spectrum of that number among those that were recorded; None for the layer's own, or where there is none."""
    own = (None,) if snapshot.spectrum.curves else ()
    every = (*own, *snapshot.spectra)
    return every[number % len(every)] if every else None


def _spectrum(spectrum: RecordedSpectrum, snapshot: Snapshot, axes: Axes) -> Figure:
    curves = [PlotCurve(name, *points, tone) for tone, (name, points) in enumerate(spectrum.curves)]
    first = value_at(spectrum.curves[0][1], snapshot)
    remark = "" if first is None else f"{spectrum.curves[0][0]} {numbers.measure(first)}"
    if spectrum.limit is not None:
        curves.append(PlotCurve(LIMIT_NAME, *spectrum.limit, len(curves), exact=True, label=LIMIT_NAME))
        bound = value_at(spectrum.limit, snapshot)
        remark += "" if bound is None else f" · {LIMIT_NAME} {numbers.measure(bound)}"
    spec = _spec(tuple(curves), snapshot, axes, axes.log_y)
    return Figure(replace(spec, of=f"{spectrum.title} {_whose(snapshot)}"), spectrum.title, remark)


def prediction(snapshot: Snapshot, axes: Axes) -> Figure:
    """Share of the layer's weights on the predicted direction, measured and predicted."""
    layer = snapshot.chosen
    measured = value_at(snapshot.ratio, snapshot)
    title = f"on {snapshot.spectrum.source.direction}"
    title += "" if measured is None else f" {numbers.percent(measured)}{_when(snapshot.ratio, snapshot)}"
    names = [each.name for each in snapshot.layers]
    title += f" · {without_shared(snapshot.layer, names)}" if len(names) > 1 and snapshot.layer else ""
    if not len(snapshot.ratio[0]):
        return Figure(None, title, empty=_unpredicted(snapshot, "no prediction recorded"))
    curves = [PlotCurve(_name(snapshot, "measured"), *snapshot.ratio, 0)]
    if len(snapshot.predicted_ratio[0]):
        curves.append(PlotCurve("predicted", *snapshot.predicted_ratio, 1, exact=True))
    curves += _band(snapshot, "ratio")
    marks, remark = [], ""
    if layer is not None and layer.predicted_at.known:
        marks.append(Mark(round(layer.predicted_at.middle), "predicted"))
        remark = f"predicted {numbers.short_step(layer.predicted_at.middle)}"
    if layer is not None and layer.condensed_at.known:
        marks.append(Mark(round(layer.condensed_at.middle), "condensed"))
        remark += f"{' · ' if remark else ''}seen {numbers.short_step(layer.condensed_at.middle)}"
    spec = _spec(tuple(curves), snapshot, axes, False, bounds=(0.0, 1.0), marks=tuple(marks))
    spec = replace(spec, of=_whose(snapshot))
    return Figure(spec, title, remark, old=bool(_when(snapshot.ratio, snapshot)))


def output(snapshot: Snapshot, axes: Axes) -> Figure:
    """The output of a network with one input over its interval, and the polynomial of its activation's degree."""
    view = snapshot.outputs
    if view is None:
        return Figure(None, "output", empty="only for networks with one input")
    curves = (
        PlotCurve("output", view.point, view.output, 0, exact=True),
        PlotCurve("polynomial", view.point, view.polynomial, 1, exact=True),
    )
    spec = Spec(curves, 0, 0, stamp=view.step)
    old = snapshot.head is not None and view.step < snapshot.head.step
    title = f"output, degree {view.degree}{_of_one_seed(snapshot)}{f' · step {numbers.step(view.step)}' if old else ''}"
    remark = f"{numbers.measure(100 * view.complexity, 2)} % apart" if np.isfinite(view.complexity) else ""
    return Figure(spec, title, remark, old=old)


def field_title(snapshot: Snapshot) -> str:
    """What the frame of the direction field says."""
    view = snapshot.field
    if view is None:
        return "field"
    return f"field · {numbers.plural(len(view.stable), 'stable line')}{_of_one_seed(snapshot)}"


def field_remark(snapshot: Snapshot) -> str:
    """Of which step the neurons in the field are: their weights are kept at a few of the steps."""
    at = None if snapshot.field is None else snapshot.field.neurons_at
    return "" if at is None else f"● kernels at step {at}"


def _absent(snapshot: Snapshot, words: str) -> str:
    """Words for what a run has not; before the first measurement nobody knows."""
    return words if len(snapshot.instants) else NOTHING_YET


def _unpredicted(snapshot: Snapshot, words: str) -> str:
    """Why the run has no prediction, as its worker said; else words for what it has not."""
    return next((event.text for event in snapshot.events if event.kind == UNPREDICTED), _absent(snapshot, words))


def _over_seeds(snapshot: Snapshot) -> bool:
    return snapshot.seeds is not None and snapshot.seeds.chosen is None


def _of_one_seed(snapshot: Snapshot) -> str:
    """What is drawn of frames is one seed's, also where all else is over several: it says whose."""
    return "" if snapshot.seeds is None else f" · {snapshot.seeds.imaged}"


def _whose(snapshot: Snapshot) -> str:
    """Of which layer and seed the curves are that are drawn of one layer."""
    return _name(snapshot, snapshot.layer or "")


def _name(snapshot: Snapshot, name: str) -> str:
    """A curve of one member is another curve than the mean's, of whatever length."""
    return name if snapshot.seeds is None else f"{name} of {snapshot.seeds.label}"


def _band(snapshot: Snapshot, name: str) -> list[PlotCurve]:
    """The lowest and the highest of all members, drawn behind the curve that is shown."""
    if snapshot.seeds is None:
        return []
    return _edges(snapshot.seeds.bands[name])


def _edges(band: tuple[Series, Series]) -> list[PlotCurve]:
    low, high = band
    return [PlotCurve("lowest", *low, BAND), PlotCurve("highest", *high, BAND, fills=True)]


def _gap(values: np.ndarray, doubtful: bool) -> str:
    if len(values) < 2 or not values[0] > 0:
        return ""
    ratio = float(np.sqrt(values[1] / values[0]))
    if doubtful:
        return f"λ2/λ1 {ratio:.4f}: no gap"
    gap = float(np.sqrt(values[0]) - np.sqrt(values[1]))
    return f"gap {numbers.measure(gap, 3)} · λ2/λ1 {ratio:.2g}"


def _spec(
    curves: tuple[PlotCurve, ...],
    snapshot: Snapshot,
    axes: Axes,
    log_y: bool,
    *,
    rule: Rule | None = None,
    marks: tuple[Mark, ...] = (),
    bounds: tuple[float, float] | None = None,
) -> Spec:
    # The axis ends where the recording does: up to the run's last step, the curves of its first minutes would be a dot.
    curves = tuple(replace(curve, among=snapshot.instants) for curve in curves)
    return Spec(curves, 0, 0, log_y=log_y, log_x=axes.log_x, rule=rule, marks=marks, bounds=bounds, smooth=axes.smooth)


def value_at(series: Series, snapshot: Snapshot) -> float | None:
    """The newest value at or before the playhead."""
    steps, values = series
    if not len(steps):
        return None
    if snapshot.head is None or snapshot.head.following:
        return float(values[-1])
    end = int(np.searchsorted(steps, snapshot.head.step, side="right"))
    return float(values[end - 1]) if end else None


def _when(series: Series, snapshot: Snapshot) -> str:
    """` · step 120` where the newest value at or before the playhead is of an earlier step; nothing where it is of its
    own."""
    steps, head = series[0], snapshot.head
    if head is None or not len(steps):
        return ""
    end = int(np.searchsorted(steps, head.step, side="right"))
    return f" · step {numbers.step(int(steps[end - 1]))}" if end and steps[end - 1] < head.step else ""
