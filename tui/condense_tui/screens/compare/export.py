"""What `e` writes of a comparison: the curves that are shown as CSV, or the screen as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from textual.screen import Screen

from condense_tui.draw.strokes import smoothed
from condense_tui.screens.dialogs.file_form import FileDialog, write_in_thread
from condense_tui.snapshots.comparison import Comparison
from condense_tui.snapshots.snapshot import Series
from condense_tui.terminal.toast import say
from condense_tui.widgets.choice import Choice

CURVES = "curves (csv)"
ENDINGS = {CURVES: ".csv", "screen (svg)": ".svg", "screen (png)": ".png"}


@dataclass(frozen=True)
class ComparisonRequest:
    """What to write, and where to."""

    what: str
    out: Path


class CompareExportDialog(FileDialog[ComparisonRequest]):
    """Asks what of a comparison to write."""

    def __init__(self) -> None:
        self._what = Choice("what", tuple(ENDINGS), id="what")
        super().__init__(self._what)

    def proposed(self) -> str:
        return f"comparison{ENDINGS[self._what.value]}"

    def request(self, out: Path) -> ComparisonRequest:
        return ComparisonRequest(self._what.value, out)


def columns(found: Comparison, smooth: float) -> dict[str, Series]:
    """The curves that are shown, as columns by name: each run's loss as a share of its first, the chosen scalar, and
    the moving average of both where one is drawn."""
    shown: dict[str, Series] = {}
    for side in found.sides:
        for name, (steps, values) in (("loss / first loss", side.loss), (side.scalar_name, side.scalar)):
            if not len(steps):
                continue
            key = f"{side.letter} {side.name}: {name}"
            shown[key] = (steps, values)
            if smooth:
                order = np.argsort(steps, kind="stable")
                shown[f"{key} (EMA {smooth:g})"] = (steps[order], smoothed(values[order], smooth))
    return shown


def offer_export(screen: Screen[Any], found: Comparison | None, smooth: float) -> None:
    """Ask over the screen what to write and where to, write it in a separate thread, and say what came of it."""
    if found is None or not any(len(side.loss[0]) for side in found.sides):
        say(screen, "nothing to export: nothing is measured yet")
        return

    def asked(request: ComparisonRequest | None) -> None:
        if request is not None:
            # the dialog is still on the screen until it is drawn again
            screen.call_after_refresh(_begin, screen, request, found, smooth)

    screen.app.push_screen(CompareExportDialog(), asked)


def _begin(screen: Screen[Any], request: ComparisonRequest, found: Comparison, smooth: float) -> None:
    svg = "" if request.what == CURVES else screen.app.export_screenshot(title="comparison")
    out = request.out.expanduser()

    def write() -> str:
        from condense_tui.documents.files import write_file

        write_file(out, _content(request.what, found, smooth, svg), force=False)
        return f"wrote {out.resolve()}"

    write_in_thread(screen, out, write)


def _content(what: str, found: Comparison, smooth: float, svg: str) -> bytes:
    if what == CURVES:
        from condense_tui.export.table import wide

        return wide(columns(found, smooth))
    from condense_tui.export.fonts import with_plain_fonts

    picture = with_plain_fonts(svg)
    if ENDINGS[what] == ".svg":
        return picture.encode()
    from condense_tui.export.raster import require_png, to_png

    require_png()
    return to_png(picture)
