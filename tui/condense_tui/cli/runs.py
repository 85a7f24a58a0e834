"""`runs`: what was recorded here and on other hosts, and control of runs that are still training."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from condense_tui.cli import completions
from condense_tui.cli.check import check
from condense_tui.cli.collection import archive, note, remove, rename, tag
from condense_tui.cli.options import AtOption, HostOption, JsonOption, OneRun, RunsDirOption, WidthOption

if TYPE_CHECKING:
    from condense_core.remote.client.connection import Connection
    from condense_core.runfile.info import RunInfo
    from condense_core.runs.row import RunRow

runs = typer.Typer(
    help="List, show, check, name, tag, stop, resume, delete and pull runs.", invoke_without_command=True
)

# How long a worker may take to save a checkpoint and stop before the command returns without waiting further.
PATIENCE_S = 60.0


@runs.callback()
def default(context: typer.Context) -> int | None:
    """List, show, check, name, tag, stop, resume, delete and pull runs; without a subcommand, list them."""
    return list_() if context.invoked_subcommand is None else None


# `-tag:x` is a word of a query, and no option
@runs.command("list", context_settings={"ignore_unknown_options": True})
def list_(
    query: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY",
            help="Only runs that fit, as status:done lines>1 NOT tag:x.",
            autocompletion=completions.queries,
        ),
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            metavar="FIELD",
            help="Sort by a field of runs or of scenarios; -FIELD: the largest first.",
            autocompletion=completions.sort_fields,
        ),
    ] = "",
    columns: Annotated[
        str,
        typer.Option(
            metavar="A,B,…", help="Show these fields, as id,name,loss,lr.", autocompletion=completions.run_fields
        ),
    ] = "",
    all_: Annotated[bool, typer.Option("--all", help="Archived runs as well.")] = False,
    json: JsonOption = False,
    host: HostOption = None,
    runs_dir: RunsDirOption = None,
) -> int:
    """List the runs, newest first: here, or on another machine.

    All words of a query must fit: FIELD:VALUE (also A,B and wild cards), FIELD<NUMBER, FIELD>NUMBER, FIELD~TEXT, and
    plain words. NOT or - before a word turns it round. Fields are name, id, preset, status, claim, tag, note, archived,
    sweep, host, device, seed, step, steps, seconds, age, loss and lines, and every setting of a scenario, such as lr.

    \b
    condense-tui runs list status:done "lines>2" --sort loss
    condense-tui runs list "preset:digits-*" "lr<1e-3" "age<2d" --columns id,name,lr,loss
    """
    import msgspec

    from condense_core.runs.query import parse_query
    from condense_tui.cli.collection import collection
    from condense_tui.text.run_list import USUAL, checked_columns, print_runs

    words = list(query or [])
    for word in words:
        if word.startswith("--"):
            raise typer.BadParameter(f"no such option: {word}")
    wanted = parse_query(" ".join([*words, *(["archived:yes,no"] if all_ else [])]))
    chosen = checked_columns(columns) if columns else []
    with collection(host, runs_dir) as collected:
        found = collected.rows(wanted, sort=sort, columns=chosen or USUAL)
    if json:
        typer.echo(msgspec.json.encode([_as_json(row) for row in found]))
    elif found:
        print_runs(found, chosen)
    elif words:
        typer.echo(f"no run fits {' '.join(words)}")
    else:
        from condense_core.runs.place import runs_folder

        place, there = (runs_folder(runs_dir), "") if host is None else (host, f" --host {host}")
        typer.echo(f"no runs {'in' if host is None else 'on'} {place}; start one: condense-tui run digits-gd{there}")
    return 0


def _as_json(row: RunRow) -> dict[str, object]:
    """A run's row without its scenario, how its claim stands, and what a list shows of it."""
    import msgspec

    from condense_tui.draw.verdict import as_json

    glance, info = row.glance, row.glance.info
    assert info is not None
    loss = {"first": glance.loss[0], "last": glance.loss[-1]} if glance.loss else None
    return {name: value for name, value in msgspec.structs.asdict(info).items() if name != "experiment"} | {
        "claim": None if row.claim is None else as_json(row.claim),
        "label": glance.label,
        "differs": glance.differs,
        "tags": glance.about.tags,
        "note": glance.about.note,
        "archived": glance.about.archived,
        "sweep": glance.about.sweep,
        "loss": loss,
        "layers": glance.layers,
    }


@runs.command()
def show(
    run: OneRun,
    at: AtOption = None,
    width: WidthOption = None,
    json: JsonOption = False,
    host: HostOption = None,
    runs_dir: RunsDirOption = None,
) -> int:
    """Print a run as text: layers, heatmaps, curves, events and claim."""
    from condense_core.remote.client.link import open_mirror, sync
    from condense_core.runs.place import runs_folder
    from condense_tui.cli.headless import show_panels
    from condense_tui.cli.showing import Panels

    panels = Panels(at=at, width=width, json=json)
    if host is None:
        folder = _find(run, runs_dir)
    else:
        with _there(run, host) as (connection, id_):
            folder = open_mirror(connection, id_, runs_folder(runs_dir))
            sync(folder, connection)
    show_panels(folder, panels)
    return 0


