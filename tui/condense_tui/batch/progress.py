"""How cells go, where a command tells of them: how far a run has come, and a line for each that ends."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console

from condense_core.errors import RunFileError
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME
from condense_tui.batch.cells import Cell
from condense_tui.batch.drive import BatchProgress


def share_trained(cell: Cell) -> float | None:
    """How much of its steps the cell's run has made; None if it is trained elsewhere, or just being made."""
    if not (cell.folder / FILE_NAME).is_file():
        return None
    try:
        with RunReader(cell.folder) as run:
            info = run.info()
    except RunFileError:
        return None
    return info.step / max(1, info.steps or 1)


def line_by_line(
    console: Console, total: int, noun: str, words: Callable[[Cell], str]
) -> Callable[[BatchProgress], None]:
    """Gives what shows progress where there is no terminal: `3/9 WORDS` for each of the `total` that ends."""
    told = 0

    def show(progress: BatchProgress) -> None:
        nonlocal told
        if progress.kept and not told:
            # those come first
            told = len(progress.kept)
            console.print(f"{told}/{total} {noun} were finished earlier", markup=False, highlight=False)
        for cell in progress.ended[told:]:
            told += 1
            console.print(f"{told}/{total} {words(cell)}", markup=False, highlight=False, soft_wrap=True)

    return show
