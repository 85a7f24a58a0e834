"""Progress of a sweep on standard error: a bar for the whole and one for each cell in training; lines in a pipe."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from condense_tui.batch.cells import Cell
from condense_tui.batch.drive import BatchProgress
from condense_tui.batch.progress import line_by_line, share_trained
from condense_tui.draw.bars import bar
from condense_tui.sweep.plan import Sweep, SweepCell

# Bars that fit a small terminal below the whole's; a cluster trains more cells than anybody reads.
MOST_BARS = 12
BAR_WIDTH = 20


@contextlib.contextmanager
def showing(sweep: Sweep) -> Iterator[Callable[[BatchProgress], None]]:
    """Gives the function that shows the progress."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield line_by_line(console, len(sweep.cells), "cells", partial(words, sweep))
        return
    whole = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR_WIDTH * 2),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    task = whole.add_task("cells", total=None)
    with Live(console=console, transient=True, refresh_per_second=5) as live:

        def show(cells: BatchProgress) -> None:
            shares = [share_trained(cell) for cell in cells.running]
            fresh = len(cells.ended) - len(cells.kept)
            known = sum(share for share in shares if share is not None)
            text = f"{len(cells.ended)} of {len(sweep.cells)} cells ended"
            text += f", {len(cells.kept)} of them earlier" if cells.kept else ""
            whole.update(task, description=text, total=len(sweep.cells) - len(cells.kept), completed=fresh + known)
            live.update(Group(whole, _bars(sweep, cells, shares)))

        yield show


def words(sweep: Sweep, cell: Cell) -> str:
    """The cell's swept values: `init.std 0.05, width 20`."""
    assert isinstance(cell, SweepCell)
    pairs = zip(sweep.axes, cell.values, strict=True)
    return ", ".join(f"{axis.name} {value}" for axis, value in pairs)


def _bars(sweep: Sweep, cells: BatchProgress, shares: list[float | None]) -> Table:
    table = Table.grid(padding=(0, 1))
    for cell, share in list(zip(cells.running, shares, strict=True))[:MOST_BARS]:
        if share is None:
            drawn, percent = Text(), ""
        else:
            filled, track = bar(share, BAR_WIDTH)
            drawn, percent = Text.assemble((filled, "cyan"), (track, "bright_black")), f"{share:.0%}"
        table.add_row(Text(words(sweep, cell)), drawn, percent)
    if len(cells.running) > MOST_BARS:
        table.add_row(f"and {len(cells.running) - MOST_BARS} more")
    return table
