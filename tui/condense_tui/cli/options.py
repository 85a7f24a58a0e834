"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from condense_core.scenario.device import DEVICE_NAMES

# What is trained, and with which draws: build_scenario (condense_tui.resolve.scenario) takes the first eight together.
Scenario = Annotated[str, typer.Argument(help="A preset, a path to a TOML file, or - for standard input.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a field by its dotted name; repeatable.")
]
Seed = Annotated[int | None, typer.Option(help="Seed of the initial weights and of the batches.")]
Seeds = Annotated[int | None, typer.Option(min=1, help="Train this many seeds as one run, from --seed up.")]
Vary = Annotated[
    Literal["init", "data", "both"] | None,
    typer.Option(help="What each seed draws anew: the initial weights, the data, or both."),
]
Data = Annotated[str | None, typer.Option(help="Data set: digits, photos, mnist, cifar10, cifar100 or folder:PATH.")]
DataRoot = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of torchvision's data sets; also $CONDENSE_DATA_ROOT.")
]
Download = Annotated[bool, typer.Option("--download", help="Download the data set if it is missing.")]
Device = Annotated[str, typer.Option(help=f"Device: {DEVICE_NAMES}.")]

# What is shown, and how.
Recorded = Annotated[
    str, typer.Argument(help="A run's id or part of it, a path to a run file or its folder, or a preset.")
]
Headless = Annotated[bool, typer.Option("--headless", help="Without the app: show progress, then print a table.")]
Check = Annotated[bool, typer.Option("--check", help="Exit with status 1 if the claim does not hold.")]
RunsDir = Annotated[
    Path | None,
    typer.Option("--runs-dir", metavar="DIR", help="Folder of the runs.", envvar="CONDENSE_RUNS_DIR"),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]
OnHost = Annotated[
    str | None,
    typer.Option("--host", metavar="HOST", help="Use another machine: user@name, or a name from hosts.toml."),
]
At = Annotated[
    int | None,
    typer.Option("--at", metavar="STEP", help="Use the last frame at or before this step; by default the last."),
]
Width = Annotated[
    int | None,
    typer.Option("--width", min=20, max=1000, help="Width in columns; by default the terminal's, or 80 in a pipe."),
]