@runs.command()
def stop(run: OneRun, host: HostOption = None, runs_dir: RunsDirOption = None) -> int:
    """Stop a run with a checkpoint, from which it can be resumed."""
    from condense_core.errors import RunFileError
    from condense_core.runfile.abilities import require_ability
    from condense_core.runfile.reader import RunReader

    run, host = _or_of_mirror(run, host, runs_dir)
    if host is not None:
        return _stop_there(run, host)
    with RunReader(_find(run, runs_dir)) as reader:
        info = reader.info()
        if not info.active:
            raise RunFileError(f"{info.id} is {info.status}: there is nothing to stop")
        require_ability(info, "stop")
        reader.send("stop")
        deadline = time.monotonic() + PATIENCE_S
        while info.active and time.monotonic() < deadline:
            time.sleep(0.1)
            info = reader.info()
    return _say_stopped(info, "")


def _stop_there(run: str, host: str) -> int:
    from condense_core.remote.wire.messages import Done, SteerRun
    from condense_tui.resolve.host import remote_runs

    with _there(run, host) as (connection, id_):
        connection.ask(lambda ask: SteerRun(ask, id_, "stop"), Done)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            info = next((info for info in remote_runs(connection) if info.id == id_), None)
            if info is None or not info.active or time.monotonic() > deadline:
                break
            time.sleep(0.2)
    if info is None:
        typer.echo(f"{id_} no longer exists on {host}")
        return 0
    return _say_stopped(info, host)


def _say_stopped(info: RunInfo, host: str) -> int:
    from condense_core.runfile.abilities import how_to_go_on

    if info.active:
        typer.echo(f"{info.id} was asked to stop, and has not answered yet")
    else:
        how = how_to_go_on(info, host) if info.status in {"stopped", "lost"} else ""
        typer.echo(f"{info.id} {info.status} at step {info.step}" + (f"; {how}" if how else ""))
    return 0


@runs.command()
def resume(run: OneRun, host: HostOption = None, runs_dir: RunsDirOption = None) -> int:
    """Resume a stopped, failed or lost run from its last checkpoint."""
    from condense_core.runfile.abilities import require_ability
    from condense_core.runfile.info import read_run
    from condense_core.runs.create import require_engine, resume_run

    run, host = _or_of_mirror(run, host, runs_dir)
    if host is not None:
        from condense_core.remote.wire.messages import Continue, Started

        with _there(run, host) as (connection, id_):
            connection.ask(lambda ask: Continue(ask, id_), Started)
        typer.echo(f"{id_} is training again; watch it: condense-tui attach {id_} --host {host}")
        return 0
    folder = _find(run, runs_dir)
    require_ability(read_run(folder), "resume")
    require_engine()
    resume_run(folder)
    typer.echo(f"{folder.name} is training again; watch it: condense-tui attach {folder.name}")
    return 0


@runs.command()
def pull(
    run: OneRun,
    host: HostOption = None,
    checkpoint: Annotated[
        bool, typer.Option("--checkpoint", help="Also copy its checkpoint, which holds the weights.")
    ] = False,
    runs_dir: RunsDirOption = None,
) -> int:
    """Copy a run from another machine: everything recorded, and the worker's log. `reduce` also needs --checkpoint.

    \b
    condense-tui runs pull digits-gd --host me@gpu.example.org
    """
    from condense_core.errors import ScenarioError
    from condense_core.remote.client.connection import RefusedError
    from condense_core.remote.client.link import open_mirror, sync
    from condense_core.remote.client.pull import pull_file
    from condense_core.remote.server.session import PULLED_FILES
    from condense_core.runfile.info import read_run
    from condense_core.runs.place import runs_folder
    from condense_tui.text.tables import waiting

    run, host = _or_of_mirror(run, host, runs_dir)
    if host is None:
        raise ScenarioError(f"{run} was recorded on this machine; add --host HOST to pull a run from another one")
    log, weights = PULLED_FILES
    with _there(run, host) as (connection, id_), waiting(f"pulling {id_} from {host}"):
        folder = open_mirror(connection, id_, runs_folder(runs_dir))
        sync(folder, connection)
        with contextlib.suppress(RefusedError):  # a run that was never started has no log
            pull_file(connection, id_, log, folder)
        if checkpoint:
            pull_file(connection, id_, weights, folder)
    info = read_run(folder)
    typer.echo(f"{info.id} pulled, {info.status} at step {info.step}; watch it: condense-tui attach {info.id}")
    return 0


runs.command()(check)
runs.command()(rename)
runs.command()(note)
runs.command(context_settings={"ignore_unknown_options": True})(tag)
runs.command(context_settings={"ignore_unknown_options": True})(archive)
runs.command("rm", context_settings={"ignore_unknown_options": True})(remove)


def _find(run: str, runs_dir: Path | None) -> Path:
    from condense_core.runs.place import find_run, runs_folder

    return find_run(runs_folder(runs_dir), run)


def _or_of_mirror(run: str, host: str | None, runs_dir: Path | None) -> tuple[str, str | None]:
    """The run and its host; a mirror stands for the run on the host that trains it."""
    from condense_core.runfile.info import read_run
    from condense_core.runs.place import is_mirror

    if host is not None:
        return run, host
    folder = _find(run, runs_dir)
    if not is_mirror(folder):
        return run, None
    info = read_run(folder)
    return (info.id, info.mirror.host) if info.mirror is not None else (run, None)


@contextlib.contextmanager
def _there(run: str, host: str) -> Iterator[tuple[Connection, str]]:
    """A connection to the host, and the whole id of the run there."""
    from condense_tui.app.launch import has_terminal
    from condense_tui.resolve.host import choose_run, connect

    with connect(host, prompt=has_terminal()) as connection:
        yield connection, choose_run(connection, run)
