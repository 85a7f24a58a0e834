"""From SVG to PNG, by resvg: one wheel without system libraries, and it draws the SVG of a terminal as browsers do."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

from condense_core.errors import MissingExtraError
from condense_core.installation import how_to_add
from condense_tui.documents.files import ExportError

PACKAGE = "resvg_py"
# A screen of 120 columns is then 2,900 pixels wide: sharp on paper and on a projector.
ZOOM = 2.0
# Ours first where it is installed: it has braille, blocks and box lines of one width.
MONOSPACE = "DejaVu Sans Mono"
# What the drawing process ends with where there is no font; no Python error has this number.
NO_FONT = 17
SIGNATURE = b"\x89PNG"


def has_png() -> bool:
    """Whether what draws PNG is installed; nothing is imported."""
    return importlib.util.find_spec(PACKAGE) is not None


def require_png() -> None:
    """MissingExtraError if PNG cannot be drawn on this machine; nothing is imported."""
    if not has_png():
        raise MissingExtraError(
            f"PNG needs resvg-py, which is not installed here: {how_to_add('png')} (--to svg needs nothing)"
        )


def to_png(svg: str) -> bytes:
    """The picture in PNG; ExportError if this machine has no font, since text would silently be missing.

    Drawn in a separate process: resvg holds Python's lock for the seconds that a screen of text takes, and the app
    would stand still for as long.
    """
    require_png()
    command = [sys.executable, "-P", "-m", "condense_tui.export.raster"]
    drawn = subprocess.run(command, input=svg.encode(), capture_output=True, check=False)
    if drawn.returncode == NO_FONT:
        raise ExportError(
            "PNG needs a font, and this machine has none: install one (such as DejaVu Sans Mono), or use --to svg"
        )
    if drawn.returncode or not drawn.stdout.startswith(SIGNATURE):
        words = drawn.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {drawn.returncode}"]
        raise ExportError(f"cannot draw the PNG: {words[-1]}; use --to svg")
    return drawn.stdout


def _draw() -> int:
    """The child: SVG on standard input, PNG on standard output."""
    import resvg_py

    def png(svg: str, zoom: float) -> bytes:
        return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=zoom, monospace_family=MONOSPACE))

    # a letter leaves ink: its picture differs from an empty one
    empty = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">{}</svg>'
    letter = '<text x="2" y="16" font-family="monospace" font-size="16">M</text>'
    if png(empty.format(letter), 1.0) == png(empty.format(""), 1.0):
        return NO_FONT
    sys.stdout.buffer.write(png(sys.stdin.buffer.read().decode(), ZOOM))
    return 0


if __name__ == "__main__":
    sys.exit(_draw())
