"""The cells of a sweep: one experiment, an ensemble, for every combination of the swept values."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from condense_core.errors import ScenarioError
from condense_core.runs.about_file import LONGEST_NAME
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.paths import digest_of, files_of, with_absolute_paths
from condense_core.text import printable
from condense_tui.batch.cells import Cell, Plan, PresetPlan
from condense_tui.sweep.axes import Axis

# More cells than this are most likely a typing error; a larger sweep is done in parts.
MOST_CELLS = 10_000
CELLS = "cells"


@dataclass(frozen=True)
class SweepCell(Cell):
    """One combination of the swept values, one for each axis; its run trains all seeds."""

    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sweep:
    """A scenario, what is swept, and the cells: the last axis changes fastest."""

    name: str
    preset: str
    axes: tuple[Axis, ...]
    cells: tuple[SweepCell, ...]
    out: Path

    @property
    def plan(self) -> Plan:
        """The cells as `batch.drive` takes them."""
        return Plan((PresetPlan(self.name, self.cells[0].experiment, self.cells),))


def make_sweep(base: Experiment, preset: str, axes: Sequence[Axis], out: Path) -> Sweep:
    """Every combination of the values, each checked; ScenarioError that names the first that cannot be trained."""
    count = math.prod(len(axis.values) for axis in axes)
    if count > MOST_CELLS:
        raise ScenarioError(f"--over: {count:,} combinations of values; expected at most {MOST_CELLS:,}")
    name = preset or base.name
    # quick settings are for the scenario as it stands, not for what it is changed to
    table = toml.parse(toml.dumps(msgspec.structs.replace(base, quick=None)))
    called = _called(name, axes, out)
    cells: list[SweepCell] = []
    seen: dict[str, str] = {}
    digests: dict[tuple[Path, ...], str] = {}
    for values in itertools.product(*(axis.values for axis in axes)):
        settings = [f"{axis.key}={value}" for axis, value in zip(axes, values, strict=True)]
        words = " ".join(settings)
        changed = toml.override(table, settings, "--over")
        experiment = with_absolute_paths(toml.build(changed, f"--over {words}"))
        # a change of what a preset says about itself trains nothing again
        text = toml.dumps(msgspec.structs.replace(experiment, about=None))
        if text in seen:
            raise ScenarioError(f"--over: {seen[text]} and {words} are the same experiment")
        seen[text] = words
        files = tuple(files_of(experiment))
        if files not in digests:
            digests[files] = digest_of(files)
        folder = out / CELLS / _cell_name(settings, text + digests[files])
        draws = experiment.seed, experiment.data.seed
        recorded = text if experiment.about is None else toml.dumps(experiment)
        cells.append(SweepCell(name, *draws, experiment, folder, text=recorded, sweep=called, values=tuple(values)))
    return Sweep(name, preset, tuple(axes), tuple(cells), out)


def _called(name: str, axes: Sequence[Axis], out: Path) -> str:
    """What lists call the sweep, with the name of its folder: `digits-gd over lr, width (sweep)`."""
    keys = ", ".join(axis.key.rpartition(".")[2] for axis in axes)
    return printable(f"{name} over {keys} ({out.name})")[:LONGEST_NAME]


def _cell_name(settings: Sequence[str], experiment: str) -> str:
    """A folder's name that is also a run's id: `std-0.005-width-20-1f3a09bc`.

    The end stands for the whole experiment and what is in its files, so that a sweep with other seeds or steps leaves
    finished cells alone, and none of them is taken for one of data that have changed since.
    """
    pairs = (setting.partition("=") for setting in settings)
    words = "-".join(f"{key.rpartition('.')[2]}-{value}" for key, _, value in pairs)
    slug = re.sub(r"[^a-z0-9.]+", "-", words.lower()).strip("-.")[:80]
    return f"{slug}-{hashlib.sha256(experiment.encode()).hexdigest()[:8]}"
