"""Plots side by side, as many as there are figures."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Grid

from condense_tui.snapshots.plots import Figure
from condense_tui.widgets.plot import PlotPanel


class PlotGrid(Grid):
    """At most `most` plots; those that there is no figure for are not there."""

    DEFAULT_CSS = "PlotGrid { width: 1fr; height: 1fr; grid-size: 1; grid-gutter: 0; }"

    def __init__(self, most: int, *, id: str) -> None:
        super().__init__(id=id)
        self.panels = [PlotPanel(id=f"{id}-{number}") for number in range(most)]

    def compose(self) -> ComposeResult:
        yield from self.panels

    @property
    def settled(self) -> bool:
        """All plots are built."""
        return all(panel.settled for panel in self.panels)

    def show(self, figures: Sequence[Figure], step: int | None) -> None:
        """Show the figures with the playhead at `step`."""
        columns = 2 if len(figures) > 1 else 1
        self.styles.grid_size_columns = columns
        self.styles.grid_size_rows = max(1, -(-len(figures) // columns))
        for number, panel in enumerate(self.panels):
            panel.display = number < len(figures)
            if panel.display:
                figure = figures[number]
                panel.show(figure.spec, step, figure.empty)
                panel.label(figure.title, figure.remark)
