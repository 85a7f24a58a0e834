"""`sweep`: a scenario over a grid of values, as one table and a phase diagram."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from condense_tui.cli import completions
from condense_tui.cli.options import (
    CheckOption,
    DataOption,
    DataRootOption,
    DeviceOption,
    DownloadOption,
    JsonOption,
    ScenarioArgument,
    SeedOption,
    SeedsOption,
    SettingsOption,
    VaryOption,
)
from condense_tui.cli.reproduce import SEEDS
from condense_tui.resolve.scenario import build_scenario

if TYPE_CHECKING:
    from condense_core.scenario.experiment import Experiment
    from condense_tui.batch.drive import BatchProgress
    from condense_tui.sweep.axes import Axis
    from condense_tui.sweep.grid import Grid
    from condense_tui.sweep.plan import Sweep
    from condense_tui.sweep.results import CellResult


def sweep(
    scenario: ScenarioArgument,
    over: Annotated[
        list[str],
        typer.Option(
            metavar="KEY=V1,V2,…",
            help="A field by its dotted name and its values; repeatable, all combinations are trained.",
            autocompletion=completions.settings,
        ),
    ],
    settings: SettingsOption = None,
    seed: SeedOption = None,
    seeds: SeedsOption = None,
    vary: VaryOption = None,
    data: DataOption = None,
    data_root: DataRootOption = None,
    download: DownloadOption = False,
    show: Annotated[
        str,
        typer.Option(
            metavar="MEASURE",
            help="What the picture shows: a measure such as coverage or unseen_accuracy, claim, or slope.",
            autocompletion=completions.swept_measures,
        ),
    ] = "condensed",
    only_shown: Annotated[
        bool,
        typer.Option("--only-shown", help="Measure nothing but what the picture shows, ten times a run: much faster."),
    ] = False,
    layer: Annotated[str | None, typer.Option(help="Show only this layer in the picture and the table.")] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for runs, tables and picture; finished runs in it are kept.")
    ] = Path("sweep"),
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Number of cells at a time; by default the number of cores, here or in the cluster."),
    ] = None,
    device: DeviceOption = "cpu",
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="Train in processes on this machine, or on a Ray cluster.")
    ] = "local",
    address: Annotated[
        str | None, typer.Option(help="The Ray cluster: HOST:PORT from one of its nodes, ray://HOST:PORT, or auto.")
    ] = None,
    parquet: Annotated[
        bool, typer.Option("--parquet", help="Stop with an error if Parquet cannot be written.")
    ] = False,
    check: CheckOption = False,
    json: JsonOption = False,
) -> int:
    """Train a scenario at every combination of values, with several seeds each: one table and a phase diagram.

    Without --seeds, a cell has as many seeds as the scenario, or 10 if the scenario has one. Two keys give a picture
    with the first across and the second upwards; one key gives bars; a third gives a picture for each of its values.
    Names that are unique in a scenario, such as `width`, `activation`, `std` and `lr`, need no dots.

    DIR gets results.csv (a row for each cell and layer), seeds.csv (a row for each seed), both also as .parquet if
    pyarrow is installed, phase.svg, phase.html, phase.png if resvg-py is installed, and the runs in cells/: open one
    with `condense-tui replay DIR/cells/NAME`.

    --show takes any measure that is recorded (docs/MEASURES.md): its value at the last step, the median over seeds, or
    in how many seeds it is so. results.csv and seeds.csv then have it too.

    --show slope fits ln RD against ln M, RD the relative change of a layer, over the values of --over width=M1,M2,…:
    above 0 the layer condenses as the width grows, below 0 it stays linear. slopes.csv has each fit.

    Cells already finished in DIR are not trained again, however the command ended before, and one that was interrupted
    goes on from its checkpoint. Another setting, and another content of a file of data or weights, is another cell. A
    cell that fails or diverges is marked and does not stop the others. Exits with status 1 if no cell finished or, with
    --check, if the claim does not hold in a cell. Ctrl-C stops it with the tables of what is finished so far.

    With --engine ray, nodes need this package and, for images, the data under the same path.

    \b
    condense-tui sweep fcn-fig03-tanh --over init.std=0.005,0.05,0.5 --over width=20,50 --seeds 5
    condense-tui sweep cnn-fig06a --over init.gamma=1,1.5,2 --over width=32,128 --data digits --show alignment
    condense-tui sweep digits-gd --over activation=tanh,relu --engine ray --address auto
    """
    import msgspec

    from condense_core.errors import StoppedError
    from condense_core.scenario.device import device_named
    from condense_tui.batch.drive import alone_in
    from condense_tui.documents.files import ready_folder
    from condense_tui.sweep.axes import read_axes
    from condense_tui.sweep.plan import make_sweep
    from condense_tui.sweep.results import read_results
    from condense_tui.sweep.show import show_named
    from condense_tui.sweep.write import require_parquet, write_tables

    device_named(device)
    show = show_named(show)
    _check_engine(engine, address)
    if parquet:
        require_parquet()
    base, preset = build_scenario(
        scenario,
        settings=settings or [],
        seed=seed,
        seeds=seeds,
        vary=vary,
        data=data,
        data_root=data_root,
        download=download,
    )
    if seeds is None and base.ensemble.members == 1:
        base = _with_members(base, SEEDS)
    axes = read_axes(over, base)
    base = _recording(base, show, only_shown, axes)
    swept = make_sweep(base, preset, axes, out.expanduser().resolve())
    _check_layer(layer, swept)
    ready_folder(swept.out)
    with alone_in(swept.out):
        progress, refused = _train(swept, engine, address, device, jobs)
        stopped = _stopped(swept, progress, engine)
        try:
            results = read_results(swept, {**progress.refused, **refused}, show)
            files = write_tables(results, swept, show)
            pictures = _pictures(swept, results, show, layer)
            files += _write_pictures(swept, results, pictures, show)
        except KeyboardInterrupt:
            raise StoppedError("stopped before the tables were written; run the same command to continue") from None
    if json:
        document = {
            "scenario": swept.name,
            "over": {axis.key: list(axis.values) for axis in swept.axes},
            "seeds": base.ensemble.members,
            "trained": len(progress.ended) - len(progress.kept) - len(progress.refused),
            "kept": len(progress.kept),
            "cells": results,
            "files": [str(file) for file in files],
        }
        typer.echo(msgspec.json.encode(document))
    else:
        _print(swept, results, pictures, show, layer, files)
    if stopped:
        raise StoppedError(stopped)
    return _exit_code(results, check)


def _check_engine(engine: str, address: str | None) -> None:
    from condense_core.errors import ScenarioError
    from condense_tui.sweep.cluster import require_ray

    if engine == "ray":
        require_ray()
    elif address is not None:
        raise ScenarioError("--address names a Ray cluster: add --engine ray")


def _with_members(base: Experiment, members: int) -> Experiment:
    import msgspec

    return msgspec.structs.replace(base, ensemble=msgspec.structs.replace(base.ensemble, members=members))


def _recording(base: Experiment, show: str, only_shown: bool, axes: Sequence[Axis]) -> Experiment:
    """The scenario that records what is shown, and nothing else where only that is wanted; ScenarioError where it
    cannot be shown."""
    import msgspec

    from condense_core.errors import ScenarioError
    from condense_tui.sweep.show import CLAIM, FEW_FRAMES, SLOPE, probes_of
    from condense_tui.sweep.slope import fit_axes

    if show == SLOPE:
        fit_axes(axes)
    needed = probes_of(show)
    if only_shown and show == CLAIM:
        raise ScenarioError("--only-shown: a claim may need any measure; choose another --show")
    if only_shown:
        frames = min(base.record.frames, FEW_FRAMES)
        record = msgspec.structs.replace(base.record, probes=needed, frames=frames)
        return msgspec.structs.replace(base, record=record, claim=None)
    missing = [name for name in needed if name not in base.record.probes]
    if missing:
        raise ScenarioError(f"--show {show}: expected {', '.join(missing)} in record.probes; add it, or --only-shown")
    return base


def _check_layer(layer: str | None, swept: Sweep) -> None:
    from condense_core.errors import ScenarioError, nearest
    from condense_core.text import short

    known = dict.fromkeys(name for cell in swept.cells for name in cell.experiment.layer_names)
    if layer is not None and layer not in known:
        raise ScenarioError(f"--layer: unknown {short(layer)}; {nearest(layer, known)}")


def _train(
    swept: Sweep, engine: str, address: str | None, device: str, jobs: int | None
) -> tuple[BatchProgress, dict[Path, str]]:
    """Train what is not finished; the progress, and why cells that went elsewhere left nothing."""
    from condense_core.machine import usable_cores
    from condense_core.runs.create import require_engine
    from condense_core.scenario.paths import check_data_is_there
    from condense_tui.batch.drive import drive, so_far
    from condense_tui.sweep.cluster import RayEngine
    from condense_tui.sweep.progress import showing

    found = so_far(swept.plan)
    if engine == "ray" and found.waiting:
        from condense_tui.text.tables import waiting

        with waiting("connecting to the cluster"):
            cluster = RayEngine(address or "auto", device, say=lambda text: typer.echo(text, err=True))
        with showing(swept) as shown:
            slots = jobs or cluster.slots
            drive(swept.plan, progress=found, jobs=slots, device=device, show=shown, engine=cluster)
        return found, cluster.refused
    if found.waiting:
        require_engine()
        for cell in found.waiting:
            check_data_is_there(cell.experiment)
    with showing(swept) as shown:
        return drive(swept.plan, progress=found, jobs=jobs or usable_cores(), device=device, show=shown), {}


def _stopped(swept: Sweep, progress: BatchProgress, engine: str) -> str:
    """What to say where Ctrl-C stopped the sweep, nothing if it did not; StoppedError if no cell has ended."""
    from condense_core.errors import StoppedError

    if not progress.interrupted:
        return ""
    others = "" if engine == "local" else "; unfinished cells start again from step 0"
    text = f"stopped after {len(progress.ended)} of {len(swept.cells)} cells; run the same command to continue{others}"
    if not progress.ended:
        raise StoppedError(text)
    return text


def _pictures(swept: Sweep, results: list[CellResult], show: str, layer: str | None) -> list[Grid]:
    from condense_tui.sweep.grid import grids
    from condense_tui.sweep.results import layers_of
    from condense_tui.sweep.show import of_network

    layers = [layer] if layer else layers_of(results)
    # of the network it is the same for every layer
    return grids(swept, results, show, layers[:1] if of_network(show) else layers)


def _write_pictures(swept: Sweep, results: list[CellResult], pictures: list[Grid], show: str) -> list[Path]:
    """phase.svg, phase.html, phase.png where it can be drawn and, of slopes, slopes.csv."""
    from condense_tui.documents.files import ExportError
    from condense_tui.export.raster import has_png, to_png
    from condense_tui.sweep.grid import scale_of
    from condense_tui.sweep.page import page
    from condense_tui.sweep.results import layers_of
    from condense_tui.sweep.slope import slopes
    from condense_tui.sweep.svg import svg
    from condense_tui.sweep.write import replace, write_slopes

    picture = svg(pictures, scale_of(pictures, show), show)
    files = [write_slopes(swept, slopes(swept, results, layers_of(results)))] if show == "slope" else []
    files.append(replace(swept.out / "phase.svg", picture.encode()))
    files.append(replace(swept.out / "phase.html", page(swept, pictures, picture, show).encode()))
    if has_png():
        try:
            drawn = svg(pictures, scale_of(pictures, show), show, monospace=True)
            files.append(replace(swept.out / "phase.png", to_png(drawn)))
        except ExportError as error:
            # without a font there is no PNG; the sweep's results are there all the same
            typer.echo(f"no phase.png: {error}", err=True)
    return files


def _print(
    swept: Sweep, results: list[CellResult], pictures: list[Grid], show: str, layer: str | None, files: list[Path]
) -> None:
    import os
    import shlex
    import sys

    from rich.console import Console
    from rich.text import Text

    from condense_core.installation import how_to_add
    from condense_tui.draw.ability import Depth, ability
    from condense_tui.draw.numbers import plural
    from condense_tui.sweep.grid import has_values, scale_of
    from condense_tui.sweep.picture import draw, legend
    from condense_tui.sweep.plan import CELLS
    from condense_tui.sweep.results import mixed_versions
    from condense_tui.sweep.table import cells_table
    from condense_tui.sweep.write import has_parquet

    console = Console()
    can = ability(os.environ, sys.stdout.encoding)
    if not console.is_terminal:
        can = type(can)(Depth.NONE, can.unicode)
    console.print(cells_table(swept, results, layer, show))
    scale = scale_of(pictures, show)
    for picture in pictures:
        lines = draw(picture, scale, console.width, can)
        console.print()
        for line in lines or [Text(f"{picture.title}: too wide for this terminal; see phase.svg")]:
            console.print(line, soft_wrap=True)
    if len(swept.axes) > 1 and can.depth is not Depth.NONE:
        console.print(legend(scale, show, can), soft_wrap=True)
    if any(result.usable for result in results) and not any(map(has_values, pictures)):
        typer.echo(f"--show {show}: no cell has recorded it: the measure does not apply to this scenario", err=True)
    for mixed in mixed_versions(results):
        typer.echo(f"cells of different versions: {mixed}; to train one anew, remove its folder in cells/", err=True)
    missing = [result for result in results if result.status == "missing"]
    for result in results:
        if not result.usable and result not in missing:
            because = f": {result.reason}" if result.reason else ""
            typer.echo(f"{result.cell} {result.status}{because}", err=True)
    if missing:
        typer.echo(f"not started: {plural(len(missing), 'cell')}", err=True)
    console.print(
        f"in {swept.out}: {', '.join(file.name for file in files)}", markup=False, highlight=False, soft_wrap=True
    )
    if any(result.status != "missing" for result in results):
        # home lists the runs of one folder, and these are in their own
        shown = f"CONDENSE_RUNS_DIR={shlex.quote(str(swept.out / CELLS))} condense-tui"
        console.print(f"its runs in the app: {shown}", markup=False, highlight=False, soft_wrap=True)
    if not has_parquet():
        typer.echo(f"no .parquet without pyarrow: {how_to_add('parquet')}", err=True)


def _exit_code(results: list[CellResult], check: bool) -> int:
    if not any(result.usable for result in results):
        typer.echo("condense-tui: no cell finished", err=True)
        return 1
    if not check:
        return 0
    against = [result.cell for result in results if result.claim is None or result.claim.holds is not True]
    if against:
        typer.echo(f"condense-tui: the claim does not hold in {len(against)} of {len(results)} cells", err=True)
    return 1 if against else 0
