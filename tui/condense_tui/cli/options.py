"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from condense_core.scenario.device import DEVICE_NAMES
from condense_tui.cli import completions
from condense_tui.resolve.scenario import DATA_SETS

# What is trained, and with which draws: build_scenario (condense_tui.resolve.scenario) takes the first eight together.
ScenarioArgument = Annotated[
    str,
    typer.Argument(
        help="A preset, a path to a TOML file, or - for standard input.", autocompletion=completions.scenarios
    ),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set a field by its dotted name; repeatable.",
        autocompletion=completions.settings,
    ),
]
SeedOption = Annotated[int | None, typer.Option(help="Seed of the initial weights and of the batches.")]
SeedsOption = Annotated[int | None, typer.Option(min=1, help="Train this many seeds as one run, from --seed up.")]
VaryOption = Annotated[
    Literal["init", "data", "both"] | None,
    typer.Option(help="What each seed draws anew: the initial weights, the data, or both."),
]
DataOption = Annotated[
    str | None,
    typer.Option(
        help=f"Data set: {', '.join(DATA_SETS[:-1])} or {DATA_SETS[-1]}.", autocompletion=completions.data_sets
    ),
]
DataRootOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of torchvision's data sets; also $CONDENSE_DATA_ROOT.")
]
ImagesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="NAME=SOURCE",
        help="Use other images in place of a data set: cifar10=folder:PATH; repeatable.",
    ),
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Number of runs at a time; by default the number of cores.")
]
DownloadOption = Annotated[bool, typer.Option("--download", help="Download the data set if it is missing.")]
DeviceOption = Annotated[str, typer.Option(help=f"Device: {DEVICE_NAMES}.", autocompletion=completions.devices)]

# What is shown, and how.
OneRun = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id or name, or part of one.", autocompletion=completions.runs)
]
RunArgument = Annotated[
    str,
    typer.Argument(
        help="A run's id or name, or part of one, a path to a run file or its folder, or a preset.",
        autocompletion=completions.recordings,
    ),
]
HeadlessOption = Annotated[bool, typer.Option("--headless", help="Without the app: show progress, then print a table.")]
CheckOption = Annotated[bool, typer.Option("--check", help="Exit with status 1 if the claim does not hold.")]
RunsDirOption = Annotated[
    Path | None,
    typer.Option("--runs-dir", metavar="DIR", help="Folder of the runs.", envvar="CONDENSE_RUNS_DIR"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]
HostOption = Annotated[
    str | None,
    typer.Option(
        "--host",
        metavar="HOST",
        help="Use another machine: user@name, or a name from hosts.toml.",
        autocompletion=completions.hosts,
    ),
]
AtOption = Annotated[
    int | None,
    typer.Option("--at", metavar="STEP", help="Use the last frame at or before this step; by default the last."),
]
WidthOption = Annotated[
    int | None,
    typer.Option("--width", min=20, max=1000, help="Width in columns; by default the terminal's, or 80 in a pipe."),
]
