"""Options that several commands share, and the scenario that they make."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from condense_core.errors import ScenarioError
from condense_core.text import place_of

if TYPE_CHECKING:
    from condense_core.experiment import Experiment

RunsDir = Annotated[
    Path | None,
    typer.Option(
        "--runs-dir", metavar="DIR", help="Where runs are kept; also $CONDENSE_RUNS_DIR.", envvar="CONDENSE_RUNS_DIR"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
At = Annotated[
    int | None, typer.Option("--at", metavar="STEP", help="The newest frame at or before it; else the last.")
]
Width = Annotated[
    int | None, typer.Option("--width", min=20, max=1000, help="Columns; else the terminal's, or 80 in a pipe.")
]

DATA_SETS = ("digits", "photos", "mnist", "cifar10", "cifar100", "folder:PATH")


def build_scenario(
    scenario: str,
    *,
    settings: list[str],
    seed: int | None = None,
    seeds: int | None = None,
    vary: str | None = None,
    data: str | None = None,
    data_root: Path | None = None,
    download: bool = False,
) -> tuple[Experiment, str]:
    """The experiment that a command line describes, and the preset's name (empty where it was none)."""
    from condense_core import scenario as scenarios

    text, source, preset = _read(scenario)
    table = scenarios.parse(text, source)
    _find_initial(table, Path(source).parent if not preset and scenario != "-" else Path())
    table = scenarios.override(table, _data_settings(table, data, data_root, download), "--data")
    if seed is not None:
        table = scenarios.override(table, [f"seed={seed}"], "--seed")
    if seeds is not None:
        table = scenarios.override(table, [f"ensemble.members={seeds}"], "--seeds")
    if vary is not None:
        table = scenarios.override(table, [f"ensemble.vary={vary}"], "--vary")
    return scenarios.build(scenarios.override(table, settings), source), preset


def _read(scenario: str) -> tuple[str, str, str]:
    """Text of a scenario, how errors should call it, and its name where it is a preset."""
    from condense_presets import preset_text

    if scenario == "-":
        return sys.stdin.read(), "standard input", ""
    path = place_of(scenario)
    if path.suffix == ".toml" or "/" in scenario:
        try:
            return path.read_text(encoding="utf-8"), str(path), ""
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise ScenarioError(f"cannot read the scenario {path}: {reason}") from None
    return preset_text(scenario), scenario, scenario


def find_recording(name: str, runs_dir: Path | None) -> Path:
    """What a person means to look at: a path, a preset by its whole name where it has a recording, or a run."""
    from condense_core.errors import RunFileError
    from condense_core.runs.place import find_run, runs_folder
    from condense_presets import preset_files, recordings

    path = Path(name).expanduser()
    if path.exists():
        return path
    shipped = recordings().get(name)
    if shipped is not None:
        return shipped
    try:
        return find_run(runs_folder(runs_dir), name)
    except RunFileError:
        if name in preset_files():
            raise RunFileError(
                f"no run {name!r}, and the preset has no recording; train it: condense-tui run {name}"
            ) from None
        raise


def _find_initial(table: dict[str, Any], folder: Path) -> None:
    """Weights that a scenario starts from lie beside its file, wherever the command is given."""
    initial = table.get("initial")
    if isinstance(initial, str) and initial:
        table["initial"] = str(folder / Path(initial).expanduser())


def _data_settings(table: dict[str, Any], data: str | None, root: Path | None, download: bool) -> list[str]:
    settings = []
    named = table.get("data")
    name = str(named.get("name", "")) if isinstance(named, dict) else ""
    if data is not None:
        name, _, path = data.partition(":")
        settings.append(f"data.name={name}")
        if name == "folder":
            if not path:
                raise ScenarioError("--data folder: expected folder:PATH, with one folder of images a class in PATH")
            settings.append(f"data.path={path}")
        elif path:
            raise ScenarioError(f"--data {data}: expected one of {', '.join(DATA_SETS)}")
    if (root is not None or download) and name not in {"mnist", "cifar10", "cifar100"}:
        option = "--data-root" if root is not None else "--download"
        raise ScenarioError(f"{option}: the data set is {name!r}; expected mnist, cifar10 or cifar100 (--data NAME)")
    if root is not None:
        settings.append(f"data.root={root}")
    if download:
        settings.append("data.download=true")
    return settings
