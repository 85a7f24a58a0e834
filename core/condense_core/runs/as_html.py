"""A run as a notebook shows it: a few rows of HTML. What comes from a file is escaped and cut."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence

from condense_core.measure_table import MEASURES
from condense_core.runfile.reader import RunReader
from condense_core.runs.standing import standing
from condense_core.scalar_names import kind_of

MOST_LAYERS = 12
LONGEST_TEXT = 300
# Of a layer, those that were measured.
_OF_A_LAYER = ("lines", "directions", "coverage", "mean_abs_cos", "alignment", "condensed")


def run_as_html(run: RunReader, step: int | None, values: Mapping[str, Mapping[str, float]]) -> str:
    """A table of what the run is, and one of at most MOST_LAYERS layers at its last measured step: `values` by layer
    and measure, the network's own under ""; `step` None where nothing was measured."""
    info, claim = run.info(), standing(run)
    of = "" if info.steps is None else f" of {info.steps:,}"
    rows = [("run", info.id), ("status", f"{info.status}, step {info.step:,}{of}")]
    if info.reason:
        rows.append(("why", info.reason))
    if run.members > 1:
        rows.append(("seeds", f"{run.members}; below is the mean"))
    if claim is not None:
        rows.append(("claim", f"{claim.state}: {claim.text}"))
    if step is not None and "loss" in values.get("", {}):
        rows.append((f"loss at {step:,}", f"{values['']['loss']:.4g}"))
    layers = [layer for layer in run.layers if layer in values]
    measures = [name for name in _OF_A_LAYER if any(name in values[layer] for layer in layers)]
    head = ["layer", *(MEASURES[name].label for name in measures)]
    shown = [[layer, *(_cell(layer, name, values[layer]) for name in measures)] for layer in layers[:MOST_LAYERS]]
    left = len(layers) - len(shown)
    more = paragraph(f"… and {left} more layers") if left else ""
    return table([], rows) + (table(head, shown) + more if shown else "")


def _cell(layer: str, name: str, values: Mapping[str, float]) -> str:
    value = values.get(name, math.nan)
    if math.isnan(value):
        return "–"
    kind = kind_of(f"{layer}.{name}")
    if kind == "flag" and value in {0, 1}:
        return "yes" if value else "no"
    return f"{100 * value:.4g} %" if kind == "share" else f"{value:.4g}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of texts, under a head where there is one."""
    lines = ["".join(f"<th>{_escaped(cell)}</th>" for cell in head)] if head else []
    lines += ["".join(f"<td>{_escaped(cell)}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def paragraph(text: str) -> str:
    """A line by itself."""
    return f"<p>{_escaped(text)}</p>"


def _escaped(text: str) -> str:
    return html.escape(text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…")
