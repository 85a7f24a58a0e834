"""`run` and `attach`: start a run, watch one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from condense_tui.app.launch import can_draw, open_app
from condense_tui.cli import completions
from condense_tui.cli.options import (
    AtOption,
    CheckOption,
    DataOption,
    DataRootOption,
    DeviceOption,
    DownloadOption,
    HeadlessOption,
    HostOption,
    JsonOption,
    RunArgument,
    RunsDirOption,
    ScenarioArgument,
    SeedOption,
    SeedsOption,
    SettingsOption,
    VaryOption,
    WidthOption,
)
from condense_tui.cli.showing import Panels, Showing
from condense_tui.resolve.scenario import described, find_recording

if TYPE_CHECKING:
    from condense_core.remote.client.connection import Connection
    from condense_core.remote.client.link import Link
    from condense_tui.resolve.host import NewRun


def run(
    context: typer.Context,
    scenario: ScenarioArgument,
    settings: SettingsOption = None,
    seed: SeedOption = None,
    seeds: SeedsOption = None,
    vary: VaryOption = None,
    device: DeviceOption = "auto",
    data: DataOption = None,
    data_root: DataRootOption = None,
    download: DownloadOption = False,
    headless: HeadlessOption = False,
    detach: Annotated[bool, typer.Option("--detach", help="Start the run and return at once.")] = False,
    check: CheckOption = False,
    json: JsonOption = False,
    name: Annotated[str, typer.Option(help="Name of the run.")] = "",
    host: HostOption = None,
    runs_dir: RunsDirOption = None,
) -> int:
    """Train a scenario and watch it.

    Training runs in a separate process: leaving the app or closing the terminal does not stop it.

    \b
    condense-tui run digits-gd
    condense-tui run digits-gd --seed 3 --set layers.0.activation=sigmoid
    condense-tui run fcn-fig03-xtanh --seeds 10 --vary both
    condense-tui run digits-gd --data mnist --data-root ~/data --headless
    condense-tui run my-scenario.toml --headless --json
    condense-tui run cnn-fig03 --host me@gpu.example.org --device cuda
    """
    from condense_core.errors import ScenarioError, StoppedError
    from condense_core.runs.create import create_run, require_engine, run_of_this_job, start_worker
    from condense_core.runs.own_names import check_own_names
    from condense_core.runs.place import runs_folder
    from condense_core.scenario.claim_lint import faults
    from condense_core.scenario.data_sizes import found_in
    from condense_core.scenario.device import device_named
    from condense_tui.cli.headless import show_result
    from condense_tui.resolve.host import NewRun

    showing = Showing(headless=headless, detach=detach, check=check, json=json)
    device_named(device)
    experiment, preset, changed = described(
        scenario,
        settings=settings or [],
        seed=seed,
        seeds=seeds,
        vary=vary,
        data=data,
        data_root=data_root,
        download=download,
    )
    if vary is not None and experiment.ensemble.members == 1:
        raise ScenarioError(f"--vary {vary} needs several seeds, and the scenario has one: add --seeds N")
    for fault in faults(experiment) if check else ():
        typer.echo(f"weak claim: {fault}", err=True)
    if host is not None:
        return _run_there(host, NewRun(experiment, preset, name, device, changed), runs_folder(runs_dir), showing)
    require_engine()
    begun = run_of_this_job(experiment, runs_folder(runs_dir))
    if begun is not None:
        return _go_on(begun, showing)
    check_own_names(experiment)
    folder = create_run(
        experiment, runs=runs_folder(runs_dir), name=name, preset=preset, device=device, changed=changed
    )
    if not showing.in_app and (found := found_in(experiment.data)):
        typer.echo(found, err=True)
    try:
        # the process that was started before Typer was imported, if there is one
        start_worker(folder, early=context.obj)
        return show_result(folder, showing) if detach else show_run(folder, showing)
    except KeyboardInterrupt:
        raise StoppedError(f"interrupted; {_what_is_there(folder)}") from None


def _go_on(folder: Path, showing: Showing) -> int:
    """The run of a Slurm job that was put back into the queue goes on from its checkpoint, or is over."""
    from condense_core.runfile.info import read_run
    from condense_core.runfile.status import RESUMABLE
    from condense_core.runs.create import resume_run
    from condense_tui.cli.headless import show_result

    info = read_run(folder)
    typer.echo(f"this job was requeued: {info.id}, {info.status} at step {info.step}, goes on", err=True)
    if info.status in RESUMABLE:
        resume_run(folder)
    return show_result(folder, showing) if showing.detach else show_run(folder, showing)


def _what_is_there(folder: Path) -> str:
    """What has become of a run whose command was interrupted."""
    from condense_core.runfile.control import worker_is_alive
    from condense_core.runfile.info import read_run
    from condense_tui.app.launch import goes_on

    info = read_run(folder)
    if info.status == "starting" and not worker_is_alive(folder):
        return f"{info.id} was made, and may not have been started (condense-tui runs list)"
    return goes_on(info) if info.active else f"{info.id} is {info.status}"


def attach(
    run: Annotated[
        str | None,
        typer.Argument(
            help="A run's id or name, or part of one; by default the newest run.", autocompletion=completions.runs
        ),
    ] = None,
    headless: HeadlessOption = False,
    check: CheckOption = False,
    json: JsonOption = False,
    host: HostOption = None,
    runs_dir: RunsDirOption = None,
) -> int:
    """Watch a run, whether it is training or has ended; by default the newest.

    \b
    condense-tui attach
    condense-tui attach digits-gd-3f2a
    condense-tui attach --host me@gpu.example.org
    """
    from condense_core.runs.place import find_run, runs_folder
    from condense_tui.resolve.host import choose_run, connect, link_to

    showing = Showing(headless=headless, check=check, json=json)
    if host is not None:
        connection = connect(host, prompt=showing.may_prompt)
        return show_run_there(connection, choose_run(connection, run), runs_folder(runs_dir), showing)
    folder = find_run(runs_folder(runs_dir), run)
    # the app itself keeps what it shows up to date
    return show_run(folder, showing, None if showing.in_app else link_to(folder))


def show_run(folder: Path, showing: Showing, link: Link | None = None) -> int:
    """In the app or without; `link` keeps the run up to date where it is the mirror of one elsewhere."""
    from condense_tui.cli.headless import checked, watch

    if not showing.in_app:
        return watch(folder, showing, link)
    return open_app(folder, link) or checked(folder, showing)


def _run_there(host: str, new: NewRun, runs: Path, showing: Showing) -> int:
    """`run --host`: start the run there, then watch its mirror here."""
    from condense_core.remote.client.link import open_mirror
    from condense_tui.cli.headless import show_result
    from condense_tui.resolve.host import connect, start

    connection = connect(host, prompt=showing.may_prompt)
    started = start(connection, new)
    if not showing.detach:
        return show_run_there(connection, started, runs, showing)
    with connection:
        return show_result(open_mirror(connection, started, runs), showing)


def show_run_there(connection: Connection, run: str, runs: Path, showing: Showing) -> int:
    from condense_core.remote.client.link import Link, open_mirror

    folder = open_mirror(connection, run, runs)
    # the app shows the newest frames first, whatever there was before; a table at the end needs all of it
    return show_run(folder, showing, Link(folder, connection.host, connection, newest=showing.in_app))


def replay(
    run: RunArgument,
    headless: Annotated[bool, typer.Option("--headless", help="Without the app: print the panels as text.")] = False,
    at: AtOption = None,
    from_: Annotated[
        int | None, typer.Option("--from", min=0, metavar="STEP", help="Begin to play at this step.")
    ] = None,
    speed: Annotated[
        float | None, typer.Option("--speed", min=1, max=200, metavar="X", help="Frames a second, about, and play.")
    ] = None,
    width: WidthOption = None,
    json: JsonOption = False,
    runs_dir: RunsDirOption = None,
) -> int:
    """Play a recording: a run, a run file, or the recording that ships with a preset. Needs no PyTorch.

    \b
    condense-tui replay digits-gd
    condense-tui replay digits-gd-3f2a --from 400 --speed 2
    condense-tui replay ~/from-the-cluster/run.sqlite
    """
    from condense_core.errors import ScenarioError
    from condense_presets import recordings
    from condense_tui.cli.headless import show_panels
    from condense_tui.snapshots.playhead import Play

    plays = from_ is not None or speed is not None
    printed = headless or json or at is not None or not can_draw()
    if plays and printed:
        raise ScenarioError(
            "--from and --speed need the app, which is not opened with --headless, --json, --at, or without a terminal"
        )
    place = find_recording(run, runs_dir)
    if printed:
        show_panels(place, Panels(at=at, width=width, json=json))
        if place in recordings().values():
            typer.echo(_recorded(place), err=True)
        return 0
    return open_app(place, play=Play(from_ or 0, speed) if plays else None)


def _recorded(place: Path) -> str:
    """Where a shipped recording is from, in its own words."""
    from condense_core.runfile.reader import RunReader

    with RunReader(place) as reader:
        return next((event.text for event in reader.events if event.kind == "recorded"), "")
