"""Tables on standard output, with rich."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from condense_core.measure_table import MEASURES
from condense_core.thresholds import other_cut
from condense_tui.draw import numbers
from condense_tui.draw.layer_names import fitted, shared
from condense_tui.draw.numbers import UNKNOWN
from condense_tui.draw.verdict import finding, verdict
from condense_tui.draw.written import over, remarks, written

if TYPE_CHECKING:
    from condense_core.runs.claim_state import Standing
    from condense_core.runs.layer_over_seeds import LayerOverSeeds
    from condense_core.runs.summary import Summary

# Columns of a layer's name: with them the table is as wide as LEAST_WIDTH.
LONGEST_NAME = 12
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
    print_layers(console, summary.layers_over_seeds())
    if summary.claim is not None and summary.claim.standing is not None:
        for line in claim_lines(summary.claim.standing):
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def print_layers(console: Console, layers: Sequence[LayerOverSeeds]) -> None:
    """A row a layer, over all seeds where there are several; and below what the numbers are."""
    if not layers:
        return
    names = [layer.name for layer in layers]
    rows = [_cells(layer) for layer in layers]
    heads = [MEASURES[name].head for name in COLUMNS]
    # and two between columns
    widths = [max(cell_len(cell) for cell in column) + 2 for column in zip(heads, *rows, strict=True)]
    kept = list(range(len(heads)))
    if LONGEST_NAME + sum(widths) > console.width:
        # rather than every name, what nobody measured
        kept = [at for at in kept if any(row[at] != UNKNOWN for row in rows)]
    rest = sum(widths[at] for at in kept)
    room = max(LONGEST_NAME, console.width - rest)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("layer", no_wrap=True)
    # under that head a number is read as a name, which it is for --layer
    begin = shared(names)
    for at in kept:
        table.add_column(heads[at], justify="right", no_wrap=True)
    for name, row in zip(names, rows, strict=True):
        table.add_row(Text(fitted(name.removeprefix(begin), room)), *(Text(row[at]) for at in kept))
    # cut columns say nothing: where the terminal is narrower, the table's lines wrap
    console.width = max(console.width, LEAST_WIDTH, LONGEST_NAME + rest)
    console.print(table, soft_wrap=True)
    for remark in remarks(layers):
        console.print(remark, markup=False, highlight=False, soft_wrap=True)


def claim_lines(claim: Standing) -> list[str]:
    """The claim with its verdict, and each requirement with its value against what is wanted."""
    where = "" if claim.step is None else f" (values of step {numbers.step(claim.step)})"
    measured = [found for found in claim.findings if found.values.known or claim.step is not None]
    return [
        f"claim: {claim.text} – {verdict(claim)}{where}",
        *(f"  {'met   ' if found.met else 'missed'}  {finding(found, claim.of)}" for found in measured),
    ]


def _cells(layer: LayerOverSeeds) -> tuple[str, ...]:
    """What stands in COLUMNS."""
    if not layer.lines.known:
        return (f"{UNKNOWN}/{layer.kernels}", *[UNKNOWN] * (len(COLUMNS) - 1))
    lines = over("lines", layer.lines)
    if layer.seeds == 1 and layer.lines_at_other != layer.lines:
        lines += f" ({over('lines', layer.lines_at_other)} at {other_cut(layer.cut).short})"
    kept = written("kept", layer.kept.low)
    return (
        f"{kept}/{layer.kernels}",
        lines,
        over("directions", layer.directions),
        *(written(name, getattr(layer, name).middle) for name in ("coverage", "mean_abs_cos", "alignment")),
        _condensed(layer),
        written("predicted_at", layer.predicted_at.middle),
    )


def _condensed(layer: LayerOverSeeds) -> str:
    """At which step, of several seeds in how many."""
    if layer.seeds > 1:
        return f"{layer.condensed.yes} of {layer.condensed.known}"
    at = layer.condensed_at
    return f"{written('condensed_at', at.middle)}{' †' if layer.left_again else ''}" if at.known else "no"
