"""`reproduce`: presets over seeds, and a report of which claims hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from condense_tui.cli.options import Json

if TYPE_CHECKING:
    from condense_tui.report.build import Part
    from condense_tui.report.document import Report
    from condense_tui.reproduce.drive import Progress
    from condense_tui.reproduce.plan import Plan

# Draws of the initial weights where nothing else is asked for: "9 of 10" is the share that most claims name.
SEEDS = 10


def reproduce(
    figures: Annotated[
        list[str] | None, typer.Argument(metavar="FIGURE", help="Presets, or what their names begin with; all without.")
    ] = None,
    paper: Annotated[Literal["fcn", "cnn", "none"] | None, typer.Option(help="Only presets of that paper.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help=f"Draws of the initial weights; {SEEDS} by default.")] = None,
    data_seeds: Annotated[int, typer.Option(min=1, help="Draws of the data, each with every draw of weights.")] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="Every CPU preset, in about ten minutes on two cores.")
    ] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Runs and report go there; runs there are kept.")] = Path(
        "report"
    ),
    data_root: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where torchvision's data sets are; also $CONDENSE_DATA_ROOT.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:i; presets that need a GPU run on cuda.")] = "cpu",
    jobs: Annotated[int | None, typer.Option(min=1, help="Runs at a time; as many as there are cores.")] = None,
    json: Json = False,
) -> int:
    """Run presets over seeds and report which claims hold: measured distributions, heatmaps, curves, verdicts.

    Runs that are finished in DIR are not repeated. Exits with 1 where a claim does not hold in the share of runs that
    it names.

    \b
    condense-tui reproduce --quick
    condense-tui reproduce fcn-fig03 --seeds 20 --out fig03
    condense-tui reproduce --paper cnn --data-root ~/data
    """
    import time

    import msgspec

    from condense_core.runs.create import require_engine
    from condense_tui.report.build import build, write
    from condense_tui.reproduce.drive import drive
    from condense_tui.reproduce.plan import QUICK_MINUTES, QUICK_SEEDS, make_plan, read_presets, within
    from condense_tui.reproduce.table import cores, showing
    from condense_tui.scenarios import check_device

    check_device(device)
    require_engine()
    begun = time.time()
    jobs = jobs or cores()
    out = out.expanduser().resolve()
    plan = make_plan(
        read_presets(figures or [], paper),
        out=out,
        seeds=seeds or (QUICK_SEEDS if quick else SEEDS),
        data_seeds=data_seeds,
        data_root=data_root,
        has_gpu=device.startswith("cuda"),
    )
    if quick:
        plan = within(plan, QUICK_MINUTES, jobs)
    try:
        with showing(plan) as show:
            progress = drive(plan, jobs=jobs, device=device, show=show)
    except KeyboardInterrupt:
        typer.echo("condense-tui: stopped; what is finished is kept, and the same command goes on", err=True)
        return 1
    report = build(
        _parts(plan, progress),
        command=_command(figures, paper, quick),
        seeds=_draws(plan, data_seeds),
        seconds=time.time() - begun,
        cuts=plan.cuts,
        made=begun,
    )
    markdown, page = write(report, out)
    if json:
        typer.echo(msgspec.json.encode(report).decode())
    else:
        _print(report, markdown, page)
    return 0 if report.holds else 1


def _parts(plan: Plan, progress: Progress) -> list[Part]:
    from condense_tui.report.results import CellPlace

    return [
        (
            preset.name,
            preset.experiment,
            [
                CellPlace(cell.folder, cell.seed, cell.data_seed, progress.refused.get(cell.folder, ""))
                for cell in preset.cells
            ],
            preset.not_run,
        )
        for preset in plan.presets
    ]


def _command(figures: list[str] | None, paper: str | None, quick: bool) -> str:
    options = [f"--paper {paper}"] if paper else []
    options += ["--quick"] if quick else []
    return " ".join(["condense-tui reproduce", *(figures or []), *options])


def _draws(plan: Plan, data_seeds: int) -> str:
    counts = sorted({len(preset.cells) // data_seeds for preset in plan.presets if preset.cells})
    if not counts:
        return "none could be run"
    words = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"{words} draws of the weights, {data_seeds} of the data"


def _print(report: Report, markdown: Path, page: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("preset", no_wrap=True)
    table.add_column("verdict")
    table.add_column("measured")
    for preset in report.presets:
        found = "; ".join(f"{item.name} {item.found}" for item in preset.distributions)
        table.add_row(Text(preset.name), Text(preset.words), Text(preset.not_run or found or preset.summary))
    console.print(table)
    for cut in report.cuts:
        console.print(f"cut: {cut}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"report: {page}\n        {markdown}", markup=False, highlight=False, soft_wrap=True)
