"""`runs check`: whether run files are whole."""

from __future__ import annotations

from typing import Annotated

import typer

from condense_tui.cli import completions
from condense_tui.cli.options import JsonOption, RunsDirOption

Checkable = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN…",
        help="Ids or names of runs, or parts of them, paths to run files or their folders, or presets.",
        autocompletion=completions.recordings,
    ),
]


def check(run: Checkable, json: JsonOption = False, runs_dir: RunsDirOption = None) -> int:
    """Read all of a run's file and say what is damaged; status 1 where anything is.

    \b
    condense-tui runs check 1f3a
    condense-tui runs check ~/from-the-cluster/run.sqlite
    """
    import msgspec

    from condense_core.runfile.check import check as look
    from condense_tui.draw import numbers
    from condense_tui.resolve.scenario import find_recording

    whole = True
    for each in run:
        place = find_recording(each, runs_dir)
        found = look(place)
        whole = whole and not found.damage
        name = place.name if place.is_dir() else str(place)
        if json:
            typer.echo(msgspec.json.encode({"run": name, **found._asdict()}))
            continue
        told = f"{numbers.plural(found.rows, 'row')}, format {found.format}"
        if found.damage:
            typer.echo(f"{name} is damaged ({told}):")
            for line in found.damage:
                typer.echo(f"  {line}")
        else:
            without = "" if found.has_checksums else ", which has no checksums: a value that was changed is not found"
            typer.echo(f"{name} is whole ({told}{without})")
    return 0 if whole else 1
