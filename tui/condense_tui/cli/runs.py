"""`runs`: what was recorded here, and steering what is still going on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from condense_tui.cli.options import At, Json, RunsDir, Width

runs = typer.Typer(help="List, show, stop, resume and remove runs.", invoke_without_command=True)

# How long a worker may take to checkpoint and stop before the command returns all the same.
PATIENCE_S = 60.0

Run = Annotated[str, typer.Argument(help="A run's id or a part of it.")]


@runs.callback()
def default(context: typer.Context) -> int | None:
    """List, show, stop, resume and remove runs; without a word, list them."""
    return list_() if context.invoked_subcommand is None else None


@runs.command("list")
def list_(json: Json = False, runs_dir: RunsDir = None) -> int:
    """All runs here, the newest first."""
    import msgspec

    from condense_core.errors import RunFileError
    from condense_core.runs.place import run_folders, runs_folder
    from condense_core.runs.reader import RunReader
    from condense_tui.cli.tables import print_runs

    place = runs_folder(runs_dir)
    infos = []
    for folder in run_folders(place):
        try:
            with RunReader(folder) as run:
                infos.append(run.info())
        except RunFileError as error:
            typer.echo(f"condense-tui: {error}", err=True)
    if json:
        rows = [
            {name: value for name, value in msgspec.structs.asdict(i).items() if name != "experiment"} for i in infos
        ]
        typer.echo(msgspec.json.encode(rows).decode())
    elif infos:
        print_runs(infos)
    else:
        typer.echo(f"no runs in {place}; start one: condense-tui run digits-gd")
    return 0


@runs.command()
def show(run: Run, at: At = None, width: Width = None, json: Json = False, runs_dir: RunsDir = None) -> int:
    """What a run came to, as text: layers, heatmaps, curves, events, claim."""
    from condense_tui.cli.headless import show_panels

    show_panels(_find(run, runs_dir), json=json, at=at, width=width)
    return 0


@runs.command()
def stop(run: Run, runs_dir: RunsDir = None) -> int:
    """Have a run checkpoint and stop; it can be resumed."""
    from condense_core.errors import RunFileError
    from condense_core.runs.reader import RunReader

    with RunReader(_find(run, runs_dir)) as reader:
        info = reader.info()
        if not info.active:
            raise RunFileError(f"{info.id} is {info.status}; there is nothing to stop")
        reader.send("stop")
        deadline = time.monotonic() + PATIENCE_S
        while info.active and time.monotonic() < deadline:
            time.sleep(0.1)
            info = reader.info()
    if info.active:
        typer.echo(f"{info.id} was asked to stop and has not answered yet")
    else:
        go_on = f"; go on with: condense-tui runs resume {info.id}" if info.status == "stopped" else ""
        typer.echo(f"{info.id} {info.status} at step {info.step}{go_on}")
    return 0


@runs.command()
def resume(run: Run, runs_dir: RunsDir = None) -> int:
    """Go on with a stopped or lost run from its last checkpoint."""
    from condense_core.runs.create import require_engine, resume_run

    folder = _find(run, runs_dir)
    require_engine()
    resume_run(folder)
    typer.echo(f"{folder.name} is training again; watch it: condense-tui attach {folder.name}")
    return 0


@runs.command("rm")
def remove(run: Run, runs_dir: RunsDir = None) -> int:
    """Delete a run and all it recorded."""
    from condense_core.errors import RunFileError
    from condense_core.runs import control, place
    from condense_core.runs.reader import RunReader

    folder = _find(run, runs_dir, whole=True)
    with RunReader(folder) as reader:
        active = reader.info().active
    if active or control.worker_is_alive(folder):
        raise RunFileError(f"{folder.name} is still training; stop it first: condense-tui runs stop {folder.name}")
    place.remove_run(folder)
    typer.echo(f"{folder.name} removed")
    return 0


def _find(run: str, runs_dir: Path | None, *, whole: bool = False) -> Path:
    from condense_core.runs.place import find_run, runs_folder

    return find_run(runs_folder(runs_dir), run, whole=whole)
