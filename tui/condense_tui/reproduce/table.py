"""Progress of a reproduction, as a table on standard error; in a pipe, one line for each finished run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from condense_tui.batch.cells import Cell, Plan
from condense_tui.batch.drive import BatchProgress
from condense_tui.batch.progress import line_by_line, share_trained

# Rows below the header that fit the smallest terminal the program supports; presets that are done make room.
MOST_ROWS = 16


@contextlib.contextmanager
def showing(plan: Plan) -> Iterator[Callable[[BatchProgress], None]]:
    """Gives the function that shows the progress."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield line_by_line(console, len(plan.cells), "runs", _ended)
        return
    with Live(console=console, transient=True, refresh_per_second=5) as live:
        yield lambda progress: live.update(progress_table(plan, progress))


def progress_table(plan: Plan, progress: BatchProgress) -> Table:
    """A row for each preset that is not over, those that train first; the rest in one line."""
    ended = {id(cell) for cell in progress.ended}
    running: dict[str, list[Cell]] = {}
    for cell in progress.running:
        running.setdefault(cell.preset, []).append(cell)
    open_ = [preset for preset in plan.presets if any(id(cell) not in ended for cell in preset.cells)]
    open_.sort(key=lambda preset: preset.name not in running)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("preset", no_wrap=True)
    table.add_column("runs", justify="right", no_wrap=True)
    table.add_column("training", no_wrap=True)
    for preset in open_[:MOST_ROWS]:
        done = sum(id(cell) in ended for cell in preset.cells)
        runs: dict[Path, list[Cell]] = {}
        for cell in running.get(preset.name, []):
            runs.setdefault(cell.folder, []).append(cell)
        now = ", ".join(_training(together) for together in runs.values())
        table.add_row(Text(preset.name), f"{done}/{len(preset.cells)}", Text(now))
    more = f", {len(open_) - MOST_ROWS} more presets" if len(open_) > MOST_ROWS else ""
    kept = f", {len(progress.kept)} of them earlier" if progress.kept else ""
    table.caption = f"{len(progress.ended)} of {len(plan.cells)} runs ended{kept}{more}"
    table.caption_justify = "left"
    return table


def _training(together: list[Cell]) -> str:
    cell = together[0]
    who = f"seed {cell.seed}" if len(together) == 1 else f"{len(together)} seeds as one"
    share = share_trained(cell)
    return who if share is None else f"{who} at {share:.0%}"


def _ended(cell: Cell) -> str:
    of_several = f" seed {cell.seed}" if cell.experiment.ensemble.members > 1 else ""
    return f"{cell.preset} {cell.folder.name}{of_several}"
