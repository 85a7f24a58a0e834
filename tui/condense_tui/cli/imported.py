"""`import`: what others recorded of a training, as a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from condense_tui.cli.options import HeadlessOption, JsonOption, RunsDirOption


def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Event files, checkpoints, or their folders.")],
    name: Annotated[str, typer.Option(help="Name of the run; by default the folder's.")] = "",
    steps: Annotated[
        str,
        typer.Option(
            metavar="HOW", help="Steps of the checkpoints: from-name, order (0, 1, 2, …), or numbers as 0,100,200."
        ),
    ] = "from-name",
    loss: Annotated[
        str, typer.Option(metavar="TAG", help="The scalar that is the loss; by default one called so.")
    ] = "",
    layer: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Measure such layers, * for anything; repeatable.")
    ] = None,
    headless: HeadlessOption = False,
    json: JsonOption = False,
    runs_dir: RunsDirOption = None,
) -> int:
    """Make a run of TensorBoard's event files, of checkpoints, or of both, and show it.

    Scalars are taken as they are. Each checkpoint (safetensors, or weights alone as PyTorch saves them) is one
    step, whose layers are measured as those of any run; nothing in a file is executed.

    \b
    condense-tui import runs/exp1
    condense-tui import checkpoints/step-*.safetensors --name gpt
    condense-tui import runs/exp1 checkpoints --loss train/loss --layer 'layers.*'
    """
    from condense_core.jobs.ask import ask
    from condense_core.jobs.messages import AskImport, ImportAnswer
    from condense_core.runs.place import runs_folder
    from condense_tui.cli.run import show_run
    from condense_tui.cli.showing import Showing
    from condense_tui.text.tables import waiting

    question = AskImport(
        paths=[str(path) for path in paths],
        runs=str(runs_folder(runs_dir).absolute()),
        name=name,
        steps=steps,
        loss=loss,
        layers=tuple(layer or ["*"]),
    )
    with waiting("importing"):
        found = ask("condense_core.importing", question, ImportAnswer)
    for line in (f"imported as {found.run}", *found.said):
        typer.echo(f"condense-tui: {line}", err=True)
    return show_run(Path(found.folder), Showing(headless=headless, json=json))
