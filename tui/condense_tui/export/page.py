"""One run as one HTML page that needs nothing else: the look of the report, and its pictures."""

from __future__ import annotations

import time

import numpy as np

from condense_core.measure_table import MEASURES, OF_GRADIENT
from condense_core.runfile.info import RunInfo
from condense_core.runfile.reader import RunReader
from condense_core.runs.layer_over_seeds import read_layer_over_seeds
from condense_core.runs.summary import Summary, summarise
from condense_core.scalar_names import layer_in_words
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.watched import Watched, settings
from condense_core.text import printable
from condense_core.thresholds import Cut, other_cut
from condense_tui.documents.arrows import arrows
from condense_tui.documents.curves import plot
from condense_tui.documents.heat import heatmap, legend
from condense_tui.documents.html_page import html_page
from condense_tui.documents.machine import machine_pictures
from condense_tui.documents.markup import Markup, el, join
from condense_tui.documents.pictures import Picture, pictures_of
from condense_tui.documents.spectra import spectra_pictures
from condense_tui.documents.weights import weights_pictures
from condense_tui.draw.label import label, said_of
from condense_tui.draw.numbers import duration, plural, progress, step
from condense_tui.draw.verdict import finding, verdict
from condense_tui.draw.written import lines_in, over, remarks
from condense_tui.export.figure import CELLS, output_plot
from condense_tui.snapshots.image import image_of
from condense_tui.snapshots.seeds import seed_label
from condense_tui.snapshots.weights import neurons_of

# Events that are shown: a run that was paused a thousand times says so in fewer.
EVENTS = 200
# Measures of a layer in the table, in this order.
COLUMNS = ("kept", "lines", "directions", "coverage", "mean_abs_cos", "condensed")


def to_html(run: RunReader, at: int, member: int | None = None) -> str:
    """The page: heatmaps at step `at`, everything else of the whole run; of an ensemble, one member's page, or the
    verdict on all with the first one's heatmaps. Of a run of which damage was left out no claim is judged."""
    whole, run = run, run.member(member or 0)
    info, summary = run.info(), summarise(whole if member is None else run)
    name, shown, cut = label(whole.folder, info), whole if member is None else run, summary.cut
    # its name is the title
    said = [(word, text) for word, text in said_of(whole.folder) if word != "name"]
    measured = join(
        _facts([*said, *_circumstances(info), *_seeds(whole, member)]),
        el("h2", f"Layers at step {step(at)}"),
        _layers(shown, at, cut),
        el("div", *(_figure(one) for one in _heatmaps(run, at, cut)), class_="pictures heatmaps"),
        el("p", "Cosine of every two kernels, ordered by line; kernels without a direction are grey. ", legend()),
        el("h2", "Curves"),
        el("div", *map(_figure, [*_curves(whole, member or 0), *_one_input(run, at)]), class_="pictures plots"),
        _of_gradients(run, at),
        *_section("Spectra", spectra_pictures(run)),
        *_section(f"Weights at step {step(at)}", weights_pictures(run, at)),
        *_section("Machine", machine_pictures(whole)),
        el("h2", "Events"),
        _events(run),
        *_trained(shown.subject),
    )
    # known when all has been read
    damage = [el("p", run.damage.text)] if run.damage.named else []
    return html_page(name, el("main", el("h1", name), _claim(summary, judged=not damage), *damage, measured))


def _claim(summary: Summary, *, judged: bool) -> Markup:
    """The claim with its verdict, and each requirement with its value against what is wanted."""
    claim = None if summary.claim is None else summary.claim.standing
    if claim is None:
        return Markup("")
    if not judged:
        return el("p", f"claim: {claim.text}: ", el("span", verdict(claim.of_damaged), class_="badge no-claim"))
    kind = {True: "holds", False: "does-not-hold", None: "no-claim"}[claim.holds]
    where = "" if claim.step is None else f" (values of step {step(claim.step)})"
    badge = el("span", verdict(claim), class_=f"badge {kind}")
    each = [f"{'met' if found.met else 'missed'}: {finding(found, claim.of)}" for found in claim.findings]
    return join(el("p", f"claim: {claim.text}: ", badge, where), el("ul", *(el("li", words) for words in each)))


def _trained(trained: Experiment | Watched) -> list[Markup]:
    if isinstance(trained, Watched):
        lines = "\n".join(f"{name}: {printable(value)}" for name, value in settings(trained))
        return [el("h2", "Training"), el("pre", lines)]
    return [el("h2", "Scenario"), el("pre", toml.dumps(trained))]


def _circumstances(info: RunInfo) -> list[tuple[str, str]]:
    made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(info.created))
    rows = [
        ("run", info.id),
        ("preset", info.preset),
        ("status", f"{info.status}{f': {info.reason}' if info.reason else ''}"),
        ("steps", f"{progress(info.step, info.steps)}, {duration(info.seconds)}"),
        ("created", made),
        ("machine", f"{info.host}, {info.device}" if info.device else info.host),
        ("versions", ", ".join(f"{name} {version}" for name, version in info.versions.items())),
        ("revision", info.revision),
    ]
    return [(name, text) for name, text in rows if text]


