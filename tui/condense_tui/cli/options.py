"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RunsDir = Annotated[
    Path | None,
    typer.Option(
        "--runs-dir", metavar="DIR", help="Where runs are kept; also $CONDENSE_RUNS_DIR.", envvar="CONDENSE_RUNS_DIR"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
OnHost = Annotated[
    str | None,
    typer.Option("--host", metavar="HOST", help="On another machine: user@name, or a name from hosts.toml."),
]
At = Annotated[
    int | None, typer.Option("--at", metavar="STEP", help="The newest frame at or before it; else the last.")
]
Width = Annotated[
    int | None, typer.Option("--width", min=20, max=1000, help="Columns; else the terminal's, or 80 in a pipe.")
]
