"""From SVG to PNG, by resvg: one wheel without system libraries, and it draws the SVG of a terminal as browsers do."""

from __future__ import annotations

import importlib.util
from functools import lru_cache

from condense_core.errors import MissingExtraError
from condense_tui.export.files import ExportError

PACKAGE = "resvg_py"
# A screen of 120 columns is then 2,900 pixels wide: sharp on paper and on a projector.
ZOOM = 2.0
# Ours first where it is installed: it has braille, blocks and box lines of one width.
MONOSPACE = "DejaVu Sans Mono"


def require_png() -> None:
    """MissingExtraError where PNG cannot be drawn on this machine; nothing is imported."""
    if importlib.util.find_spec(PACKAGE) is None:
        raise MissingExtraError(
            "PNG needs resvg-py, which is not installed here: pip install 'condense-tui[png]' (--to svg needs nothing)"
        )


def to_png(svg: str, zoom: float = ZOOM) -> bytes:
    """The picture in PNG; ExportError where this machine has no font, since text would be missing without a word."""
    require_png()
    import resvg_py

    if not _has_a_font():
        raise ExportError("PNG needs a font and this machine has none: install one (DejaVu Sans Mono), or use --to svg")
    try:
        return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=zoom, monospace_family=MONOSPACE))
    except ValueError as error:
        raise ExportError(f"cannot draw the PNG: {error}; --to svg needs no drawing") from None


@lru_cache(maxsize=1)
def _has_a_font() -> bool:
    """A letter leaves ink: its picture differs from an empty one."""
    import resvg_py

    empty = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">{}</svg>'
    letter = '<text x="2" y="16" font-family="monospace" font-size="16">M</text>'
    drawn, blank = (
        bytes(resvg_py.svg_to_bytes(svg_string=empty.format(inner), monospace_family=MONOSPACE))
        for inner in (letter, "")
    )
    return drawn != blank
