"""What the cells of a sweep came to, from run files alone: a row for each cell and layer, and one for each seed."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from condense_core.errors import RunFileError
from condense_core.measure_table import MEASURES
from condense_core.runfile.layer_measures import LayerMeasures
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME
from condense_core.runs.standing import value_of
from condense_core.runs.summary import ClaimSummary, SeedSummary, Summary, summarise
from condense_core.text import printable
from condense_tui.sweep.axes import typed
from condense_tui.sweep.plan import Sweep, SweepCell
from condense_tui.sweep.show import CLAIM, SLOPE, is_counted

Value = int | float | bool | str | None
TableRow = dict[str, Value]

# Slices are what a convolution with several input channels has besides; its own run has them.
_NOT_SHOWN = frozenset({"name", "kernels", "slice_abs_cos", "drawn_of"})


def _type(name: str) -> type:
    return bool if MEASURES[name].kind == "flag" else int if MEASURES[name].kind in {"count", "step"} else float


# Of a layer and seed as it is recorded, but for what has columns of its own, or is the same for all seeds.
_OF_LAYER = {name: _type(name) for name in LayerMeasures.__struct_fields__ if name not in _NOT_SHOWN}
# Over the seeds of a cell, each as `NAME_median`, `NAME_min` and `NAME_max`.
SPREADS = (
    "kept",
    "lines",
    "lines_coarse",
    "directions",
    "coverage",
    "mean_abs_cos",
    "alignment",
    "condensed_at",
    "predicted_at",
    "relative_change",
    "loss_first",
    "loss_last",
    "loss_ratio",
)

COLUMNS: dict[str, type] = {
    "cell": str,
    "status": str,
    "reason": str,
    "layer": str,
    "kernels": int,
    "seeds": int,
    "diverged": int,
    "condensed": int,
    **{f"{name}_{which}": float for name in SPREADS for which in ("median", "min", "max")},
    "claim_holds_in": int,
    "claim_decided": int,
    "claim_holds": bool,
    "reached": int,
    "seconds": float,
}
"""Columns of results.csv besides the swept keys, a row for each cell and layer.

`cell` names the run's folder, `status` is done, diverged, failed, stopped, lost or missing, `reason` says why. Of
`seeds` members `diverged` were left behind by the loss going to infinity, and `condensed` count as condensed; every
other number is over those that did not diverge: median, smallest and largest, at the last step, but for
`relative_change`, which is the largest that was recorded (Luo et al. 2021). What they are, `measure_table.MEASURES`
says; steps are empty if it did not happen. The claim holds in `claim_holds_in` of `claim_decided` seeds. `reached` is
the last step, `seconds` the time trained. Empty: does not apply; NaN: no number.
"""

SEED_COLUMNS: dict[str, type] = {
    "cell": str,
    "status": str,
    "layer": str,
    "member": int,
    "init_seed": int,
    "data_seed": int,
    "reached": int,
    "kernels": int,
    **_OF_LAYER,
    "relative_change": float,
    "loss_first": float,
    "loss_last": float,
    "claim_holds": bool,
}
"""Columns of seeds.csv besides the swept keys, a row for each cell, layer and seed: the same at one seed's last step.

