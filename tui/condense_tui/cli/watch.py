"""`watch`: run a PyTorch script of one's own, unchanged, and watch what it trains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from condense_tui.cli.options import HeadlessOption, JsonOption, RunsDirOption


def watch(
    script: Annotated[str, typer.Argument(metavar="SCRIPT", help="A Python script that trains with PyTorch.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGUMENTS]...", help="Its own arguments, passed on as they are.")
    ] = None,
    headless: HeadlessOption = False,
    detach: Annotated[bool, typer.Option("--detach", help="Start the script and return at once.")] = False,
    json: JsonOption = False,
    name: Annotated[str, typer.Option(help="Name of the run; by default the script's.")] = "",
    runs_dir: RunsDirOption = None,
) -> int:
    """Run a PyTorch script and watch the network that it trains; nothing in the script changes.

    The script runs in a separate process: leaving the app or closing the terminal does not stop it. What it prints is
    in the log panel. For a loop of your own, see condense_core.watch.

    \b
    condense-tui watch train.py --epochs 3
    condense-tui watch --headless --json train.py --lr 0.1
    """
    from condense_core.errors import ScenarioError
    from condense_core.runs.create import create_watched, revision_at, start_watching
    from condense_core.runs.place import runs_folder
    from condense_core.scenario.watched import Watched
    from condense_core.text import printable
    from condense_tui.cli.headless import show_result
    from condense_tui.cli.run import show_run
    from condense_tui.cli.showing import Showing

    showing = Showing(headless=headless, detach=detach, json=json)
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
    start_watching(folder, file, arguments or ())
    return show_result(folder, showing) if detach else show_run(folder, showing)
