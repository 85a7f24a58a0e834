"""What the runs of a preset say of its claim: which of them count, the two verdicts, and a panel's own count."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from condense_core.measure_table import MEASURES
from condense_core.runs.standing import within
from condense_core.runs.summary import two_verdicts
from condense_core.scenario.about import Found
from condense_core.scenario.claims import Claim
from condense_core.scenario.draws import distinct, vary_together
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.verdict import Verdict, broken, judge, not_tested
from condense_presets.paper_records import compared

JudgedOutcome = Literal["holds", "holds in some draws", "does not hold", "no claim", "failed", "not tested here"]


class CellVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """One run: how it ended, whether the claim holds in it, and what was measured for each requirement."""

    folder: str
    member: int
    """Which member of the run in that folder, where it trains several."""
    seed: int
    data_seed: int
    status: str
    reason: str
    holds: bool | None
    against: list[str]
    measured: list[dict[str, float]]
    seconds: float
    steps: int


class LayerResult(msgspec.Struct, frozen=True, kw_only=True):
    """In how many draws all that is required of one layer was found: a panel of a figure that shows a layer each."""

    layer: str
    panel: str
    holds_in: int
    of: int


def distinct_cells(experiment: Experiment, decided: Sequence[CellVerdict]) -> list[CellVerdict]:
    """The cells that count: one of those whose draws share what the claim depends on."""
    claim = experiment.claim
    if claim is None:
        return []
    draws = [(cell.seed, cell.data_seed) for cell in decided]
    return [decided[place] for place in distinct(claim, experiment.data, draws)]


def verdicts(
    experiment: Experiment,
    cells: Sequence[CellVerdict],
    decided: Sequence[CellVerdict],
    counted: Sequence[CellVerdict],
    not_run: str,
) -> tuple[Verdict | None, Verdict | None]:
    """On the paper's claim and on the demonstration, None for what the preset is not about."""
    about, claim = experiment.about, experiment.claim
    kind = about.kind if about else "demonstration"
    if claim is None:
        return None, None
    if not decided:
        nothing = not_tested(not_run or ("no run ended" if cells else "nothing was run"))
        return (nothing, None) if kind == "paper" else (None, nothing)
    found = judge(claim.share, sum(cell.holds is True for cell in counted), len(counted))
    draws = [(cell.seed, cell.data_seed) for cell in decided]
    together = vary_together(claim, experiment.data, draws)
    return two_verdicts(found, kind, compared(experiment), together=together)


def outcome(claim: Claim | None, cells: Sequence[CellVerdict], verdict: Verdict | None) -> JudgedOutcome:
    """The verdict's word, or why there is none."""
    if cells and claim is None:
        return "no claim"
    if cells and all(cell.holds is None for cell in cells):
        return "failed"
    return verdict.word if verdict is not None else "not tested here"


def broken_words(expected: Found | None, verdict: Verdict | None) -> str:
    """How the verdict contradicts what the preset declares; empty where it does not, or nothing was decided."""
    if expected is None or verdict is None or not verdict.of:
        return ""
    if not broken((expected.holds_in, expected.of), (verdict.holds_in, verdict.of)):
        return ""
    return f"{verdict.holds_in} of {verdict.of} draws, where {expected.holds_in} of {expected.of} were declared"


def by_layer(
    claim: Claim, experiment: Experiment, counted: Sequence[CellVerdict], panels: Sequence[str]
) -> list[LayerResult]:
    names = experiment.layer_names
    claimed = {item.layer for item in claim.requires if MEASURES[item.measure].of == "layer"}
    if len(names) < 2 or not counted or not claimed:
        return []
    letters = dict(zip(names, panels, strict=False))
    return [
        LayerResult(
            layer=name,
            panel=letters.get(name, ""),
            holds_in=sum(_layer_holds(claim, name, cell) for cell in counted),
            of=len(counted),
        )
        for name in names
        if {name, None} & claimed
    ]


def _layer_holds(claim: Claim, layer: str, cell: CellVerdict) -> bool:
    return all(
        within(requirement, found.get(f"{layer}.{requirement.measure}", math.nan))
        for requirement, found in zip(claim.requires, cell.measured, strict=False)
        if requirement.layer in {None, layer} and MEASURES[requirement.measure].of == "layer"
    )
