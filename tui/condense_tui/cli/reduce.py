"""`reduce`: the effective network of a run, and what it changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from condense_tui.cli import completions
from condense_tui.cli.options import JsonOption, RunsDirOption

if TYPE_CHECKING:
    from condense_core.jobs.messages import ReduceAnswer


def reduce(
    run: Annotated[
        str,
        typer.Argument(
            help="A run's id or name, part of one, or a path to a run file or its folder.",
            autocompletion=completions.runs,
        ),
    ],
    at: Annotated[
        int | None,
        typer.Option(metavar="STEP", help="Use the last saved weights at or before this step; by default the last."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the small network; by default RUN-effective here.")
    ] = None,
    keep_small: Annotated[
        bool, typer.Option("--keep-small", help="Keep kernels that are too small to have a direction.")
    ] = False,
    json: JsonOption = False,
    runs_dir: RunsDirOption = None,
) -> int:
    """Reduce a run to its effective network: one kernel for each condensed line, and what that changes.

    Also whether the condensed point is a critical one: gradient and curvature of the loss where the trained network
    stands, where the small one does, and where the small one does once its kernels are split into as many again.

    Writes the small network's weights, and a scenario that continues training from them; Adam starts there without
    its moments. Of a run with several seeds, the first is reduced.

    \b
    condense-tui reduce digits-gd-3f2a --out small
    condense-tui run small/effective.toml
    """
    import msgspec

    from condense_core.jobs.ask import ask
    from condense_core.jobs.messages import AskReduce, ReduceAnswer
    from condense_core.runfile.abilities import require_ability
    from condense_core.runfile.info import read_run
    from condense_core.runs.create import require_engine
    from condense_core.runs.place import find_run, runs_folder
    from condense_tui.text.tables import waiting

    path = Path(run).expanduser()
    place = path if path.exists() else find_run(runs_folder(runs_dir), run)
    require_ability(read_run(place), "reduce")
    require_engine()
    out = out or Path(f"{place.stem if place.is_file() else place.name}-effective")
    question = AskReduce(run=str(place.resolve()), out=str(out), at=at, keep_small=keep_small)
    with waiting("reducing"):
        found = ask("condense_core.engine.answers.reduce", question, ReduceAnswer)
    if json:
        typer.echo(msgspec.json.encode(found))
    else:
        _print(found, at, place)
    return 0


def _print(found: ReduceAnswer, at: int | None, place: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from condense_core.runfile.reader import RunReader
    from condense_core.text import steps_in_words
    from condense_tui.draw.numbers import measure, percent
    from condense_tui.draw.points import POINTS_EXPLAINED, point_cells

    console = Console()

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    say(f"{found.run} at step {found.step:,}, from its {found.source}")
    if at is not None and found.step != at:
        with RunReader(place) as run:
            kept = steps_in_words(sorted({*run.weight_steps.tolist(), found.step}))
        say(f"no weights are kept of step {at}; they are at {kept}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("layer")
    for head in ("kernels", "effective", "from lines", "unchanged", "left out"):
        table.add_column(head, justify="right")
    for layer in found.layers:
        cells = (layer.name, layer.before, layer.after, layer.lines, layer.unchanged, layer.dropped)
        table.add_row(*(Text(str(cell)) for cell in cells))
    console.print(table)
    say(f"parameters  {found.parameters_before:,} → {found.parameters_after:,}")
    say(f"output      relative change {measure(found.output_change, 3)}")
    say(
        f"loss        {measure(found.loss_before, 6)} → {measure(found.loss_after, 6)}"
        f" (relative change {measure(found.loss_change, 3)})"
    )
    if found.accuracy_before is not None:
        say(f"accuracy    {percent(found.accuracy_before)} → {percent(found.accuracy_after)}")
    points = Table(box=None, pad_edge=False, header_style="bold")
    points.add_column("point")
    for head in ("loss", "|∇L|", "|∇L||θ|/L", "top curvature", "lowest"):
        points.add_column(head, justify="right")
    for row in point_cells(found):
        points.add_row(*row)
    console.print(points)
    say(POINTS_EXPLAINED)
    say(f"to train it further: condense-tui run {found.scenario}")
