"""The cells of a sweep as a table for the terminal: a row for each cell and layer, medians over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from condense_core.measure_table import MEASURES
from condense_tui.draw.numbers import UNKNOWN
from condense_tui.draw.written import written
from condense_tui.sweep.plan import Sweep
from condense_tui.sweep.results import CellResult, TableRow, layers_of
from condense_tui.sweep.show import CLAIM, SLOPE, is_counted

# More rows than this scroll away before they are read; the files have them all.
MOST_ROWS = 60
# In brackets behind a count is what the seeds span.
_COLUMNS = (
    "condensed",
    "lines",
    "directions",
    "coverage",
    "mean_abs_cos",
    "alignment",
    "condensed_at",
    "predicted_at",
    "relative_change",
    "loss_ratio",
)


def cells_table(
    sweep: Sweep, results: Sequence[CellResult], layer: str | None = None, show: str = _COLUMNS[0]
) -> Table:
    """Swept values, what the picture shows, and what else each layer came to; a cell that did not end has its status
    instead.

    A column that says nothing of any cell is left out.
    """
    shown = () if show in (*_COLUMNS, SLOPE, CLAIM) else (show,)
    rows = [
        (cell.values, result, row)
        for cell, result in zip(sweep.cells, results, strict=True)
        for row in result.rows
        if layer is None or row["layer"] in {layer, None}
    ]
    several = layer is None and len(layers_of(results)) > 1
    measured = [_measured(row, (*shown, *_COLUMNS)) if result.usable else {} for _, result, row in rows]
    names = [name for name in (*shown, *_COLUMNS) if any(cells.get(name, UNKNOWN) != UNKNOWN for cells in measured)]
    names = names or list(_COLUMNS[:1])
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in _names(sweep):
        table.add_column(name, justify="right", no_wrap=True)
    if several:
        table.add_column("layer", no_wrap=True)
    for name in names:
        table.add_column(name if name in shown else MEASURES[name].head, justify="right", no_wrap=True)
    for (values, result, row), cells in list(zip(rows, measured, strict=True))[:MOST_ROWS]:
        found = [cells[name] for name in names] if cells else [result.status]
        table.add_row(*map(Text, [*values, *([str(row["layer"] or "")] if several else []), *found]))
    if len(rows) > MOST_ROWS:
        table.caption = f"and {len(rows) - MOST_ROWS} more rows in results.csv"
        table.caption_justify = "left"
    return table


def _names(sweep: Sweep) -> list[str]:
    """The last part of each key, or more of it where two end alike: eighty columns are soon full."""
    short = [axis.key.rpartition(".")[2] for axis in sweep.axes]
    return [name if short.count(name) == 1 else axis.name for name, axis in zip(short, sweep.axes, strict=True)]


def _measured(row: TableRow, names: Sequence[str]) -> dict[str, str]:
    diverged = f", {row['diverged']} div" if row["diverged"] else ""
    ratio = _median(row, "loss_ratio")
    special = {
        "condensed": UNKNOWN if row["condensed"] is None else f"{row['condensed']}/{row['seeds']}{diverged}",
        "loss_ratio": UNKNOWN if math.isnan(ratio) else f"×{written('loss_ratio', ratio, narrow=True)}",
    }
    return {name: special.get(name) or _cell(row, name) for name in names}


def _cell(row: TableRow, name: str) -> str:
    if is_counted(name):
        return f"{row[name]}/{row['seeds']}"
    if MEASURES[name].counted:
        return _whole(row, name)
    return written(name, _median(row, name), narrow=True)


def _median(row: TableRow, name: str) -> float:
    value = row[f"{name}_median"]
    return float(value) if isinstance(value, int | float) else math.nan


def _whole(row: TableRow, name: str) -> str:
    low, middle, high = (row[f"{name}_{which}"] for which in ("min", "median", "max"))
    if not isinstance(middle, float) or math.isnan(middle):
        return UNKNOWN
    return f"{middle:g}" if low == high else f"{middle:g} ({low:g}–{high:g})"
