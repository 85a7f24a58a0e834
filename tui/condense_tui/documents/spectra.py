"""Spectra over the steps as charts: the layers' own, and those of the Hessian, of the tangent kernel and of weights."""

from __future__ import annotations

import numpy as np

from condense_core.runfile.reader import RunReader
from condense_core.scalar_names import layer_in_words
from condense_tui.documents.curves import Chart, ChartCurve, plot
from condense_tui.documents.pictures import LAYERS, Picture, own_spectrum
from condense_tui.snapshots.spectra import LIMIT_NAME, RecordedSpectrum, SpectraReader, network_spectra

# Names at the ends of curves have room for five letters.
_SHORT = {"sharpness": "λ1", "lowest": "least"}

# Below this ratio of the largest to the smallest value a logarithmic axis has one round number, or none.
WIDE = 100.0


def spectrum_chart(found: RecordedSpectrum, at: int | None = None) -> Chart:
    """A spectrum up to a step; on a logarithmic axis where all of it is above 0, and not of one order of magnitude."""
    named = [(_SHORT.get(name, name), points) for name, points in found.curves]
    named += [] if found.limit is None else [(LIMIT_NAME, found.limit)]
    curves = []
    for tone, (name, (steps, values)) in enumerate(named):
        shown = steps <= (np.inf if at is None else at)
        curves.append(ChartCurve(steps[shown], values[shown], name=name, tone=tone))
    values = np.concatenate([curve.values for curve in curves])
    known = values[np.isfinite(values)]
    log = bool(len(known)) and float(known.max()) > WIDE * float(known.min()) > 0
    title = f"largest {found.title} over the steps" if found.name == "singular" else found.title
    return Chart(title, curves, log=log)


def spectra_pictures(run: RunReader) -> list[Picture]:
    """All spectra of a run but that of its first layer, which stands among its curves."""
    layers, reader = run.layers[:LAYERS], SpectraReader()
    own = [own_spectrum(run, layer, layer_in_words(layer)) for layer in layers[1:]]
    found = [*network_spectra(run.curve), *(reader.singular(run, layer) for layer in layers)]
    charts = [spectrum_chart(each) for each in found if each.curves]
    return [
        *(picture for picture in own if picture is not None),
        *(Picture(plot(chart), chart.title, False) for chart in charts),
    ]
