"""Draws of one preset that train as one run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Literal

import msgspec

from condense_core.scenario.experiment import Ensemble
from condense_tui.batch.cells import Cell, Plan, PresetPlan, trains_alone, trains_as_one

Vary = Literal["init", "data", "both"]


def together(plan: Plan, jobs: int) -> Plan:
    """The plan with draws of one preset put together.

    Draws of a dense network are one batch and cost little more than one. Convolutions train one after the other in any
    case: those are dealt out to `jobs` runs, which still read the data only once each.
    """

    def joined(preset: PresetPlan) -> PresetPlan:
        return _together(preset, 1 if trains_as_one(preset.experiment) else jobs)

    return replace(plan, presets=tuple(map(joined, plan.presets)), own=tuple(map(joined, plan.own)))


def _together(preset: PresetPlan, runs: int) -> PresetPlan:
    if trains_alone(preset.experiment):
        return preset
    cells = [cell for cell in preset.cells if cell.found]
    for vary, draws in _groups([cell for cell in preset.cells if not cell.found]):
        each = math.ceil(len(draws) / runs)
        for first in range(0, len(draws), each):
            for following in _following(draws[first : first + each], vary):
                cells += _joined(following, vary)
    order = {(cell.seed, cell.data_seed): place for place, cell in enumerate(preset.cells)}
    return replace(preset, cells=tuple(sorted(cells, key=lambda cell: order[cell.seed, cell.data_seed])))


def _following(draws: Sequence[Cell], vary: Vary) -> list[list[Cell]]:
    """The draws cut where a number is left out, as one that is finished is."""
    numbers = [cell.data_seed if vary == "data" else cell.seed for cell in draws]
    ends = [place for place in range(1, len(draws)) if numbers[place] != numbers[place - 1] + 1]
    return [list(draws[start:end]) for start, end in pairwise([0, *ends, len(draws)])]


def _groups(cells: Sequence[Cell]) -> list[tuple[Vary, list[Cell]]]:
    """Draws that an ensemble can be made of: of which only the weights, only the data, or both count up together."""
    if not cells:
        return []
    if all(cell.seed - cell.data_seed == cells[0].seed - cells[0].data_seed for cell in cells):
        return [("both", list(cells))]
    if len({cell.seed for cell in cells}) == 1:
        return [("data", list(cells))]
    return [("init", list(group)) for _, group in groupby(cells, key=lambda cell: cell.data_seed)]


def _joined(group: Sequence[Cell], vary: Vary) -> list[Cell]:
    """Draws whose numbers follow on each other, as members of one run."""
    first, last = group[0], group[-1]
    if len(group) == 1:
        return list(group)
    experiment = msgspec.structs.replace(first.experiment, ensemble=Ensemble(members=len(group), vary=vary))
    end = last.data_seed if vary == "data" else last.seed
    apart = "-both" if vary == "both" else ""
    folder = first.folder.with_name(f"{first.folder.name}{apart}-to-{end}")
    return [replace(cell, experiment=experiment, folder=folder, member=member) for member, cell in enumerate(group)]
