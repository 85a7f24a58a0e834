"""One figure of a run as an SVG that stands alone: no variables, no script, nothing from elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from condense_core.runfile.reader import RunReader
from condense_core.scalar_names import label_of, layer_in_words, split
from condense_core.thresholds import FINE, INITIAL_STAGE
from condense_tui.documents import arrows, curves, heat
from condense_tui.documents.curves import Chart, ChartCurve
from condense_tui.documents.files import ExportError
from condense_tui.documents.markup import Markup, el, join
from condense_tui.documents.pictures import EIGENVALUES as EIGENVALUE_CURVES
from condense_tui.documents.pictures import INITIAL_STAGE_ENDS, predicted_mark
from condense_tui.documents.spectra import spectrum_chart
from condense_tui.draw.label import label
from condense_tui.draw.numbers import kernels_in_words, measure, plural, step
from condense_tui.draw.palette import LEVELS, PALETTES, Palette
from condense_tui.draw.written import lines_in
from condense_tui.export.wish import EIGENVALUES, FIELD, HEATMAP, OUTPUT, PREDICTION, SPECTRA, Wish, not_recorded
from condense_tui.snapshots.image import image_of
from condense_tui.snapshots.spectra import SpectraReader
from condense_tui.snapshots.weights import neurons_of

# Pixels: a heatmap's side, a curve's and the field's enlargement over the report's small pictures.
HEAT_SIDE = 360
CURVE_ZOOM, FIELD_ZOOM = 2.4, 1.8
_ZOOMS = (CURVE_ZOOM, FIELD_ZOOM)
MARGIN, TITLE, CAPTION, LEGEND = 24, 40, 26, 34
# Heatmaps beside each other; more would be too wide for a page.
ACROSS = 3
# A recorded matrix has no more cells a side.
CELLS = 256
SANS = "system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif"

_INK = {
    False: {"ground": "#fdfcf9", "ink": "#1c1e22", "soft": "#5d6470", "line": "#e3e0d8"},
    True: {"ground": "#101216", "ink": "#e6e7ea", "soft": "#9aa1ad", "line": "#2a2e37"},
}
_TONES = {
    False: ("#1f5fae", "#b8560f", "#2f7d40", "#74479f", "#0b7f86", "#7a5c3e"),
    True: ("#7db8f7", "#f0a05c", "#74bf69", "#b98ae6", "#5cc5cc", "#c9a984"),
}


def figure(whole: RunReader, wish: Wish, whose: str = "") -> str:
    """The figure that `wish.what` names, at step `wish.at`; ExportError if the run has not recorded it. `whose`, of
    an ensemble, goes into its title."""
    at = wish.at or 0
    run = whole if wish.member is None else whole.member(wish.member)
    dark, palette = wish.dark is True, PALETTES[wish.palette % len(PALETTES)]
    layer = wish.layer or (run.layers[0] if run.layers else "")
    if wish.what == HEATMAP:
        width, height, body = _heatmaps(run, (wish.layer,) if wish.layer else run.layers, at)
    elif wish.what == FIELD:
        width, height, body = _field(run, layer, at)
    else:
        width, height, body = _curve(run, whole, wish.what, layer, at)
    damage = f"{plural(len(run.damage.named), 'damaged row')} left out" if run.damage.named else ""
    title = " · ".join(part for part in (label(run.folder, run.info()), whose, f"step {step(at)}", damage) if part)
    return _document(title, width, height, body, dark=dark, palette=palette, more=run.damage.named)


def _document(
    title: str, width: float, height: float, body: Markup, *, dark: bool, palette: Palette, more: tuple[str, ...]
) -> str:
    ink = _INK[dark]
    width, height = round(width + 2 * MARGIN), round(height + TITLE + 2 * MARGIN)
    return el(
        "svg",
        el("title", title),
        *([el("desc", f"left out, since it is damaged: {'; '.join(more)}")] if more else []),
        el("style", Markup(_rules(dark, palette))),
        el("rect", width=width, height=height, fill=ink["ground"]),
        el("text", title, class_="title", x=MARGIN, y=MARGIN + 16),
        el("g", body, transform=f"translate({MARGIN} {MARGIN + TITLE})"),
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
        role="img",
    )


def _rules(dark: bool, palette: Palette) -> str:
    ink, tones = _INK[dark], _TONES[dark]
    rules = [
        f"text{{font-family:{SANS};fill:{ink['soft']}}}",
        f".title{{font-size:18px;font-weight:600;fill:{ink['ink']}}}",
        f".caption{{font-size:14px;fill:{ink['ink']}}}.end{{font-size:13px}}",
        ".heat path{stroke-width:1.04;fill:none}.heat{shape-rendering:crispEdges}",
        f".grid,.axis{{stroke:{ink['line']};stroke-width:.5;fill:none}}",
        f".rule{{stroke:{ink['soft']};stroke-width:.6;stroke-dasharray:3 2}}",
        f".arrow{{stroke:{ink['soft']};stroke-width:.8;fill:none}}",
        f".stable{{stroke:{tones[1]};stroke-width:2}}.neuron{{fill:{tones[0]}}}",
        ".curve{fill:none;stroke-width:1;stroke-linejoin:round}.curve.behind{stroke-width:.5;opacity:.4}",
        ".curve.wide{stroke-width:3.5;opacity:.5}",
        *(f".curve.tone{index}{{stroke:{tone}}}.name.tone{index}{{fill:{tone}}}" for index, tone in enumerate(tones)),
        # letters are of one size whatever their picture is enlarged by
        *(f".z{index} text{{font-size:{14 / zoom:.1f}px}}" for index, zoom in enumerate(_ZOOMS)),
        heat.plain_rules(palette, dark),
    ]
    return "".join(rules)


def _heatmaps(run: RunReader, layers: tuple[str, ...], at: int) -> tuple[float, float, Markup]:
    parts: list[Markup] = []
    for layer in layers:
        cosine = run.similarity(layer, at)
        if cosine is None:
            continue
        frame = run.condensation(layer, at)
        image = image_of(layer, cosine, frame, True)
        side, drawn = heat.cells(cosine, image.order, image.dropped, CELLS)
        column, row = len(parts) % ACROSS, len(parts) // ACROSS
        x, y = column * (HEAT_SIDE + MARGIN), row * (HEAT_SIDE + CAPTION + MARGIN)
        words = f"{layer_in_words(layer)} · {kernels_in_words(image.kernels, image.drawn_of)}"
        words += f", pooled to {side}" if image.pooled else ""
        words += "" if frame is None else f" · {lines_in(frame, FINE if run.claim is None else run.claim.cut)}"
        parts.append(
            join(
                el("text", words, class_="caption", x=x, y=y + 14),
                el(
                    "g",
                    drawn,
                    class_="heat",
                    transform=f"translate({x} {y + CAPTION}) scale({HEAT_SIDE / max(1, side):.6f})",
                ),
            )
        )
    if not parts:
        raise ExportError("no similarity was recorded up to this step, so there is no heatmap to export")
    across, down = min(ACROSS, len(parts)), -(-len(parts) // ACROSS)
    width, height = across * (HEAT_SIDE + MARGIN) - MARGIN, down * (HEAT_SIDE + CAPTION + MARGIN) - MARGIN
    return width, height + LEGEND, join(*parts, _legend(width, height + LEGEND - 10))


def _legend(width: float, y: float) -> Markup:
    length = min(220.0, width - 60)
    x = (width - length) / 2
    bar = f"translate({x:g} {y - 10:g}) scale({length / LEVELS:.4f} 12)"
    return join(
        el("text", "cos −1", class_="end", x=x - 6, y=y, text_anchor="end"),
        el("g", heat.scale(), class_="heat", transform=bar),
        el("text", "1", class_="end", x=x + length + 6, y=y),
    )


def _field(run: RunReader, layer: str, at: int) -> tuple[float, float, Markup]:
    frame = run.field(layer, at)
    if frame is None:
        raise ExportError("no direction field was recorded: only networks with one input and one hidden layer have one")
    side = arrows.SIDE * FIELD_ZOOM
    words = f"direction field of {layer_in_words(layer)} · {plural(len(frame.stable.numpy()), 'stable line')}"
    kept, neurons = neurons_of(run, layer, at)
    words += "" if kept is None else f" · kernels at step {step(kept)}"
    return side, side + CAPTION, _captioned(words, arrows.drawing(frame, neurons), FIELD_ZOOM)


def _curve(run: RunReader, whole: RunReader, what: str, layer: str, at: int) -> tuple[float, float, Markup]:
    if what == OUTPUT:
        spec = output_plot(run, layer, at)
    elif what in SPECTRA:
        spec = _spectrum(run, what, layer, at)
    else:
        spec = _until(run, whole, what, layer, at)
    width, height = curves.WIDTH * CURVE_ZOOM, curves.HEIGHT * CURVE_ZOOM
    return width, height + CAPTION, _captioned(spec.title, curves.drawing(spec), CURVE_ZOOM)


def _captioned(words: str, drawn: Markup, zoom: float) -> Markup:
    place = f"translate(0 {CAPTION}) scale({zoom})"
    return join(
        el("text", words, class_="caption", x=0, y=14), el("g", drawn, class_=f"z{_ZOOMS.index(zoom)}", transform=place)
    )


def output_plot(run: RunReader, layer: str, at: int) -> Chart:
    """The output beside its polynomial; ExportError if the network has not one input."""
    frame = run.outputs(layer, at)
    if frame is None:
        raise ExportError("no output was recorded: only networks with one input and one hidden layer have one")
    point = frame.point.numpy()
    return Chart(
        f"output and polynomial of degree {frame.degree}, {measure(100 * frame.complexity, 2)} % of the range apart",
        [
            ChartCurve(point, frame.polynomial.numpy(), name=f"degree {frame.degree}", tone=1, wide=True),
            ChartCurve(point, frame.output.numpy(), name="output", tone=0),
        ],
        log_x=False,
    )


def _spectrum(run: RunReader, what: str, layer: str, at: int) -> Chart:
    found = next((each for each in SpectraReader().of(run, layer, run.curve) if each.name == what), None)
    if found is None:
        raise ExportError(not_recorded(what, layer))
    return spectrum_chart(found, at)


def _until(run: RunReader, whole: RunReader, what: str, layer: str, at: int) -> Chart:
    """The plot of scalars up to a step, of a run or one of its members, with all members behind it."""

    def until(steps: np.ndarray, values: np.ndarray, **look: Any) -> ChartCurve:
        kept = steps <= at
        return ChartCurve(steps[kept], values[kept], **look)

    def curve(name: str, words: str = "", tone: int = 0) -> ChartCurve:
        return until(*run.curve(name), name=words, tone=tone)

    def members(name: str) -> list[ChartCurve]:
        """Of an ensemble, the curves of which the one in front is one, or the mean."""
        steps, values = whole.spread(name)
        return [until(steps, column, behind=True) for column in values.T] if whole.members > 1 else []

    if what == EIGENVALUES:
        ranks = range(1, EIGENVALUE_CURVES + 1)
        shown = [curve(f"{layer}.eigenvalue.{rank}", f"λ{rank}²", rank - 1) for rank in ranks]
        plot = Chart(
            f"{run.prediction_source(layer).eigenvalues}, {layer_in_words(layer)}",
            [one for one in shown if (one.values > 0).any()],
            log=True,
        )
    elif what == PREDICTION:
        shown = [curve(f"{layer}.predicted_ratio", "theory", 1), curve(f"{layer}.ratio", "seen", 0)]
        shown += members(f"{layer}.ratio")
        mark = predicted_mark(run, layer)
        title = f"share of {layer_in_words(layer)} on {run.prediction_source(layer).direction}"
        plot = Chart(title, [one for one in shown if len(one.steps)], mark=mark, low=0.0, high=1.0)
    else:
        found = curve(what)
        first = float(found.values[0]) if len(found.values) else float("nan")
        initial = {"loss": INITIAL_STAGE * first, "loss_ratio": INITIAL_STAGE}.get(what)
        rule = (initial, INITIAL_STAGE_ENDS) if initial is not None and np.isfinite(initial) else None
        plot = Chart(label_of(what, run.prediction_source(split(what)[0])), [found, *members(what)], rule=rule)
    if not any(np.isfinite(one.values).any() for one in plot.curves):
        raise ExportError(f"{what}: no number was recorded up to step {step(at)}, so there is no curve to export")
    return plot
