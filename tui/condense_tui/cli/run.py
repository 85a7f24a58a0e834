"""`run` and `attach`: start a run, watch one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from condense_tui.cli.options import At, Json, RunsDir, Width
from condense_tui.home import has_terminal, open_app
from condense_tui.scenarios import build_scenario, check_device, find_recording


def run(
    scenario: Annotated[str, typer.Argument(help="A preset, a path to a TOML file, or - for standard input.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any field, by its dotted name; repeatable.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The draw of the initial weights and of the batches.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Train that many draws as one run, from --seed on.")] = None,
    vary: Annotated[
        Literal["init", "data", "both"] | None,
        typer.Option(help="What the draws of --seeds are of: initial weights, data, or both."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:i.")] = "auto",
    data: Annotated[str | None, typer.Option(help="digits, photos, mnist, cifar10, cifar100 or folder:PATH.")] = None,
    data_root: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where torchvision's data sets are; also $CONDENSE_DATA_ROOT.")
    ] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch the data set where it is missing.")] = False,
    headless: Annotated[bool, typer.Option("--headless", help="No app: progress, then a table.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Start the run and return.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 where the claim does not hold.")] = False,
    json: Json = False,
    name: Annotated[str, typer.Option(help="What to call the run.")] = "",
    runs_dir: RunsDir = None,
) -> int:
    """Train a scenario, and watch it.

    Training runs in a process of its own: leaving the app, or closing the terminal, does not stop it.

    \b
    condense-tui run digits-gd
    condense-tui run digits-gd --seed 3 --set layers.0.activation=sigmoid
    condense-tui run fcn-fig03-xtanh --seeds 10 --vary both
    condense-tui run digits-gd --data mnist --data-root ~/data --headless
    condense-tui run my-scenario.toml --headless --json
    """
    from condense_core.errors import ScenarioError
    from condense_core.runs.create import create_run, require_engine, start_worker
    from condense_core.runs.place import runs_folder
    from condense_tui.cli.headless import checked, show_result, watch

    if headless and detach:
        raise ScenarioError("--headless waits for the run and --detach does not: give one of them")
    if check and detach:
        raise ScenarioError("--check needs the run's end and --detach does not wait for it: give one of them")
    check_device(device)
    experiment, preset = build_scenario(
        scenario,
        settings=settings or [],
        seed=seed,
        seeds=seeds,
        vary=vary,
        data=data,
        data_root=data_root,
        download=download,
    )
    require_engine()
    folder = create_run(experiment, runs=runs_folder(runs_dir), name=name, preset=preset, device=device)
    start_worker(folder)
    if detach:
        return show_result(folder, json=json, started=True)
    if headless or json or not has_terminal():
        return watch(folder, json=json, check=check)
    return open_app(folder) or checked(folder, check=check)


def attach(
    run: Annotated[str | None, typer.Argument(help="A run's id or a part of it; the newest without.")] = None,
    headless: Annotated[bool, typer.Option("--headless", help="No app: progress, then a table.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 where the claim does not hold.")] = False,
    json: Json = False,
    runs_dir: RunsDir = None,
) -> int:
    """Watch a run, the newest where none is named: one that is going on, or one that has ended.

    \b
    condense-tui attach
    condense-tui attach digits-gd-3f2a
    """
    from condense_core.runs.place import find_run, runs_folder
    from condense_tui.cli.headless import checked, watch

    folder = find_run(runs_folder(runs_dir), run)
    if headless or json or not has_terminal():
        return watch(folder, json=json, check=check)
    return open_app(folder) or checked(folder, check=check)


def replay(
    run: Annotated[
        str, typer.Argument(help="A run's id or a part of it, a path to a run file or its folder, or a preset.")
    ],
    headless: Annotated[bool, typer.Option("--headless", help="No app: the same panels as text.")] = False,
    at: At = None,
    width: Width = None,
    json: Json = False,
    runs_dir: RunsDir = None,
) -> int:
    """Play a recording: of a run, from a file, or the one that ships with a preset. Needs no PyTorch.

    \b
    condense-tui replay digits-gd
    condense-tui replay digits-gd-3f2a
    condense-tui replay ~/from-the-cluster/run.sqlite
    """
    from condense_presets import recordings
    from condense_tui.cli.headless import show_panels

    place = find_recording(run, runs_dir)
    if headless or json or at is not None or not has_terminal():
        show_panels(place, json=json, at=at, width=width)
        if place in recordings().values():
            typer.echo(_recorded(place), err=True)
        return 0
    return open_app(place)


def _recorded(place: Path) -> str:
    """Where a shipped recording is from, in its own words."""
    from condense_core.runs.reader import RunReader

    with RunReader(place) as reader:
        return next((event.text for event in reader.events if event.kind == "recorded"), "")
