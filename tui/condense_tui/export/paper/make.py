"""The figure's bytes, drawn in a process of its own: Matplotlib takes half a second to load, reads its user's settings,
and holds Python's lock while the app goes on.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import msgspec

from condense_core.errors import MissingExtraError
from condense_core.installation import how_to_add
from condense_tui.documents.files import ExportError
from condense_tui.export.paper.sheet import Sheet

PACKAGE = "matplotlib"
# What the first lines of a picture's file are.
SIGNATURES = {"pdf": b"%PDF-", "png": b"\x89PNG", "svg": b"<?xml"}


def require_figures() -> None:
    """MissingExtraError if figures for a paper cannot be drawn on this machine; nothing is imported."""
    if importlib.util.find_spec(PACKAGE) is None:
        raise MissingExtraError(
            f"figures for a paper need Matplotlib, which is not installed here: {how_to_add('figures')}"
        )


def to_figure(sheet: Sheet) -> bytes:
    """The file; ExportError where it cannot be drawn."""
    require_figures()
    command = [sys.executable, "-P", "-m", "condense_tui.export.paper.draw"]
    # a backend of the user's may be one that is not there
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    drawn = subprocess.run(
        command, input=msgspec.msgpack.encode(sheet), capture_output=True, check=False, env=environment
    )
    if drawn.returncode or not drawn.stdout.startswith(SIGNATURES[sheet.format]):
        words = drawn.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {drawn.returncode}"]
        raise ExportError(f"cannot draw the figure: {words[-1]}")
    return drawn.stdout
