"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from condense_core.scenario.device import DEVICE_NAMES

# What is trained, and with which draws: build_scenario (condense_tui.resolve.scenario) takes the first eight together.
Scenario = Annotated[str, typer.Argument(help="A preset, a path to a TOML file, or - for standard input.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any field, by its dotted name; repeatable.")
]
Seed = Annotated[int | None, typer.Option(help="The draw of the initial weights and of the batches.")]
Seeds = Annotated[int | None, typer.Option(min=1, help="Train that many draws as one run, from --seed on.")]
Vary = Annotated[
    Literal["init", "data", "both"] | None,
    typer.Option(help="What the draws of --seeds are of: initial weights, data, or both."),
]
Data = Annotated[str | None, typer.Option(help="digits, photos, mnist, cifar10, cifar100 or folder:PATH.")]
DataRoot = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where torchvision's data sets are; also $CONDENSE_DATA_ROOT.")
]
Download = Annotated[bool, typer.Option("--download", help="Fetch the data set where it is missing.")]
Device = Annotated[str, typer.Option(help=f"{DEVICE_NAMES}.")]

# What is looked at, and how.
Recorded = Annotated[
    str, typer.Argument(help="A run's id or a part of it, a path to a run file or its folder, or a preset.")
]
Headless = Annotated[bool, typer.Option("--headless", help="No app: progress, then a table.")]
Check = Annotated[bool, typer.Option("--check", help="Exit with 1 where the claim does not hold.")]
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
