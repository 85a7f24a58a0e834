"""How a sweep goes, on standard error: a bar for the whole and one for each cell in training; lines in a pipe."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from condense_core.errors import RunFileError
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME
from condense_tui.batch.cells import Cell
from condense_tui.batch.drive import Progress as Cells
from condense_tui.draw.bars import bar
from condense_tui.sweep.plan import Sweep, SweepCell

# Bars that fit a small terminal below the whole's; a cluster trains more cells than anybody reads.
MOST_BARS = 12
BAR_WIDTH = 20


@contextlib.contextmanager
def showing(sweep: Sweep) -> Iterator[Callable[[Cells], None]]:
    """Gives the function that shows the progress."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _line_by_line(console, sweep)
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

        def show(cells: Cells) -> None:
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


def share_trained(cell: Cell) -> float | None:
    """How much of its steps the cell's run has made; None if it is trained elsewhere, or just being made."""
    if not (cell.folder / FILE_NAME).is_file():
        return None
    try:
        with RunReader(cell.folder) as run:
            info = run.info()
    except RunFileError:
        return None
    return info.step / max(1, info.steps)


def _bars(sweep: Sweep, cells: Cells, shares: list[float | None]) -> Table:
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


def _line_by_line(console: Console, sweep: Sweep) -> Callable[[Cells], None]:
    said: set[int] = set()

    def show(cells: Cells) -> None:
        if cells.kept and not said:
            said.update(id(cell) for cell in cells.kept)
            console.print(f"{len(said)}/{len(sweep.cells)} cells were finished earlier", markup=False, highlight=False)
        for cell in cells.ended:
            if id(cell) not in said:
                said.add(id(cell))
                text = f"{len(said)}/{len(sweep.cells)} {words(sweep, cell)}"
                console.print(text, markup=False, highlight=False, soft_wrap=True)

    return show