`init_seed` and `data_seed` make the run again alone.
"""


def columns(show: str) -> dict[str, type]:
    """Columns of results.csv where the picture shows that: what is shown is always among them."""
    extra = _beside(show)
    if not extra:
        return COLUMNS
    new: dict[str, type] = {extra: int} if is_counted(extra) else dict.fromkeys(_spread_names(extra), float)
    return _with(COLUMNS, new, before="claim_holds_in")


def seed_columns(show: str) -> dict[str, type]:
    """Columns of seeds.csv where the picture shows that."""
    extra = _beside(show)
    if not extra or extra in SEED_COLUMNS:
        return SEED_COLUMNS
    return _with(SEED_COLUMNS, {extra: _type(extra)}, before="claim_holds")


def _beside(show: str) -> str:
    """The measure that the tables have only because the picture shows it; empty where they have it in any case."""
    return "" if show in (SLOPE, CLAIM) or show in COLUMNS or show in SPREADS else show


def _spread_names(name: str) -> tuple[str, str, str]:
    return f"{name}_median", f"{name}_min", f"{name}_max"


def _with(known: Mapping[str, type], new: Mapping[str, type], *, before: str) -> dict[str, type]:
    names = list(known)
    place = names.index(before)
    return {name: known[name] for name in names[:place]} | dict(new) | {name: known[name] for name in names[place:]}


class CellResult(msgspec.Struct, frozen=True, kw_only=True):
    """One cell: its swept values by key, how it ended, and each layer over its seeds as named in COLUMNS."""

    cell: str
    values: dict[str, Value]
    status: str
    reason: str
    claim: ClaimSummary | None
    rows: list[TableRow]
    seeds: list[TableRow]
    versions: dict[str, str] = {}
    """Of the program, its libraries, its measures and plugins, as the run notes them."""

    @property
    def usable(self) -> bool:
        """There is something measured to be shown: the run came to its end, at least with some seeds."""
        return self.status == "done"

    def row(self, layer: str) -> TableRow | None:
        """The row of one layer, None if the cell has not measured it."""
        return next((row for row in self.rows if row["layer"] == layer), None)


def read_results(sweep: Sweep, refused: Mapping[Path, str], show: str) -> list[CellResult]:
    """Every cell as its run file tells, with what the picture shows; one that could not be started or read is `failed`,
    and says why, one that was not begun is `missing`."""
    tables = _Tables(columns(show), seed_columns(show), _beside(show))
    return [_read(sweep, cell, refused.get(cell.folder, ""), tables) for cell in sweep.cells]


def mixed_versions(results: Iterable[CellResult]) -> list[str]:
    """Of what finished cells have different versions, the most frequent first: `torch 2.14.1 (988 cells), 2.14.0 (12)`.
    Empty after any kill; not where a sweep went on after an upgrade."""
    found = [result.versions for result in results if result.usable]
    told = []
    for name in dict.fromkeys(name for versions in found for name in versions):
        counts = Counter(versions.get(name, "none") for versions in found).most_common()
        if len(counts) > 1:
            words = [f"{version} ({count}{' cells' * (place == 0)})" for place, (version, count) in enumerate(counts)]
            told.append(printable(f"{name} {', '.join(words)}"))
    return told


def layers_of(results: Iterable[CellResult]) -> list[str]:
    """Names of all layers that were measured in any cell, in the order of the network."""
    return list(dict.fromkeys(str(row["layer"]) for result in results for row in result.rows if row["layer"]))


class _Tables(NamedTuple):
    """Columns of both tables, and the measure that they have beside their usual ones, if any."""

    of_cell: Mapping[str, type]
    of_seed: Mapping[str, type]
    extra: str


def _read(sweep: Sweep, cell: SweepCell, refused: str, tables: _Tables) -> CellResult:
    values: dict[str, Value] = {axis.key: typed(value) for axis, value in zip(sweep.axes, cell.values, strict=True)}
    if not refused:
        try:
            if not (cell.folder / FILE_NAME).is_file():
                return _nothing(cell, values, "missing", "not begun", tables)
            with RunReader(cell.folder, cell.known) as run, run.one_moment():
                summary, versions = summarise(run), run.info().versions
                alone = summary.seeds or [_alone(run, summary)]
                seeds = [_measured_in(run.member(number), each, tables.extra) for number, each in enumerate(alone)]
        except RunFileError as error:
            refused = str(error)
    if refused:
        return _nothing(cell, values, "failed", refused, tables)
    head: TableRow = {"cell": cell.folder.name, "status": summary.status, "reason": summary.reason}
    rows = [
        _filled({**head, **_over_seeds(summary, seeds, index, tables.extra)}, values, tables.of_cell)
        for index in _indices(seeds)
    ]
    return CellResult(
        cell=cell.folder.name,
        values=values,
        status=summary.status,
        reason=summary.reason,
        claim=summary.claim,
        rows=rows or [_filled(head, values, tables.of_cell)],
        seeds=[
            _filled(
                {"cell": cell.folder.name, "member": member, **_of_seed(seed, index, tables)}, values, tables.of_seed
            )
            for member, seed in enumerate(seeds)
            for index in range(len(seed.layers))
        ],
        versions=versions,
    )


def _nothing(cell: SweepCell, values: dict[str, Value], status: str, reason: str, tables: _Tables) -> CellResult:
    head: TableRow = {"cell": cell.folder.name, "status": status, "reason": reason}
    rows = [_filled(head, values, tables.of_cell)]
    return CellResult(
        cell=cell.folder.name, values=values, status=status, reason=reason, claim=None, rows=rows, seeds=[]
    )


def _alone(run: RunReader, summary: Summary) -> SeedSummary:
    """A run that is no ensemble, as the only seed of one."""
    return SeedSummary(
        status=summary.status,
        seed=run.experiment.seed,
        data_seed=run.experiment.data.seed,
        steps=summary.steps,
        loss=summary.loss,
        layers=summary.layers,
        claim=summary.claim,
    )


class _Seed(NamedTuple):
    """One seed, its layers whether their lines were recorded or not, how far each has moved at most, and the
    measure of each that the tables have beside their usual ones."""

    summary: SeedSummary
    layers: list[LayerMeasures]
    changes: list[float]
    extra: list[float]


def _measured_in(run: RunReader, seed: SeedSummary, extra: str) -> _Seed:
    known = {layer.name: layer for layer in seed.layers}
    counts = run.experiment.kernel_counts
    layers = [known.get(name) or LayerMeasures(name=name, kernels=kernels) for name, kernels in counts.items()]
    curves = [run.curve(f"{layer.name}.relative_change")[1] for layer in layers]
    changes = [float(curve.max()) if len(curve) else math.nan for curve in curves]
    read = extra if extra not in LayerMeasures.__struct_fields__ else ""
    return _Seed(seed, layers, changes, [value_of(read, run, layer.name) for layer in layers] if read else [])


def _indices(seeds: list[_Seed]) -> range:
    return range(max((len(seed.layers) for seed in seeds), default=0))


def _over_seeds(summary: Summary, seeds: list[_Seed], index: int, extra: str) -> TableRow:
    """One layer over the seeds, by the columns of results.csv."""
    whole = [seed for seed in seeds if index < len(seed.layers)]
    sound = [seed for seed in whole if seed.summary.status != "diverged"]
    measured = any(seed.layers[index].condensed is not None for seed in sound)
    claim = summary.claim
    row: TableRow = {
        "layer": whole[0].layers[index].name,
        "kernels": whole[0].layers[index].kernels,
        "seeds": len(seeds),
        "diverged": sum(seed.summary.status == "diverged" for seed in seeds),
        "condensed": sum(seed.layers[index].condensed is True for seed in sound) if measured or not sound else None,
        "claim_holds_in": claim.holds_in if claim else None,
        "claim_decided": claim.decided if claim else None,
        "claim_holds": claim.holds if claim else None,
        "reached": summary.steps,
        "seconds": summary.seconds,
    }
    if extra and is_counted(extra):
        row[extra] = sum(_measured(seed, index, extra) == 1 for seed in sound)
    for name in (*SPREADS, *([extra] if extra and not is_counted(extra) else ())):
        low, middle, high = _spread(_measured(seed, index, name) for seed in sound)
        row |= dict(zip(_spread_names(name), (middle, low, high), strict=True))
    return row


def _measured(seed: _Seed, index: int, name: str) -> float | None:
    loss = seed.summary.loss
    if name == "loss_first":
        return loss.first
    if name == "loss_last":
        return loss.last
    if name == "loss_ratio":
        return loss.last / loss.first if loss.first else math.nan
    if name == "relative_change":
        return seed.changes[index]
    value = getattr(seed.layers[index], name) if name in LayerMeasures.__struct_fields__ else seed.extra[index]
    return None if value is None else float(value)


def _spread(values: Iterable[float | None]) -> tuple[Value, Value, Value]:
    """Smallest, median and largest; NaN if none is a number, None if it applies to no seed."""
    there = [value for value in values if value is not None]
    known = [value for value in there if not math.isnan(value)]
    if not known:
        return (math.nan,) * 3 if there else (None,) * 3
    return min(known), statistics.median(known), max(known)


def _of_seed(found: _Seed, index: int, tables: _Tables) -> TableRow:
    seed, layer = found.summary, found.layers[index]
    own: TableRow = {}
    if tables.extra in tables.of_seed and tables.extra not in SEED_COLUMNS:
        value, kind = _measured(found, index, tables.extra), _type(tables.extra)
        unknown = value is None or (math.isnan(value) and kind is not float)
        own[tables.extra] = None if unknown else kind(value)
    return own | {
        "status": seed.status,
        "layer": layer.name,
        "init_seed": seed.seed,
        "data_seed": seed.data_seed,
        "reached": seed.steps,
        "kernels": layer.kernels,
        **{name: getattr(layer, name) for name in _OF_LAYER},
        "relative_change": found.changes[index],
        "loss_first": seed.loss.first,
        "loss_last": seed.loss.last,
        "claim_holds": seed.claim.holds if seed.claim else None,
    }


def _filled(row: Mapping[str, Any], values: Mapping[str, Value], columns: Mapping[str, type]) -> TableRow:
    """The row with every column in its place, the swept values after the first three."""
    names = list(columns)
    return {name: row.get(name) for name in names[:3]} | dict(values) | {name: row.get(name) for name in names[3:]}
