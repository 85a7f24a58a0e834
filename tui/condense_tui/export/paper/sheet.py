"""What stands on a figure for a paper, as values: read from run files, drawn by another process.

# M kernels, N points, B bars, G places of a field
"""

from __future__ import annotations

from typing import Literal

import msgspec

from condense_core.runfile.frames import Array
from condense_tui.export.paper_look import PaperLook

SheetAxis = Literal["step", "rank", "angle", "value"]
"""What is along a horizontal axis: it decides where ticks stand and how they are written."""


class SheetHeatmap(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Cosines (M, M) f4 in the order of display, NaN where there is none; `dropped` (M,) i1. `kernels` are those of the
    layer, more than M where they were pooled. `colours`: the scale from -1 to 1, as #rrggbb."""

    title: str
    x_label: str
    y_label: str
    cosine: Array
    dropped: Array
    kernels: int
    colours: list[str]
    dropped_colour: str
    missing_colour: str


class SheetLine(msgspec.Struct, frozen=True, kw_only=True):
    """Points (N,) f8, and (N,) i1 where one does not hang on the one before. `name` goes into the legend, empty for
    none. `tone` is its colour; -1 stands back behind all. `low` and `high` (N,) f8 are the edges of a band around it.
    `points`: they are not joined. `exact`: it is no measurement, and its points are not marked."""

    name: str
    x: Array
    y: Array
    begins: Array
    tone: int = 0
    low: Array | None = None
    high: Array | None = None
    points: bool = False
    exact: bool = False


class SheetMark(msgspec.Struct, frozen=True, kw_only=True):
    """A place on the horizontal axis that is marked all the way up; its name goes into the legend."""

    name: str
    x: float


class CurvesPanel(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Lines over one axis. `bounds` are values that the vertical axis holds in any case; `whole`: it counts."""

    title: str
    x_label: str
    y_label: str
    lines: list[SheetLine]
    along: SheetAxis = "step"
    log_x: bool = False
    log_y: bool = False
    bounds: tuple[float, float] | None = None
    marks: list[SheetMark] = []
    whole: bool = False


class BarsPanel(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A histogram: edges (B + 1,) f8, and how many kernels that are kept (B,) f8 and how many in all (B,) f8."""

    title: str
    x_label: str
    y_label: str
    edges: Array
    kept: Array
    counts: Array
    log_x: bool = False


class SheetField(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A field of velocities (G, 2) f8 at omega (G, 2) f8, angles of stable lines (L,) f8, neurons (M, 2) f8."""

    title: str
    x_label: str
    y_label: str
    omega: Array
    velocity: Array
    stable: Array
    neurons: Array


Panel = SheetHeatmap | CurvesPanel | BarsPanel | SheetField


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """The whole figure, `title` for the file's metadata only."""

    format: Literal["pdf", "svg", "png"]
    title: str
    look: PaperLook
    panels: list[Panel]
