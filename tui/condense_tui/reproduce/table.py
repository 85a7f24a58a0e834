"""How a reproduction goes, as a table on standard error; one line a finished run where that is no terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from condense_core.errors import RunFileError
from condense_core.runfile.reader import RunReader
from condense_tui.batch.cells import Cell, Plan
from condense_tui.batch.drive import Progress

# Rows below the header that fit the smallest terminal the program supports; presets that are done make room.
MOST_ROWS = 16


@contextlib.contextmanager
def showing(plan: Plan) -> Iterator[Callable[[Progress], None]]:
    """Gives the function that shows the progress."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _line_by_line(console, len(plan.cells))
        return
    with Live(console=console, transient=True, refresh_per_second=5) as live:
        yield lambda progress: live.update(progress_table(plan, progress))


def progress_table(plan: Plan, progress: Progress) -> Table:
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
    try:
        with RunReader(cell.folder) as run:
            info = run.info()
    except RunFileError:
        # the file is just being made; the next look finds it
        return who
    return f"{who} at {info.step / max(1, info.steps):.0%}"


def _line_by_line(console: Console, total: int) -> Callable[[Progress], None]:
    said: set[int] = set()

    def show(progress: Progress) -> None:
        if progress.kept and not said:
            said.update(id(cell) for cell in progress.kept)
            console.print(f"{len(said)}/{total} runs were finished earlier", markup=False, highlight=False)
        for cell in progress.ended:
            if id(cell) not in said:
                said.add(id(cell))
                of_several = f" seed {cell.seed}" if cell.experiment.ensemble.members > 1 else ""
                text = f"{len(said)}/{total} {cell.preset} {cell.folder.name}{of_several}"
                console.print(text, markup=False, highlight=False, soft_wrap=True)

    return show
