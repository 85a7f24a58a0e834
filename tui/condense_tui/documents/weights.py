"""A layer's weights as SVG: how norms are spread, singular values, and where neurons point.   # S steps, M kernels"""

from __future__ import annotations

import numpy as np

from condense_core.runfile.reader import RunReader
from condense_tui.documents.curves import Chart, ChartCurve, plot
from condense_tui.documents.pictures import Picture
from condense_tui.draw.numbers import plural, step
from condense_tui.draw.strokes import drawable
from condense_tui.draw.weights import histogram
from condense_tui.snapshots.weights import WeightsReader, WeightsView


def weights_pictures(run: RunReader, at: int) -> list[Picture]:
    """Those of every layer of what is recorded of its weights at or before step `at`; each says of which step it is."""
    reader, found = WeightsReader(), []
    for layer in run.layers:
        view = reader.at(run, layer, at)
        found += [picture for picture in (_norms(view), _singular(view), _orientation(view)) if picture is not None]
    return found


def _norms(view: WeightsView) -> Picture | None:
    """The outline of bars; those of dropped kernels lie behind those of all."""
    edges, kept, counts = histogram(view.norm, view.dropped, log=True)
    if not len(counts):
        return None
    fate = f"{int(view.dropped.sum())} of {plural(len(view.norm), 'kernel')} dropped"
    caption = f"norms of {view.layer} at step {step(view.norms_at or 0)}: {fate}, faint"
    curves = [_outline(edges, counts, behind=True), _outline(edges, kept)]
    return Picture(plot(Chart(caption, curves, low=0.0, log_x=True, of_steps=False)), caption, False)


def _outline(edges: np.ndarray, counts: np.ndarray, *, behind: bool = False) -> ChartCurve:
    heights = np.r_[0, np.repeat(counts, 2), 0].astype(np.float64)
    return ChartCurve(np.repeat(edges, 2), heights, behind=behind, whole=True)


def _singular(view: WeightsView) -> Picture | None:
    values = drawable(view.singular)
    if not (values > 0).any() or view.singular_at is None:
        return None
    caption = f"singular values of {view.layer}, weights of step {step(view.singular_at)}"
    rank = np.arange(1, len(values) + 1, dtype=np.float64)
    curve = ChartCurve(rank[values > 0], values[values > 0], points=True)
    return Picture(plot(Chart(caption, [curve], log=True, log_x=False, of_steps=False)), caption, False)


def _orientation(view: WeightsView) -> Picture | None:
    """Where neurons of a layer with one input pointed at each kept step, those of before faintly, and how large they
    were."""
    amplitude_SM = drawable(view.amplitude)
    seen_SM = np.isfinite(view.angle) & (amplitude_SM > 0)
    if not seen_SM.any() or view.kept_at is None:
        return None
    before = f"; faint: at {plural(len(view.angle) - 1, 'step')} before" if len(view.angle) > 1 else ""
    caption = f"orientation θ (−π to π) and amplitude A of {view.layer}, weights of step {step(view.kept_at)}{before}"
    seen_M, then_SM = seen_SM[-1], seen_SM[:-1]
    curves = [
        ChartCurve(view.angle[:-1][then_SM], amplitude_SM[:-1][then_SM], behind=True, points=True),
        ChartCurve(view.angle[-1][seen_M], amplitude_SM[-1][seen_M], points=True),
    ]
    return Picture(plot(Chart(caption, curves, log=True, log_x=False, of_steps=False)), caption, False)
