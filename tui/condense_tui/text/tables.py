"""Tables on standard output, with rich."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from condense_core.machine import names_a_job
from condense_core.measure_table import MEASURES
from condense_core.thresholds import other_cut
from condense_tui.draw import numbers
from condense_tui.draw.layer_names import fitted, without_shared
from condense_tui.draw.numbers import UNKNOWN
from condense_tui.draw.status import sign_of
from condense_tui.draw.verdict import counted, decides, finding, verdict
from condense_tui.draw.verdict import sign_of as verdict_sign
from condense_tui.draw.written import over, remarks, written

if TYPE_CHECKING:
    from condense_core.runfile.info import Mirror, RunInfo
    from condense_core.runs.claim_state import Standing
    from condense_core.runs.layer_over_seeds import LayerOverSeeds
    from condense_core.runs.summary import Summary

PIPE_WIDTH = 200
# Columns of a layer's name: with them the table is as wide as LEAST_WIDTH.
LONGEST_NAME = 12
# The table of layers, unless their names are long; narrower, its columns would be cut.
LEAST_WIDTH = 80
# Columns of a list of runs that are numbers.
RIGHT = frozenset({"step", "of", "age"})
# From here on a list of runs has room for the verdict in words, and for what decides.
ROOMY_WIDTH = 140
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
    for at in kept:
        table.add_column(heads[at], justify="right", no_wrap=True)
    for name, row in zip(names, rows, strict=True):
        table.add_row(Text(fitted(without_shared(name, names), room)), *(Text(row[at]) for at in kept))
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


def print_runs(infos: Sequence[RunInfo], claims: Sequence[Standing | None] = ()) -> None:
    """One row a run, with how its claim stands where `claims` has that of each."""
    console = Console()
    # a person who copies an id needs all of it, and in a pipe lines need not be wrapped
    console.width = max(console.width, LEAST_WIDTH if console.is_terminal else PIPE_WIDTH)
    away = any(info.mirror is not None or names_a_job(info.host) for info in infos)
    width = console.width
    heads = ["run", "status", "step", "of", "age", *(["claim"] if claims else []), *(["on"] if away else [])]
    rows = []
    for index, info in enumerate(infos):
        cells = [
            info.id,
            f"{sign_of(info.status).sign} {info.status}",
            str(info.step),
            numbers.UNKNOWN if info.steps is None else str(info.steps),
            numbers.age(time.time() - info.created),
        ]
        if claims:
            cells.append(_in_short(claims[index], width))
        if away:
            own = info.host if names_a_job(info.host) else ""
            cells.append(own if info.mirror is None else _where(info, info.mirror))
        rows.append(cells)
    head, *lines = _aligned([heads, *rows], width)
    console.print(Text(head, "bold"), soft_wrap=True)
    console.file.write("".join(f"{line}\n" for line in lines))


def _aligned(rows: list[list[str]], width: int) -> list[str]:
    """Lines with their cells under each other, numbers to the right; the column of claims is cut to what there is room
    for. A table of rich's takes a second for some thousand rows."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    if "claim" in rows[0]:
        at = rows[0].index("claim")
        widths[at] = max(len("claim"), widths[at] - max(0, sum(widths) + 2 * (len(widths) - 1) - width))
    rights = [name in RIGHT for name in rows[0]]

    def fitted(cell: str, room: int, right: bool) -> str:
        length = len(cell) if cell.isascii() else cell_len(cell)
        if length > room:
            return f"{set_cell_size(cell, room - 1).rstrip()}…"
        return f"{' ' * (room - length)}{cell}" if right else f"{cell}{' ' * (room - length)}"

    return ["  ".join(map(fitted, row, widths, rights)).rstrip() for row in rows]


def _where(info: RunInfo, mirror: Mirror) -> str:
    known = mirror.link == "connected" or not info.active
    seen = "" if known else f", seen {numbers.duration(max(0.0, time.time() - mirror.heard))} ago"
    return f"{mirror.host}{seen}"


def _in_short(claim: Standing | None, width: int) -> str:
    """How a claim stands, in a cell: the sign and the count alone where a line is short, all of it where it is long."""
    if claim is None:
        return ""
    sign = verdict_sign(claim).sign
    if width < ROOMY_WIDTH:
        return f"{sign} {counted(claim).partition(' ')[0]}".rstrip()
    what = decides(claim)
    return f"{sign} {verdict(claim)}{f'; {what}' if what and not claim.holds else ''}"
