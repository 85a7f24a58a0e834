"""`condense-tui` alone: the newest run in the app, or how to begin where there is none."""

from __future__ import annotations

import sys


def home() -> int:
    """Open the newest run; say how to start one where there is none, or no terminal to draw on."""
    from condense_core.runs.place import run_folders, runs_folder

    folders = run_folders(runs_folder())
    if folders and sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty():
        from condense_tui.cli.run import open_app

        return open_app(folders[0])
    from condense_tui.cli import app

    return int(app(["--help"], prog_name="condense-tui", standalone_mode=False) or 0)
