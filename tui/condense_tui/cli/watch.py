"""`watch`: run a PyTorch script of one's own, unchanged, and watch what it trains."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from condense_tui.cli.options import HeadlessOption, HostOption, JsonOption, RunsDirOption

if TYPE_CHECKING:
    from condense_tui.cli.showing import Showing


def watch(
    script: Annotated[str, typer.Argument(metavar="SCRIPT", help="A Python script that trains with PyTorch.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGUMENTS]...", help="Its own arguments, passed on as they are.")
    ] = None,
    headless: HeadlessOption = False,
    detach: Annotated[bool, typer.Option("--detach", help="Start the script and return at once.")] = False,
    json: JsonOption = False,
    name: Annotated[str, typer.Option(help="Name of the run; by default the script's.")] = "",
    host: HostOption = None,
    runs_dir: RunsDirOption = None,
    there: Annotated[bool, typer.Option("--there", hidden=True, help="Started from another machine.")] = False,
) -> int:
    """Run a PyTorch script and watch the network that it trains; nothing in the script changes.

    The script runs in a separate process: leaving the app or closing the terminal does not stop it. What it prints is
    in the log panel. For a loop of your own, see condense_core.watch.

    \b
    condense-tui watch train.py --epochs 3
    condense-tui watch --headless --json train.py --lr 0.1
    condense-tui watch --host me@gpu.example.org project/train.py --epochs 3
    """
    from condense_core.errors import ScenarioError
    from condense_core.runs.create import create_watched, revision_at, start_watching
    from condense_core.runs.place import runs_folder
    from condense_core.scenario.watched import Watched
    from condense_core.text import printable
    from condense_tui.cli.headless import show_result
    from condense_tui.cli.run import show_run
    from condense_tui.cli.showing import Showing

    showing = Showing(headless=headless, detach=detach or there, json=json)
    if host is not None:
        return _watch_there(host, script, arguments or [], name, runs_folder(runs_dir), showing)
    file = Path(script).expanduser()
    if not file.is_file():
        hint = "; give the script itself, without python" if file.name.startswith("python") else ""
        raise ScenarioError(f"watch: there is no script {script}{hint}")
    watched = Watched(
        name=printable(name or file.stem)[:80], script=str(file.resolve()), arguments=tuple(arguments or ())
    )
    folder = create_watched(
        watched, runs=runs_folder(runs_dir), revision=revision_at(file.resolve().parent), can=("pause", "stop")
    )
    if there:
        # whoever asks from elsewhere stands in no folder here
        os.chdir(file.resolve().parent)
        start_watching(folder, Path(file.name), arguments or ())
        typer.echo(f"watched as {folder.name}")
        return 0
    start_watching(folder, file, arguments or ())
    return show_result(folder, showing) if detach else show_run(folder, showing)


def _watch_there(host: str, script: str, arguments: list[str], name: str, runs: Path, showing: Showing) -> int:
    """`watch --host`: the script is there already, and runs there in its own folder."""
    from condense_core.remote.client.hosts import find_host
    from condense_core.remote.client.link import open_mirror
    from condense_core.remote.client.script import start_script
    from condense_tui.cli.headless import show_result
    from condense_tui.cli.run import show_run_there
    from condense_tui.resolve.host import connect

    run = start_script(find_host(host), script, arguments, name=name, prompt=showing.may_prompt)
    connection = connect(host, prompt=showing.may_prompt)
    if not showing.detach:
        return show_run_there(connection, run, runs, showing)
    with connection:
        return show_result(open_mirror(connection, run, runs), showing)