def _seeds(run: RunReader, member: int | None) -> list[tuple[str, str]]:
    """Whose numbers these are, where the run is of several seeds."""
    if run.members == 1:
        return []
    faint = f"curves of the other {run.members - 1} are faint"
    whose = seed_label(run, member or 0)
    if member is not None:
        return [("seed", f"layers, heatmaps, curves and the verdict of {whose}; {faint}")]
    return [("seeds", f"layers and the verdict of all {run.members}; heatmaps and curves of {whose}; {faint}")]


def _facts(rows: list[tuple[str, str]]) -> Markup:
    return el("dl", *(join(el("dt", name), el("dd", text)) for name, text in rows))


def _layers(run: RunReader, at: int, cut: Cut) -> Markup:
    """A row a layer, over all seeds where there are several, and what the numbers are."""
    layers = [layer for name in run.layers if (layer := read_layer_over_seeds(run, name, at, cut)).lines.known]
    heads = ("layer", *(MEASURES[name].label for name in COLUMNS), f"lines at {other_cut(cut).short}")
    rows = [el("tr", *(el("th", head) for head in heads))]
    for layer in layers:
        values = {name: over(name, getattr(layer, name)) for name in COLUMNS}
        values["kept"] = f"{values['kept']} of {layer.kernels}" if layer.kept.known else str(layer.kernels)
        cells = (layer.name, *values.values(), over("lines", layer.lines_at_other))
        rows.append(el("tr", *(el("td", cell) for cell in cells)))
    said = [el("p", remark, class_="soft") for remark in remarks(layers)] if layers else []
    return join(el("div", el("table", *rows), class_="wrap"), *said)


def _heatmaps(run: RunReader, at: int, cut: Cut) -> list[Picture]:
    """Every layer where it began and at step `at`, kernels in the order that they have at `at`."""
    found = []
    # none where what was measured of that member is damaged
    first = run.instants[:1].tolist()
    for layer in run.layers:
        frame = run.condensation(layer, at)
        for when in dict.fromkeys((*first, at)):
            cosine = run.similarity(layer, when)
            if cosine is None:
                continue
            image = image_of(layer, cosine, frame, True)
            dropped = image.dropped if when == at else np.zeros(len(cosine), bool)
            lines = f": {lines_in(frame, cut)}" if frame is not None and when == at else ""
            caption = f"{layer_in_words(layer)} at step {step(when)}{lines}"
            found.append(Picture(heatmap(cosine, image.order, dropped, caption, CELLS), caption, True))
    return found


def _curves(run: RunReader, member: int) -> list[Picture]:
    """The report's curves of one run; of an ensemble one member's, the others faintly behind."""
    others = [other for other in range(run.members) if other != member]
    found = pictures_of(run.member(member), map(run.member, others))
    return [picture for picture in found if not picture.square]


def _of_gradients(run: RunReader, at: int) -> Markup:
    """Of which layers the predicted direction is that of the gradient."""
    spectra = [(layer, run.spectrum(layer, at)) for layer in run.layers]
    names = [layer for layer, spectrum in spectra if spectrum is not None and spectrum.from_data is False]
    if not names:
        return Markup("")
    text = f"Without a signal matrix Z, the predicted direction is {OF_GRADIENT.direction}: {', '.join(names)}."
    return el("p", text, class_="soft")


def _one_input(run: RunReader, at: int) -> list[Picture]:
    """Output and field, where the network has one input."""
    found = []
    for layer in run.layers:
        if run.outputs(layer, at) is not None:
            spec = output_plot(run, layer, at)
            found.append(Picture(plot(spec), spec.title, False))
        field = run.field(layer, at)
        if field is not None:
            caption = f"direction field of {layer_in_words(layer)}: {plural(len(field.stable.numpy()), 'stable line')}"
            kept, neurons = neurons_of(run, layer, at)
            caption += "" if kept is None else f", kernels at step {step(kept)}"
            found.append(Picture(arrows(field, caption, neurons), caption, False))
    return found


def _section(title: str, shown: list[Picture]) -> list[Markup]:
    """Pictures under their heading; nothing without any."""
    return [el("h2", title), el("div", *map(_figure, shown), class_="pictures plots")] if shown else []


def _figure(picture: Picture) -> Markup:
    return el("figure", picture.image, el("figcaption", picture.caption))


def _events(run: RunReader) -> Markup:
    rows = [el("tr", *(el("th", head) for head in ("step", "event", "")))]
    rows += [
        el("tr", el("td", step(event.step)), el("td", event.kind), el("td", event.text))
        for event in run.events[-EVENTS:]
    ]
    return el("div", el("table", *rows), class_="wrap")
