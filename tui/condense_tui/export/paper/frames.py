"""What was recorded of a layer at one step, as panels of a figure: each title says which step that is."""

from __future__ import annotations

import numpy as np

from condense_core.runfile.frames import Array
from condense_core.scalar_names import layer_in_words
from condense_core.thresholds import FINE
from condense_tui.documents.files import ExportError
from condense_tui.draw.numbers import plural, step
from condense_tui.draw.palette import DROPPED, LEVELS, NAN, PALETTES, colours
from condense_tui.draw.strokes import drawable
from condense_tui.draw.weights import histogram
from condense_tui.draw.written import lines_in
from condense_tui.export.paper.curves import CurveSource
from condense_tui.export.paper.sheet import BarsPanel, CurvesPanel, SheetField, SheetHeatmap, SheetLine
from condense_tui.export.paper_look import PaperLook
from condense_tui.snapshots.image import image_of
from condense_tui.snapshots.seeds import seed_label
from condense_tui.snapshots.weights import WeightsReader, WeightsView, neurons_of

ONLY_ONE_INPUT = "only networks with one input and one hidden layer have"


def heat_panel(source: CurveSource, layer: str, palette: int, *, named: bool) -> SheetHeatmap:
    """The similarity of a layer in the order of the screen, so that condensed kernels stand together."""
    run = source.own
    cosine, at = run.similarity(layer, source.at), run.step_of("similarity", layer, source.at)
    if cosine is None or at is None:
        raise ExportError(f"heatmap: {source.name} has no similarity of {layer} recorded up to step {step(source.at)}")
    frame = run.condensation(layer, at)
    image = image_of(layer, cosine, frame, True)
    dropped = image.dropped[image.order]
    lines = "" if frame is None else lines_in(frame, FINE if run.claim is None else run.claim.cut)
    away = f"; grey: {int(dropped.sum())} dropped" if dropped.any() else ""
    drawn = "" if image.drawn_of is None else f", {step(image.kernels)} of {step(image.drawn_of)}"
    pooled = f"{drawn}, pooled to {len(cosine)}" if image.pooled else drawn
    scale = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours(PALETTES[palette], False)]
    return SheetHeatmap(
        title=_title(source, layer, at, lines, named=named),
        x_label=f"kernel, ordered by line{pooled}{away}"
        if frame is not None and not image.pooled
        else f"kernel{pooled}",
        y_label="kernel",
        cosine=Array.of(cosine[np.ix_(image.order, image.order)], "f4"),
        dropped=Array.of(dropped, "i1"),
        kernels=image.kernels,
        colours=scale[:LEVELS],
        dropped_colour=scale[DROPPED],
        missing_colour=scale[NAN],
    )


def spectrum_panel(source: CurveSource, layer: str | None, look: PaperLook, *, named: bool) -> CurvesPanel:
    """All eigenvalues of ZᵀZ, or of the layer's gradient, at one step, largest first."""
    of = source.layer(layer)
    frame, at = source.own.spectrum(of, source.at), source.own.step_of("spectrum", of, source.at)
    if frame is None or at is None:
        raise ExportError(f"spectrum: {source.name} has recorded none of {of or 'any layer'} up to this step")
    values = frame.values.numpy() ** 2
    return _ranks(_title(source, of, at, named=named), frame.source.eigenvalues, "index", values, look)


def singular_panel(source: CurveSource, layer: str | None, look: PaperLook, *, named: bool) -> CurvesPanel:
    """The singular values of the layer's kernels."""
    view = _weights(source, layer)
    if view.singular_at is None or not len(view.singular):
        raise ExportError(f"singular: {source.name} has kept no weights of {view.layer} up to this step")
    title = _title(source, view.layer, view.singular_at, named=named)
    return _ranks(title, "singular value of the weights", "index", view.singular, look)


def _ranks(title: str, y_label: str, x_label: str, values_r: np.ndarray, look: PaperLook) -> CurvesPanel:
    values = drawable(values_r)
    log = look.log_values is not False and bool((values > 0).any())
    there = np.isfinite(values) & ((values > 0) | (not log))
    rank = np.arange(1, len(values) + 1)
    line = _points("", rank[there], values[there], 0)
    return CurvesPanel(title=title, x_label=x_label, y_label=y_label, lines=[line], along="rank", log_y=log)


def norms_panel(source: CurveSource, layer: str | None, look: PaperLook, *, named: bool) -> BarsPanel:
    """How the norms of kernels are spread."""
    view, log = _weights(source, layer), look.log_values is not False
    edges, kept, counts = histogram(view.norm, view.dropped, log=log)
    if not len(counts) or view.norms_at is None:
        raise ExportError(f"norms: {source.name} has recorded none of {view.layer} up to this step")
    return BarsPanel(
        title=_title(source, view.layer, view.norms_at, named=named),
        x_label="norm of the kernel",
        y_label="kernels",
        edges=Array.of(edges, "f8"),
        kept=Array.of(kept, "f8"),
        counts=Array.of(counts, "f8"),
        log_x=log,
    )


