"""Tables on standard output, with rich."""

from __future__ import annotations

import contextlib
import math
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from condense_core.measure_table import MEASURES
from condense_tui.draw.numbers import UNKNOWN
from condense_tui.draw.status import sign_of
from condense_tui.draw.written import written

if TYPE_CHECKING:
    from condense_core.runfile.info import RunInfo
    from condense_core.runfile.layer_measures import LayerMeasures
    from condense_core.runs.summary import ClaimSummary, SeedSummary, Summary

PIPE_WIDTH = 200
# The table of layers, unless their names are long; narrower, its columns would be cut.
LEAST_WIDTH = 80
# What there is room for behind the name of a layer in so many characters; `kept` is of all kernels.
COLUMNS = ("kept", "lines", "directions", "coverage", "mean_abs_cos", "alignment", "condensed", "predicted_at")


@contextlib.contextmanager
def waiting(text: str) -> Iterator[None]:
    """Say on a terminal's standard error what is going on while the block runs; nothing elsewhere."""
    console = Console(stderr=True)
    with console.status(text) if console.is_terminal else contextlib.nullcontext():
        yield


def print_summary(summary: Summary) -> None:
    """A run: one line of what it was, a row a layer, the claim and its verdict."""
    console = Console()
    speed = f", {summary.steps_per_second:.4g} steps/s" if summary.steps_per_second > 0 else ""
    if summary.seeds:
        speed = f"{speed} with {len(summary.seeds)} seeds"
    console.print(
        f"{summary.run}: {summary.status} at step {summary.steps}, {summary.seconds:.1f} s{speed},"
        f" loss {written('loss', summary.loss.first)} → {written('loss', summary.loss.last)}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    print_layers(console, summary.layers, summary.seeds)
    if summary.claim is not None:
        for line in claim_lines(summary.claim):
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def print_layers(console: Console, layers: Sequence[LayerMeasures], seeds: Sequence[SeedSummary] = ()) -> None:
    """A row a layer, over the `seeds` of an ensemble where there are any; and what the dagger means."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("layer")
    for name in COLUMNS:
        table.add_column(MEASURES[name].head, justify="right", no_wrap=True)
    for index, layer in enumerate(layers):
        of_seeds = [seed.layers[index] for seed in seeds if index < len(seed.layers)]
        table.add_row(*map(Text, _of_seeds(of_seeds) if of_seeds else _cells(layer)))
    if layers:
        # cut columns say nothing: where the terminal is narrower, the table's lines wrap
        console.width = max(console.width, LEAST_WIDTH)
        console.print(table, soft_wrap=True)
    if not seeds and any(layer.left_again for layer in layers):
        console.print("† condensed at that step, but not at the end", markup=False, highlight=False, soft_wrap=True)


def claim_lines(claim: ClaimSummary) -> list[str]:
    """The claim with its verdict, and a line for each thing that speaks against it."""
    verdict = {True: "holds", False: "does not hold here", None: "not decided yet"}[claim.holds]
    if claim.decided > 1:
        verdict = f"{verdict}: in {claim.holds_in} of {claim.decided} seeds"
    return [f"claim: {claim.text} – {verdict}", *(f"  {reason}" for reason in claim.against)]


def _cells(layer: LayerMeasures) -> tuple[str, ...]:
    if layer.lines is None:
        return (layer.name, f"{UNKNOWN}/{layer.kernels}", *[UNKNOWN] * (len(COLUMNS) - 1))
    lines = str(layer.lines) if layer.lines == layer.lines_coarse else f"{layer.lines} ({layer.lines_coarse} coarse)"
    condensed = "no" if layer.condensed_at is None else written("condensed_at", layer.condensed_at)
    if layer.left_again:
        condensed += " †"
    return (
        layer.name,
        f"{layer.kept}/{layer.kernels}",
        lines,
        *(written(name, getattr(layer, name)) for name in ("directions", "coverage", "mean_abs_cos", "alignment")),
        condensed,
        written("predicted_at", layer.predicted_at),
    )


def _of_seeds(layers: list[LayerMeasures]) -> tuple[str, ...]:
    """A layer over the seeds of an ensemble: the most frequent of whole numbers, the median of all others."""

    def middle(name: str) -> str:
        values = (getattr(layer, name) for layer in layers)
        known = [value for value in values if value is not None and math.isfinite(value)]
        return written(name, statistics.median(known) if known else None)

    condensed = sum(layer.condensed is True for layer in layers)
    return (
        layers[0].name,
        f"{min(layer.kept or 0 for layer in layers)}/{layers[0].kernels}",
        _counts(layer.lines for layer in layers),
        _counts(layer.directions for layer in layers),
        *map(middle, ("coverage", "mean_abs_cos", "alignment")),
        f"{condensed} of {len(layers)}",
        middle("predicted_at"),
    )


def _counts(values: Iterable[int | None]) -> str:
    """`1 (1–3)`: the most frequent value and the range; the value alone where there is only one."""
    counts = Counter(value for value in values if value is not None)
    often = counts.most_common(1)[0][0]
    return str(often) if len(counts) == 1 else f"{often} ({min(counts)}–{max(counts)})"


def print_runs(infos: list[RunInfo]) -> None:
    """One row a run."""
    away = any(info.mirror is not None for info in infos)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head, justify in (("run", "left"), ("status", "left"), ("step", "right"), ("of", "right"), ("age", "right")):
        table.add_column(head, justify="right" if justify == "right" else "left", no_wrap=True)
    if away:
        table.add_column("on", no_wrap=True)
    for info in infos:
        cells = [
            info.id,
            f"{sign_of(info.status).sign} {info.status}",
            str(info.step),
            str(info.steps),
            _age(info.created),
        ]
        if info.mirror is not None:
            seen = "" if info.mirror.link == "connected" or not info.active else f", seen {_age(info.mirror.heard)} ago"
            cells.append(f"{info.mirror.host}{seen}")
        table.add_row(*map(Text, cells))
    # a person who copies an id needs all of it, and in a pipe lines need not be wrapped
    console = Console()
    console.width = max(console.width, LEAST_WIDTH if console.is_terminal else PIPE_WIDTH)
    console.print(table, soft_wrap=True)


def _age(created: float) -> str:
    seconds = max(0.0, time.time() - created)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
