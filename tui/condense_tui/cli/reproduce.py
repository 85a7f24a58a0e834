"""`reproduce`: presets over seeds, and a report of which claims hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from condense_tui.cli import completions
from condense_tui.cli.options import DataRootOption, DeviceOption, ImagesOption, JobsOption, JsonOption

if TYPE_CHECKING:
    from condense_tui.batch.cells import Cell, Plan, PresetPlan
    from condense_tui.batch.drive import BatchProgress
    from condense_tui.reproduce.report.build import Part
    from condense_tui.reproduce.report.document import Report

# Draws where nothing else is asked for: of ten, nine are the share that every claim names.
SEEDS = 10


def reproduce(
    figures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FIGURE",
            help="Presets, or the beginning of their names; by default all.",
            autocompletion=completions.presets,
        ),
    ] = None,
    paper: Annotated[
        Literal["fcn", "cnn", "both", "none"] | None,
        typer.Option(help="Only presets of this paper, of both, or of none: questions of our own."),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help=f"Number of draws of each preset; by default {SEEDS}.")
    ] = None,
    data_seeds: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of seeds of the data, each combined with every seed of the weights; by default both change"
            " together.",
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="All that a CPU can train of both papers, some of it smaller, in about six minutes on two cores; with"
            " names or --paper, of those.",
        ),
    ] = False,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the runs and the report; finished runs in it are kept.")
    ] = Path("report"),
    data_root: DataRootOption = None,
    data: ImagesOption = None,
    device: DeviceOption = "cpu",
    jobs: JobsOption = None,
    finished: Annotated[
        bool, typer.Option("--finished", help="Train nothing: report what is finished in DIR, and what is not run yet.")
    ] = False,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the table of every figure of the papers, as Markdown."),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Train presets with several seeds and report which claims hold: distributions, heatmaps, curves, verdicts.

    A paper's claim is tested at the paper's setting, with other weights and other data in every draw, and so is a
    question of our own; a demonstration keeps its own draw of the data. Runs already finished in DIR are not
    repeated, unless their images have changed; presets that need a GPU are left out without --device cuda. Exits with
    status 1 if a run failed, or if the result contradicts what a preset declares. Ctrl-C stops it with a report of
    what is finished so far; the same command continues.

    \b
    condense-tui reproduce --quick
    condense-tui reproduce fcn-fig03 --seeds 20 --out fig03
    condense-tui reproduce --paper cnn --data-root ~/data
    condense-tui reproduce --quick --paper none
    condense-tui reproduce --quick --data cifar10=folder:~/images --data mnist=digits
    condense-tui reproduce --finished --table every-figure.md
    """
    import time

    import msgspec

    from condense_core.errors import StoppedError
    from condense_core.machine import usable_cores
    from condense_core.runs.create import require_engine
    from condense_core.scenario.device import device_named
    from condense_tui.batch.drive import alone_in, drive, so_far, with_finished
    from condense_tui.documents.files import ready_folder, write_file
    from condense_tui.reproduce.arms import read_across
    from condense_tui.reproduce.plan import QUESTIONS, QUICK_MINUTES, QUICK_SEEDS, make_plan, read_presets, within
    from condense_tui.reproduce.report.build import write
    from condense_tui.reproduce.report.markdown import every_figure
    from condense_tui.reproduce.stand_in import stand_ins
    from condense_tui.reproduce.table import showing
    from condense_tui.reproduce.together import together

    on_gpu = device_named(device).kind == "cuda"
    other_data = stand_ins(data or [])
    all_of_papers = quick and not figures and paper is None
    presets = read_presets(figures or [], "both" if all_of_papers else paper)
    if not finished:
        require_engine()
    begun = time.time()
    jobs = jobs or usable_cores()
    out = ready_folder(out.expanduser().resolve())
    plan = make_plan(
        presets,
        out=out,
        seeds=seeds or (QUICK_SEEDS if quick else SEEDS),
        data_seeds=data_seeds,
        data_root=data_root,
        has_gpu=on_gpu,
        quick=quick,
        stand_ins=other_data,
        across=read_across(figures or [], presets),
    )
    if quick:
        plan = within(plan, QUICK_MINUTES, jobs, beside=(QUESTIONS,) if all_of_papers else ())
    plan = together(with_finished(plan), jobs)
    if finished:
        progress = so_far(plan)
        stopped = f"after {len(progress.ended)} of {len(plan.cells)} runs" if progress.open else ""
    else:
        with alone_in(out), showing(plan) as show:
            progress = drive(plan, jobs=jobs, device=device, show=show)
        stopped = _stopped(plan, progress)
    try:
        report = _report(plan, progress, stopped, _command(figures, paper, seeds, quick, data), data_seeds, begun)
        report, markdown, page = write(report, out, begun)
        if table is not None:
            write_file(table.expanduser(), every_figure(report).encode(), force=True)
    except KeyboardInterrupt:
        raise StoppedError("stopped before the report was written; run the same command to continue") from None
    if json:
        typer.echo(msgspec.json.encode(report))
    else:
        _print(report, markdown, page)
    if stopped and not finished:
        raise StoppedError(f"stopped {stopped}; run the same command to continue")
    return 0 if report.holds else 1


