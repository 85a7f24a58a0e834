"""Tabs: where not all names fit, those at the end are numbers, and every one can still be clicked."""

from __future__ import annotations

import pytest
from support import some_of
from textual.app import ComposeResult

from condense_tui.terminal.shell import Shell
from condense_tui.widgets.tabs import Tabs

NAMES = {1: "kernels", 2: "curves", 3: "theory", 4: "log", 5: "output", 6: "weights", 7: "machine"}


class Tabbed(Shell):
    """Tabs and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.tabs = Tabs(NAMES)
        self.clicked: list[int] = []

    def open_run(self, *_: object) -> None: ...
    def compare(self, *_: object) -> None: ...

    def compose(self) -> ComposeResult:
        self.tabs.styles.display = "block"
        yield self.tabs

    def on_tabs_chosen(self, event: Tabs.Chosen) -> None:
        self.clicked.append(event.number)


@pytest.mark.parametrize("width", some_of([40, 52, 60, 66, 80], one_in=2))
@pytest.mark.parametrize("chosen", some_of([1, 6, 7], one_in=2))
@pytest.mark.parametrize("without", [frozenset(), frozenset({5})])
async def test_every_tab_is_there_at_any_width(width: int, chosen: int, without: frozenset[int]) -> None:
    app = Tabbed()
    async with app.run_test(size=(width, 3)) as pilot:
        app.tabs.choose(chosen, without)
        await pilot.pause()
        (line,) = app.tabs._lines
        text = "".join(piece for piece, _ in line)
        assert len(text.rstrip()) <= width - 2
        shown = [number for number in NAMES if number not in without]
        assert [int(word) for word in text.split() if word.isdigit()] == shown
        assert NAMES[chosen] in text
        for number in shown:
            await pilot.click(app.tabs, offset=(text.index(f" {number} ") + 2, 0))
        assert app.clicked == shown
