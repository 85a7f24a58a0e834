"""`serve`: plumbing for `--host`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    launcher: Annotated[
        str, typer.Option(metavar="COMMAND", help="Command that starts the workers, such as srun.")
    ] = "",
    runs_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the runs on this machine.")] = None,
) -> int:
    """One viewer's session on standard input and output; `--host` starts it on the other machine over ssh."""
    from condense_core.remote.server.serve import main
    from condense_tui.draw.label import preset_base

    words = [*(["--launcher", launcher] if launcher else []), *(["--runs-dir", str(runs_dir)] if runs_dir else [])]
    return main(words, preset_base)
