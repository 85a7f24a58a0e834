"""What a preset's part of the report shows, read from its run files: heatmaps of one run, curves of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from condense_core.runfile.curves import Points
from condense_core.runfile.layer_measures import predicted_step
from condense_core.runfile.member_files import MemberFiles
from condense_core.runfile.reader import RunReader
from condense_core.thresholds import FINE, INITIAL_STAGE, percent
from condense_tui.documents.curves import Chart, ChartCurve, plot
from condense_tui.documents.heat import heatmap
from condense_tui.documents.markup import Markup
from condense_tui.draw.numbers import step
from condense_tui.draw.written import lines_in
from condense_tui.snapshots.image import image_of

# What stands at the line under which the loss has left the initial stage.
INITIAL_STAGE_ENDS = f"{percent(INITIAL_STAGE)}: end of the initial stage"
# Layers whose heatmaps are shown: the papers' deepest network that is a preset here has five hidden ones.
LAYERS = 6
EIGENVALUES = 4
# Heatmaps beside each other on the page.
IN_A_ROW = 5


MemberPlace = tuple[Path, int]
"""A run's folder, and which of its members."""


@dataclass(frozen=True)
class Picture:
    """One picture with the line under it."""

    image: Markup
    caption: str
    square: bool


def pictures(places: Sequence[MemberPlace]) -> list[Picture]:
    """Pictures of these runs, the first of which is the one whose heatmaps and eigenvalues are shown."""
    if not places:
        return []
    with MemberFiles() as files:
        return pictures_of(files.member(*places[0]), (files.member(*place) for place in places[1:]))


def pictures_of(first: RunReader, others: Iterable[RunReader]) -> list[Picture]:
    """The same of open runs, of which each is read before the next is asked for."""
    shown: list[Picture | None] = [*_heatmaps(first)]
    alone = len(first.layers) == 1
    layer = first.layers[0] if first.layers else ""
    eigenvalues, source = own_spectrum(first, layer, layer), first.prediction_source(layer)
    mark = predicted_mark(first, layer)
    losses, ratios = [first.curve("loss_ratio")], [first.curve(f"{layer}.ratio")]
    for run in others:
        if alone and len(shown) < IN_A_ROW:
            shown.append(_heatmap(run, layer, int(run.instants[-1]), f", seed {run.experiment.seed}"))
        losses.append(run.curve("loss_ratio"))
        ratios.append(run.curve(f"{layer}.ratio"))
    rule = (INITIAL_STAGE, INITIAL_STAGE_ENDS)
    shown.append(_of_all(Chart("loss / first loss", (), rule=rule), losses))
    on = f"share of {layer} on {source.direction}"
    shown.append(_of_all(Chart(on, (), mark=mark, low=0.0, high=1.0), ratios))
    return [picture for picture in [*shown, eigenvalues] if picture is not None and picture.image]


def predicted_mark(run: RunReader, layer: str) -> tuple[float, str] | None:
    """Where a plot over steps has the predicted step of condensation, and its words; None without a prediction."""
    predicted = predicted_step(run.curve(f"{layer}.predicted_at"))
    return None if predicted is None else (predicted, f"predicted {step(predicted)}")


def _heatmaps(run: RunReader) -> list[Picture]:
    """Every layer at the end; with one layer there is room for where it began."""
    layers, instants = run.layers[:LAYERS], run.instants
    if not len(instants):
        return []
    first, last = int(instants[0]), int(instants[-1])
    steps = (first, last) if len(layers) == 1 and first != last else (last,)
    found = [_heatmap(run, layer, at) for layer in layers for at in steps]
    return [picture for picture in found if picture is not None]


def _heatmap(run: RunReader, layer: str, at: int, which: str = "") -> Picture | None:
    """The layer at a step, its kernels ordered as they end."""
    cosine, frame = run.similarity(layer, at), run.condensation(layer, at)
    if cosine is None:
        return None
    image = image_of(layer, cosine, run.condensation(layer), True)
    last = at == int(run.instants[-1])
    words = "" if frame is None else f": {lines_in(frame, FINE if run.claim is None else run.claim.cut)}"
    caption = f"{layer} at step {step(at)}{which}{words}"
    dropped = image.dropped if last else np.zeros(len(cosine), bool)
    return Picture(heatmap(cosine, image.order, dropped, caption), caption, True)


def _of_all(chart: Chart, points: Sequence[Points]) -> Picture | None:
    """The chart with the curves of all runs, the first one's in front; None where nothing is known of any."""
    curves = [
        ChartCurve(steps, values, behind=index > 0)
        for index, (steps, values) in enumerate(points)
        if np.isfinite(values).any()
    ]
    return Picture(plot(replace(chart, curves=curves)), chart.title, False) if curves else None


def own_spectrum(run: RunReader, layer: str, called: str) -> Picture | None:
    """The largest eigenvalues of a layer's own spectrum over the steps, and what the layer is called; None without."""
    curves = []
    for rank in range(1, EIGENVALUES + 1):
        steps, values = run.curve(f"{layer}.eigenvalue.{rank}")
        # an exact zero has no place on a logarithmic axis
        if (values > 0).any():
            curves.append(ChartCurve(steps, values, name=f"λ{rank}²", tone=rank - 1))
    if not curves:
        return None
    title = f"{run.prediction_source(layer).eigenvalues}, {called}"
    return Picture(plot(Chart(title, curves, log=True)), title, False)
