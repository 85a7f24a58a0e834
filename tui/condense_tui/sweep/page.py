"""A phase diagram as one HTML page that needs nothing else: the pictures, how to read them, and their numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from condense_tui.documents.html_page import html_page
from condense_tui.documents.markup import Markup, el, join
from condense_tui.sweep.grid import Grid
from condense_tui.sweep.plan import Sweep
from condense_tui.sweep.show import EXPLAINED


def page(sweep: Sweep, pictures: Sequence[Grid], picture: str, show: str) -> str:
    """`picture` is the SVG of the pictures; below it each is a table, for who reads by ear or copies."""
    title = f"{sweep.name}: phase diagram"
    seeds = sweep.cells[0].experiment.ensemble.members
    swept = " · ".join(f"{axis.name} in {len(axis.values)} values" for axis in sweep.axes)
    words = [f"{swept}; {seeds} seed{'s' * (seeds > 1)} a cell.", EXPLAINED.get(show, "")]
    body = el(
        "main",
        el("h1", title),
        *(el("p", text) for text in words if text),
        el("div", Markup(picture), style="overflow-x:auto"),
        *map(_numbers, pictures),
    )
    return html_page(title, body)


def _numbers(grid: Grid) -> Markup:
    names = grid.down.values if grid.down else ("",)
    corner = f"{grid.down.name} ↑ {grid.across.name} →" if grid.down else grid.across.name
    rows = [
        el("tr", el("th", name), *(el("td", _cell(item.texts[0], item.spread, item.value)) for item in row))
        for name, row in zip(reversed(names), reversed(grid.squares), strict=True)
    ]
    head = el("tr", el("th", corner), *(el("th", value) for value in grid.across.values))
    whole = el("table", head, *rows)
    return el("details", el("summary", grid.title), el("div", join(whole), style="overflow-x:auto"))


def _cell(text: str, spread: str, value: float) -> str:
    return text if math.isnan(value) or not spread else f"{text} {spread}"