def orientation_panel(source: CurveSource, layer: str | None, look: PaperLook, *, named: bool) -> CurvesPanel:
    """Where each neuron of a layer with one input points and how large it is, and the way that it has come."""
    view = _weights(source, layer)
    amplitude_SM, log = drawable(view.amplitude), look.log_values is not False
    seen_SM = np.isfinite(view.angle) & np.isfinite(amplitude_SM) & ((amplitude_SM > 0) | (not log))
    if not seen_SM.any() or view.kept_at is None:
        raise ExportError(f"orientation: {source.name} has kept no weights of a layer with one input up to this step")
    begins_SM = np.ones(view.angle.shape, bool)
    # a way over the edge at ±π goes on at the other one, and what has no place is a gap
    begins_SM[1:] = (np.abs(np.diff(view.angle, axis=0)) > np.pi) | ~seen_SM[:-1]
    way = seen_SM.T.ravel()
    trails = SheetLine(
        name=f"path over {plural(len(view.angle), 'kept step')}",
        x=Array.of(view.angle.T.ravel()[way], "f8"),
        y=Array.of(amplitude_SM.T.ravel()[way], "f8"),
        begins=Array.of(begins_SM.T.ravel()[way], "i1"),
        tone=-1,
        exact=True,
    )
    now = seen_SM[-1]
    heads = _points("neuron", view.angle[-1][now], amplitude_SM[-1][now], 0)
    return CurvesPanel(
        title=_title(source, view.layer, view.kept_at, named=named),
        x_label="orientation θ",
        y_label="amplitude A",
        lines=[trails, heads] if len(view.angle) > 1 else [heads],
        along="angle",
        log_y=log,
    )


def output_panel(source: CurveSource, layer: str | None, *, named: bool) -> CurvesPanel:
    """The output of a network with one input over its interval, beside its polynomial."""
    of = source.layer(layer)
    frame, at = source.own.outputs(of, source.at), source.own.step_of("outputs", of, source.at)
    if frame is None or at is None:
        raise ExportError(f"output: {source.name} has recorded none; {ONLY_ONE_INPUT} one")
    point = frame.point.numpy()

    def line(name: str, values: np.ndarray, tone: int) -> SheetLine:
        whole = np.r_[True, np.zeros(max(0, len(point) - 1), bool)]
        return SheetLine(
            name=name,
            x=Array.of(point, "f8"),
            y=Array.of(drawable(values), "f8"),
            begins=Array.of(whole[: len(point)], "i1"),
            tone=tone,
            exact=True,
        )

    return CurvesPanel(
        title=_title(source, of, at, named=named),
        x_label="input",
        y_label="output",
        lines=[
            line("network", frame.output.numpy(), 0),
            line(f"polynomial of degree {frame.degree}", frame.polynomial.numpy(), 1),
        ],
        along="value",
    )


def field_panel(source: CurveSource, layer: str | None, *, named: bool) -> SheetField:
    """The field that drives small neurons, its stable lines, and where the neurons are."""
    of = source.layer(layer)
    frame, at = source.own.field(of, source.at), source.own.step_of("field", of, source.at)
    if frame is None or at is None:
        raise ExportError(f"field: {source.name} has recorded none; {ONLY_ONE_INPUT} one")
    kept, neurons = neurons_of(source.own, of, source.at)
    more = plural(len(frame.stable.numpy()), "stable line")
    more += f" · neurons of step {step(kept)}" if kept is not None and kept != at else ""
    return SheetField(
        title=_title(source, of, at, more, named=named),
        x_label="weight",
        y_label="bias",
        omega=frame.omega,
        velocity=frame.velocity,
        stable=frame.stable,
        neurons=Array.of(neurons, "f8"),
    )


def _points(name: str, x: np.ndarray, y: np.ndarray, tone: int) -> SheetLine:
    return SheetLine(
        name=name,
        x=Array.of(x, "f8"),
        y=Array.of(y, "f8"),
        begins=Array.of(np.ones(len(x), bool), "i1"),
        tone=tone,
        points=True,
    )


def _weights(source: CurveSource, layer: str | None) -> WeightsView:
    return WeightsReader().at(source.own, source.layer(layer), source.at)


def _title(source: CurveSource, layer: str, at: int, more: str = "", *, named: bool) -> str:
    """`conv1 · step 1,200 · 2 lines at 0.9`; beside other runs the run comes first, and of several seeds which."""
    seed = seed_label(source.whole, source.member or 0) if source.whole.members > 1 else ""
    parts = (source.name if named else "", layer_in_words(layer), f"step {step(at)}", seed, more)
    return " · ".join(part for part in parts if part)
