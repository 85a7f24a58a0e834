"""`serve`: plumbing for `--host`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    launcher: Annotated[str, typer.Option(metavar="COMMAND", help="Put before a worker's command line.")] = "",
    runs_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Where runs are kept.")] = None,
) -> int:
    """One viewer's session on standard input and output; what `--host` starts on the far side over ssh."""
    from condense_core.remote.server.serve import main

    return main([*(["--launcher", launcher] if launcher else []), *(["--runs-dir", str(runs_dir)] if runs_dir else [])])
