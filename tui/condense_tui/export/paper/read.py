"""From runs and a wish to the sheet of a figure: which panels, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, cast

from condense_core.runfile.reader import RunReader
from condense_tui.documents.files import ExportError
from condense_tui.draw.label import label
from condense_tui.export.paper import frames
from condense_tui.export.paper.curves import (
    CurveSource,
    eigenvalue_panel,
    network_spectrum_panel,
    prediction_panel,
    scalar_panel,
)
from condense_tui.export.paper.sheet import Panel, Sheet
from condense_tui.export.paper_look import PaperLook
from condense_tui.export.wish import (
    EIGENVALUES,
    FIELD,
    HEATMAP,
    HESSIAN,
    NORMS,
    NTK,
    ON_PAPER,
    ORIENTATION,
    OUTPUT,
    PREDICTION,
    SINGULAR,
    SPECTRUM,
    Wish,
    panel_names,
)

# More would be smaller than letters.
MOST_PANELS = 12


def sheet_of(runs: Sequence[tuple[RunReader, int]], wish: Wish, title: str) -> Sheet:
    """The figure of these runs, each up to a step of its own; ExportError for what one of them has not recorded."""
    look = wish.paper or PaperLook()
    sources = [_source(run, at, wish.member) for run, at in runs]
    panels: list[Panel] = []
    for part in panel_names(wish.what, sources[0].whole.curve_names):
        panels += _panels(part, sources, wish, look)
    if not panels:
        raise ExportError("nothing was recorded that a figure could show")
    if len(panels) > MOST_PANELS:
        raise ExportError(
            f"{len(panels)} panels in one figure; expected {MOST_PANELS} or fewer: choose one with --layer"
        )
    look.grid(len(panels))
    left_out = [what for source in sources for what in source.whole.damage.named]
    title += f" · left out, since it is damaged: {'; '.join(left_out)}" if left_out else ""
    return Sheet(format=cast("Literal['pdf', 'svg', 'png']", wish.format), title=title, look=look, panels=panels)


def _source(run: RunReader, at: int, member: int | None) -> CurveSource:
    """A run of one seed stands beside the chosen one of a run of several as it is."""
    name = label(run.folder, run.info())
    if run.members == 1:
        return CurveSource(run, name, at, None)
    if member is not None and member >= run.members:
        raise ExportError(f"--nth-seed {member + 1}: {name} has {run.members} seeds")
    return CurveSource(run, name, at, member)


def _panels(part: str, sources: list[CurveSource], wish: Wish, look: PaperLook) -> list[Panel]:
    named, layer = len(sources) > 1, wish.layer
    if part == HEATMAP:
        return [
            frames.heat_panel(source, each, wish.palette, named=named)
            for source in sources
            for each in ([source.layer(layer)] if layer is not None else source.whole.layers)
        ]
    if part in ON_PAPER:
        return [_of_one_run(part, source, layer, look, named=named) for source in sources]
    names = [part] if part in sources[0].whole.curve_names else part.split("+")
    mixed = next((name for name in names if name in ON_PAPER), None)
    if mixed is not None:
        raise ExportError(f"--what {part}: {mixed} is a panel of its own; write a comma instead of +")
    return [scalar_panel(sources, names, layer, look)]


def _of_one_run(part: str, source: CurveSource, layer: str | None, look: PaperLook, *, named: bool) -> Panel:
    panels: dict[str, Callable[[], Panel]] = {
        EIGENVALUES: lambda: eigenvalue_panel(source, layer, look, named=named),
        HESSIAN: lambda: network_spectrum_panel("hessian", source, look, named=named),
        NTK: lambda: network_spectrum_panel("ntk", source, look, named=named),
        PREDICTION: lambda: prediction_panel(source, layer, look, named=named),
        SPECTRUM: lambda: frames.spectrum_panel(source, layer, look, named=named),
        SINGULAR: lambda: frames.singular_panel(source, layer, look, named=named),
        NORMS: lambda: frames.norms_panel(source, layer, look, named=named),
        ORIENTATION: lambda: frames.orientation_panel(source, layer, look, named=named),
        OUTPUT: lambda: frames.output_panel(source, layer, named=named),
        FIELD: lambda: frames.field_panel(source, layer, named=named),
    }
    return panels[part]()
