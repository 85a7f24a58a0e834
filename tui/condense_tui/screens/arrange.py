"""Where the panels of the run screen go, from nothing but sizes: the heatmap gets the room for a whole scale first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["tiny", "compact", "normal", "wide"]

# Below this nothing can be read, and the screen says so instead.
LEAST_WIDTH, LEAST_HEIGHT = 40, 12
# Three panels side by side need this much; with less they become tabs.
NORMAL_WIDTH, NORMAL_HEIGHT = 110, 30
WIDE_WIDTH = 170

LAYERS_LEAST, LAYERS_MOST = 24, 32
# With a direction field under the layers, which is as wide as high and needs two columns an arrow.
FIELD_LEAST, FIELD_MOST = 34, 44
PLOTS_LEAST, PLOTS_MOST = 30, 64
BORDER = 2
# Header, timeline, log line and footer; and the legend under the heatmaps.
CHROME, LEGEND = 4, 1
# A heatmap narrower than its legend looks broken.
HEAT_LEAST = 38


# A row of plots under the heatmaps, with axes and frame, says nothing in less.
PLOTS_BELOW_LEAST = 14


@dataclass(frozen=True)
class Arrangement:
    """Outer widths of the columns and how many heatmaps stand side by side; 0 takes what is left.

    `heat_height` above 0: the plots stand in a row under the heatmaps, which are that high with their legend.
    """

    mode: Mode
    layers: int = 0
    plots: int = 0
    heat_columns: int = 1
    heatmaps: int = 1
    heat_height: int = 0


def arrange(
    width: int, height: int, sides: tuple[int, ...], chosen: int = 0, *, field: bool = False, claim: int = 0
) -> Arrangement:
    """The arrangement for a terminal and the sizes of the layers' matrices; `chosen` is the one always shown. With
    `field` the column of layers has room for a direction field too; the claim takes `claim` lines."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Arrangement("tiny")
    side = sides[chosen] if chosen < len(sides) else 32
    body = height - CHROME - claim
    rows = body - BORDER - LEGEND
    if width < NORMAL_WIDTH or height < NORMAL_HEIGHT:
        heat = max(HEAT_LEAST, fitting(side, width - LAYERS_LEAST - BORDER, rows)) + BORDER
        return Arrangement("compact", layers=max(0, min(40, width - heat)))
    if shows_every_layer(width, height, len(sides)):
        return _wide(width, body, sides)
    least, most = (FIELD_LEAST, FIELD_MOST) if field else (LAYERS_LEAST, LAYERS_MOST)
    heat = max(HEAT_LEAST, fitting(side, width - least - PLOTS_LEAST - BORDER, rows)) + BORDER
    left = width - heat
    layers = min(most, max(least, left * 2 // 5 if field else left // 3))
    return Arrangement("normal", layers, min(PLOTS_MOST, left - layers))


def shows_every_layer(width: int, height: int, layers: int) -> bool:
    """Whether all layers' heatmaps are shown at once."""
    return width >= WIDE_WIDTH and height >= NORMAL_HEIGHT and layers > 1


def fitting(side: int, width: int, rows: int) -> int:
    """Columns that a matrix takes at its largest whole scale; all there are where it must be pooled."""
    pixels = max(1, min(width, 2 * rows))
    return side * (pixels // side) if 0 < side <= pixels else pixels


def columns_for(sides: tuple[int, ...], width: int, height: int) -> int:
    """Heatmaps side by side in an area so that the smallest of them is largest."""
    return _columns(sides, width, height)[0]


def _wide(width: int, body: int, sides: tuple[int, ...]) -> Arrangement:
    """Plots beside or below the heatmaps, whichever leaves the smallest matrix larger; `body` lines are for both."""
    below_columns, below = _columns(sides, width - LAYERS_LEAST, body - LEGEND - PLOTS_BELOW_LEAST)
    beside_columns, beside = _columns(sides, width - LAYERS_LEAST - PLOTS_LEAST, body - LEGEND)
    if below >= beside:
        rows = -(-len(sides) // below_columns)
        across = (width - LAYERS_LEAST) // below_columns - BORDER
        down = (body - LEGEND - PLOTS_BELOW_LEAST) // rows - BORDER
        tallest = max(-(-fitting(side, across, down) // 2) for side in sides)
        heat_height = rows * (tallest + BORDER) + LEGEND
        needed = below_columns * (max(fitting(side, across, down) for side in sides) + BORDER)
        layers = max(LAYERS_LEAST, min(LAYERS_MOST, width - needed))
        return Arrangement("wide", layers, 0, below_columns, len(sides), heat_height)
    rows = -(-len(sides) // beside_columns)
    down = (body - LEGEND) // rows - BORDER
    across = (width - LAYERS_LEAST - PLOTS_LEAST) // beside_columns - BORDER
    needed = beside_columns * (max(fitting(side, across, down) for side in sides) + BORDER)
    plots = min(PLOTS_MOST, width - LAYERS_LEAST - needed)
    return Arrangement("wide", LAYERS_LEAST, plots, beside_columns, len(sides))


def _columns(sides: tuple[int, ...], width: int, height: int) -> tuple[int, float]:
    """Heatmaps side by side so that the smallest scale among them is largest, and that scale; few rows win a tie."""
    best, best_size = 1, -1.0
    for columns in range(len(sides), 0, -1):
        rows = -(-len(sides) // columns)
        across, down = width // columns - BORDER, height // rows - BORDER
        size = min(fitting(side, across, down) / side if across > 0 and down > 0 else 0.0 for side in sides)
        if size > best_size:
            best, best_size = columns, size
    return best, best_size