def _stopped(plan: Plan, progress: BatchProgress) -> str:
    """Where Ctrl-C stopped it: `after 3 of 15 runs`, empty if it did not; StoppedError if no run had ended."""
    from condense_core.errors import StoppedError

    if not progress.interrupted:
        return ""
    if not progress.ended:
        text = "stopped before any run finished; run the same command to continue"
        raise StoppedError(text)
    return f"after {len(progress.ended)} of {len(plan.cells)} runs"


def _report(
    plan: Plan, progress: BatchProgress, stopped: str, command: str, data_seeds: int | None, begun: float
) -> Report:
    import time

    from condense_tui.reproduce.plan import arms
    from condense_tui.reproduce.report.build import build

    parts = _parts(plan, progress)
    return build(
        [parts[item.name] for item in plan.presets],
        across=[
            (figure, [[parts[item.name] for item in arm] for arm in arms(plan, figure)]) for figure in plan.figures
        ],
        command=command,
        seeds=_draws(plan, data_seeds),
        seconds=time.time() - begun,
        cuts=plan.cuts,
        made=begun,
        stopped=stopped,
    )


def _parts(plan: Plan, progress: BatchProgress) -> dict[str, Part]:
    from condense_tui.reproduce.report.build import Part
    from condense_tui.reproduce.report.results import CellPlace

    unfinished = {(cell.folder, cell.member) for cell in progress.open}
    parts = {}
    for item in plan.trained:
        missing = [cell for cell in item.cells if (cell.folder, cell.member) in unfinished]
        places = [
            CellPlace(cell.folder, cell.seed, cell.data_seed, progress.refused.get(cell.folder, ""), cell.member)
            for cell in item.cells
            if (cell.folder, cell.member) not in unfinished
        ]
        not_run = item.not_run or ("" if places else _not_yet(item))
        parts[item.name] = Part(item.name, item.experiment, places, not_run, item.changes, _missing(missing))
    return parts


def _not_yet(item: PresetPlan) -> str:
    """Why a preset without a finished run has none, and how long its runs take."""
    from condense_tui.draw.numbers import duration

    minutes = item.minutes_of(len(item.cells))
    return f"not run yet, about {duration(60 * minutes)}" if item.cells else "not run yet"


def _missing(cells: Sequence[Cell]) -> list[str]:
    """Runs without a result in words, those in one folder together: `3 runs (seed 4 to seed 6): not started`."""
    from condense_tui.batch.drive import left_at
    from condense_tui.draw.numbers import plural

    def data(cell: Cell) -> str:
        return f", data seed {cell.data_seed}" if len({other.data_seed for other in cells}) > 1 else ""

    by_state: dict[str, list[str]] = {}
    states = {cell.folder: left_at(cell) for cell in cells}
    for cell in cells:
        by_state.setdefault(states[cell.folder], []).append(f"seed {cell.seed}{data(cell)}")
    return [
        f"{plural(len(draws), 'run')} ({draws[0]}{f' to {draws[-1]}' if len(draws) > 1 else ''}): {state}"
        for state, draws in by_state.items()
    ]


def _command(
    figures: list[str] | None, paper: str | None, seeds: int | None, quick: bool, data: list[str] | None
) -> str:
    options = [f"--paper {paper}"] if paper else []
    options += [f"--seeds {seeds}"] if seeds else []
    options += ["--quick"] if quick else []
    options += [f"--data {item}" for item in data or []]
    return " ".join(["condense-tui reproduce", *(figures or []), *options])


def _draws(plan: Plan, data_seeds: int | None) -> str:
    counts = sorted({len(preset.cells) // (data_seeds or 1) for preset in plan.presets if preset.cells})
    if not counts:
        return "no preset could be run"
    words = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    if data_seeds is not None:
        return f"{words} {'seed' if words == '1' else 'seeds'} of the weights, {data_seeds} of the data"
    return f"{words} {'draw' if words == '1' else 'draws'} of each preset"


def _print(report: Report, markdown: Path, page: Path) -> None:
    from collections import Counter

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from condense_tui.reproduce.report.document import marks, sums

    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("preset", no_wrap=True)
    table.add_column("verdict")
    table.add_column("measured")
    for preset in report.presets:
        found = "; ".join(f"{item.name} {item.found}" for item in preset.distributions)
        mark = f", {marks(preset)}" if marks(preset) else ""
        table.add_row(Text(preset.name), Text(preset.words + mark), Text(preset.not_run or found or preset.summary))
    for figure in report.figures:
        found = "; ".join(
            f"{item.name} {', '.join(f'{arm.name} {arm.words}' for arm in item.arms)}" for item in figure.comparisons
        )
        table.add_row(Text(f"{figure.name}, all"), Text(figure.words), Text(found))
    for name, words in sums(report):
        console.print(f"{name}: {words}", markup=False, highlight=False, soft_wrap=True)
    console.print(table)
    for change, count in Counter(
        change for preset in report.presets if preset.cells for change in preset.changes
    ).items():
        presets = "1 preset" if count == 1 else f"{count} presets"
        console.print(f"{presets}: {change}", markup=False, highlight=False, soft_wrap=True)
    for cut in report.cuts:
        console.print(f"left out to fit the time: {cut}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"report: {page}\n        {markdown}", markup=False, highlight=False, soft_wrap=True)
