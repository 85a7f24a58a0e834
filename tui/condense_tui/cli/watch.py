"""`watch`: run a PyTorch script of one's own, unchanged, and watch what it trains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from condense_tui.cli.options import HeadlessOption, HostOption, JsonOption, RunsDirOption

if TYPE_CHECKING:
    from condense_tui.cli.showing import Showing


# What can be done with the run of a script that was started here.
CAN: tuple[Literal["pause", "stop"], ...] = ("pause", "stop")


def watch(
    script: Annotated[str, typer.Argument(metavar="SCRIPT", help="A Python script that trains with PyTorch.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGUMENTS]...", help="Its own arguments, passed on as they are.")
    ] = None,
    headless: HeadlessOption = False,
    detach: Annotated[bool, typer.Option("--detach", help="Start the script and return at once.")] = False,
    json: JsonOption = False,
    name: Annotated[str, typer.Option(help="Name of the run; by default the script's.")] = "",
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with this run: the script resumes from its own checkpoint.")
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(
            min=0, help="With --resume: the step of the checkpoint; by default what the optimizer counts, or the last."
        ),
    ] = None,
    module: Annotated[
        bool, typer.Option("-m", help="SCRIPT is the name of a module, as package.module, which python -m runs.")
    ] = False,
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
    condense-tui watch --resume train-3f2a train.py --from checkpoint.pt
    condense-tui watch -m package.train --epochs 3
    condense-tui watch --host me@gpu.example.org project/train.py --epochs 3
    """
    from condense_core.errors import CondenseError, ScenarioError
    from condense_core.runs.create import create_watched, revision_at, start_watching
    from condense_core.runs.place import runs_folder
    from condense_core.runs.take_up import put_back, take_up, watched_folder
    from condense_core.scenario.watched import Watched
    from condense_core.text import printable
    from condense_tui.cli.headless import show_result
    from condense_tui.cli.run import show_run
    from condense_tui.cli.showing import Showing

    showing = Showing(headless=headless, detach=detach or there, json=json)
    if step is not None and resume is None:
        raise ScenarioError("--step: only a run that is resumed (--resume) begins at another step than 0")
    if name and resume is not None:
        raise ScenarioError("--name: a run that is resumed has its name already")
    if host is not None:
        options = [
            *(["-m"] if module else []),
            *_given("--name", name),
            *_given("--resume", resume and resume.partition("@")[0]),
            *_given("--step", step),
        ]
        return _watch_there(host, script, arguments or [], options, runs_folder(runs_dir), showing)
    found = _module(script) if module else _file(script)
    runs, before = runs_folder(runs_dir), None
    if resume is None:
        watched = Watched(name=printable(name or found.name)[:80], script=found.told, arguments=tuple(arguments or ()))
        folder = create_watched(watched, runs=runs, revision=revision_at(found.folder), can=CAN)
    else:
        folder = watched_folder(runs, resume)
        before = take_up(folder, can=CAN)
    start = "new" if resume is None else "resume" if step is None else str(step)
    # whoever asks from elsewhere stands in no folder here
    words, inside = (found.words, None) if module or not there else ((Path(found.told).name,), found.folder)
    try:
        start_watching(folder, words, arguments or (), start=start, inside=inside)
    except CondenseError:
        if before is not None:
            put_back(folder, before)
        raise
    if there:
        typer.echo(f"watched as {folder.name}")
        return 0
    return show_result(folder, showing) if detach else show_run(folder, showing)


class _Script(NamedTuple):
    """What is to be run: as Python is told it, as a run says it, by which name, and in which folder it lies."""

    words: tuple[str, ...]
    told: str
    name: str
    folder: Path


def _file(script: str) -> _Script:
    from condense_core.errors import ScenarioError

    file = Path(script).expanduser()
    if not file.is_file():
        hint = "; give the script itself, without python" if file.name.startswith("python") else ""
        raise ScenarioError(f"watch: there is no script {script}{hint}")
    whole = file.resolve()
    return _Script((str(file),), str(whole), file.stem, whole.parent)


def _module(name: str) -> _Script:
    """A module as `python -m` finds it: from the folder where its user stands, or installed."""
    import importlib.util
    import re

    from condense_core.errors import ScenarioError

    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", name):
        raise ScenarioError(f"watch -m: expected the name of a module, as package.module, got {name}")
    top = name.partition(".")[0]
    here = Path.cwd()
    # the package alone, which is not imported for it
    if not ((here / top).is_dir() or (here / f"{top}.py").is_file() or importlib.util.find_spec(top)):
        raise ScenarioError(f"watch -m: there is no module {top} in {here}, and none is installed")
    return _Script(("-m", name), f"-m {name}", name.removesuffix(".__main__").rpartition(".")[2], here)


def _given(option: str, value: object) -> list[str]:
    return [] if value in {None, ""} else [option, str(value)]


def _watch_there(host: str, script: str, arguments: list[str], options: list[str], runs: Path, showing: Showing) -> int:
    """`watch --host`: the script is there already, and runs there in its own folder."""
    from condense_core.remote.client.hosts import find_host
    from condense_core.remote.client.link import open_mirror
    from condense_core.remote.client.script import start_script
    from condense_tui.cli.headless import show_result
    from condense_tui.cli.run import show_run_there
    from condense_tui.resolve.host import connect

    run = start_script(find_host(host), script, arguments, options=options, prompt=showing.may_prompt)
    connection = connect(host, prompt=showing.may_prompt)
    if not showing.detach:
        return show_run_there(connection, run, runs, showing)
    with connection:
        return show_result(open_mirror(connection, run, runs), showing)
