"""`runs rename`, `note`, `tag`, `archive` and `rm`: what a person says of runs, and deleting them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from condense_tui.cli import completions
from condense_tui.cli.options import HostOption, OneRun, RunsDirOption

if TYPE_CHECKING:
    from condense_core.runs.about_run import AboutChange
    from condense_tui.resolve.collection import Collection

SomeRuns = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN…",
        help="Ids or names of runs, parts of them, or a query such as status:done.",
        autocompletion=completions.runs_or_queries,
    ),
]
# So many runs are named before a question; of more, how many there are.
NAMED = 10


def rename(
    run: OneRun,
    name: Annotated[str, typer.Argument(help="What it is called from now on; empty: by what differs from its preset.")],
    host: HostOption = None,
    runs_dir: RunsDirOption = None,
) -> int:
    """Give a run a name, which is shown in place of its settings; its id stays.

    \b
    condense-tui runs rename 1f3a "first that condensed"
    condense-tui runs rename 1f3a ""
    """
    from condense_core.runs.about_run import AboutChange

    with collection(host, runs_dir) as runs:
        found = runs.find(run, whole=False)
        runs.change(found, AboutChange(name=name))
    typer.echo(f"{found} is called {name.strip()}" if name.strip() else f"{found} is called by its settings again")
    return 0


def note(
    run: OneRun,
    text: Annotated[str, typer.Argument(help="The note; empty takes it away.")],
    host: HostOption = None,
    runs_dir: RunsDirOption = None,
) -> int:
    """Write a note beside a run, in place of the one that it has.

    \b
    condense-tui runs note 1f3a "the plateau ends at step 800"
    """
    from condense_core.runs.about_run import AboutChange

    with collection(host, runs_dir) as runs:
        found = runs.find(run, whole=False)
        runs.change(found, AboutChange(note=text))
    typer.echo(f"{found} has a note" if text.strip() else f"{found} has no note any more")
    return 0


def tag(
    tags: Annotated[str, typer.Argument(metavar="TAGS", help="One tag, or several with commas between them.")],
    run: SomeRuns,
    off: Annotated[bool, typer.Option("--remove", help="Take the tags away.")] = False,
    host: HostOption = None,
    runs_dir: RunsDirOption = None,
) -> int:
    """Tag runs, or take tags away; `runs list tag:NAME` finds them again.

    \b
    condense-tui runs tag paper 1f3a 9c02
    condense-tui runs tag keep,paper status:done lines:1
    condense-tui runs tag --remove keep tag:keep
    """
    from condense_core.runs.about_run import AboutChange, checked_tags

    names = checked_tags(part.strip() for part in tags.split(",") if part.strip())
    if not names:
        checked_tags([tags])
    change = AboutChange(without=names) if off else AboutChange(tags=names)
    done = "without" if off else "tagged"
    return _change_all(run, change, f"{done} {', '.join(names)}", host, runs_dir)


def archive(
    run: SomeRuns,
    back: Annotated[bool, typer.Option("--undo", help="Bring runs back into the lists.")] = False,
    host: HostOption = None,
    runs_dir: RunsDirOption = None,
) -> int:
    """Keep runs out of lists; nothing of them is deleted. `runs list archived:yes` shows them, `--all` with the others.

    \b
    condense-tui runs archive status:diverged age>30d
    condense-tui runs archive --undo archived:yes tag:paper
    """
    from condense_core.runs.about_run import AboutChange

    return _change_all(run, AboutChange(archived=not back), "back in lists" if back else "archived", host, runs_dir)


def remove(
    run: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN…",
            help="Ids or names of runs, parts of them, or a query.",
            autocompletion=completions.runs_or_queries,
        ),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All runs that failed, diverged or were lost.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    host: HostOption = None,
    runs_dir: RunsDirOption = None,
) -> int:
    """Delete runs and everything they recorded, after asking; of a copy of a run on another machine, only the copy.

    A run that trains is not deleted. Without a terminal nobody can be asked: then a whole id is deleted as it is, and
    anything else needs --yes.

    \b
    condense-tui runs rm 1f3a 9c02
    condense-tui runs rm --failed
    condense-tui runs rm status:done age>60d NOT tag:keep --yes
    """
    from condense_core.errors import CondenseError, ScenarioError
    from condense_core.runfile.status import BAD
    from condense_core.runs.query import is_query
    from condense_tui.resolve.collection import meant

    words = [*(run or []), *([f"status:{','.join(sorted(BAD))}"] if failed else [])]
    if not words:
        raise ScenarioError("which runs? expected ids, a query such as status:stopped, or --failed")
    asks = sys.stdin.isatty() and sys.stdout.isatty()
    if is_query(words) and not (asks or yes):
        raise ScenarioError("several runs may be deleted, and nobody can be asked here; add --yes")
    with collection(host, runs_dir) as runs:
        names = meant(runs, words, whole=not (asks or yes))
        if not names:
            typer.echo("no runs fit")
            return 0
        if asks and not yes and not typer.confirm(_question(names, runs.called(names), host)):
            typer.echo("nothing was deleted")
            return 0
        code = 0
        for name in names:
            try:
                still_on = runs.remove(name)
            except CondenseError as error:
                typer.echo(f"condense-tui: {error}", err=True)
                code = error.exit_code
            else:
                typer.echo(f"{name} removed{f' here; it is still on {still_on}' if still_on else ''}")
    return code


def _question(names: Sequence[str], called: Mapping[str, str], host: str | None) -> str:
    """Which runs are meant, also by the names by which a person knows them."""
    where = "" if host is None else f" on {host}"
    some = [f"{name} ({called[name]})" if name in called else name for name in names[:NAMED]]
    if len(names) == 1:
        return f"delete {some[0]}{where} and everything it recorded?"
    for each in some:
        typer.echo(f"  {each}")
    if len(names) > NAMED:
        typer.echo(f"  … and {len(names) - NAMED} more")
    return f"delete these {len(names)} runs{where} and everything they recorded?"


def _change_all(words: Sequence[str], change: AboutChange, done: str, host: str | None, runs_dir: Path | None) -> int:
    """Make the same change of all runs that are meant, and say of how many."""
    from condense_tui.resolve.collection import meant

    with collection(host, runs_dir) as runs:
        names = meant(runs, words)
        for name in names:
            runs.change(name, change)
    which = "no runs fit" if not names else names[0] if len(names) == 1 else f"{len(names)} runs"
    typer.echo(f"{which}: {done}" if names else which)
    return 0


@contextlib.contextmanager
def collection(host: str | None, runs_dir: Path | None) -> Iterator[Collection]:
    """The runs here, or those on a host, for the time of the block."""
    from condense_core.runs.place import runs_folder
    from condense_tui.resolve.collection import Here, There

    def say(line: str) -> None:
        typer.echo(f"condense-tui: {line}", err=True)

    if host is None:
        yield Here(runs_folder(runs_dir), say)
        return
    from condense_tui.app.launch import has_terminal
    from condense_tui.resolve.host import connect

    with connect(host, prompt=has_terminal()) as connection:
        yield There(connection, say)
