"""What a reproduction found: per preset the distribution over its cells, and the verdict. Read from run files alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from condense_core.errors import RunFileError
from condense_core.measure_table import MEASURES, label_of
from condense_core.runfile.reader import RunReader, open_member
from condense_core.runfile.status import FINAL
from condense_core.runs.summary import enough, failures, measured, summarise, wanted
from condense_core.scenario import toml
from condense_core.scenario.experiment import Dense, Experiment, Requirement
from condense_core.scenario.phase import phase_of
from condense_tui.draw.numbers import measure

Verdict = Literal["holds", "holds in some", "does not hold here", "no claim", "failed", "not run"]

# Verdicts with which a report ends well.
ENOUGH = frozenset({"holds", "no claim", "not run"})


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


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """One measured quantity over the cells: what the claim wants of it, and what was found, both in words."""

    name: str
    wanted: str
    found: str


class PresetResult(msgspec.Struct, frozen=True, kw_only=True):
    """A preset's verdict over its cells; `holds_in` of `decided` runs, the others failed."""

    name: str
    figure: str
    paper: str
    summary: str
    paper_shows: str
    ours: str
    finding: str
    changes: list[str]
    """In what these runs differ from the preset as it ships, in words."""
    phase: str
    """Where its initialisation lies in the phase diagram, in words; empty where it has no place there."""
    claim: str
    share: float
    verdict: Verdict
    holds_in: int
    decided: int
    distributions: list[Distribution]
    cells: list[CellVerdict]
    missing: list[str]
    """Runs that were asked for and have not ended, in words."""
    not_run: str
    scenario: str

    @property
    def words(self) -> str:
        """The verdict as a person reads it."""
        count = f"{self.holds_in} of {self.decided}"
        if self.verdict == "holds":
            return f"holds ({count})"
        if self.verdict == "holds in some":
            return f"holds in {count}"
        if self.verdict == "does not hold here":
            return f"does not hold here ({count})"
        return self.verdict

    @property
    def enough(self) -> bool:
        """Nothing speaks against the claim: it holds in the share of runs that it names, or nothing was tried."""
        return self.verdict in ENOUGH


@dataclass(frozen=True)
class CellPlace:
    """Where a cell's run file is, and which draw it is."""

    folder: Path
    seed: int
    data_seed: int
    refused: str = ""
    member: int = 0


def preset_result(
    name: str,
    experiment: Experiment,
    places: Sequence[CellPlace],
    not_run: str = "",
    changes: Sequence[str] = (),
    *,
    missing: Sequence[str] = (),
) -> PresetResult:
    """The preset's cells, read from their run files, and what they say of its claim."""
    cells = [read_cell(experiment, place) for place in places]
    about, claim = experiment.about, experiment.claim
    decided = [cell for cell in cells if cell.holds is not None]
    holds_in = sum(cell.holds is True for cell in decided)
    return PresetResult(
        name=name,
        figure=about.figure if about else "",
        paper=about.paper if about else "none",
        summary=about.summary if about else "",
        paper_shows=about.paper_shows if about else "",
        ours=about.ours if about else "",
        finding=about.finding if about else "",
        changes=list(changes),
        phase=phase_words(experiment),
        claim=claim.text if claim else "",
        share=claim.share if claim else 1.0,
        verdict=_verdict(claim.share if claim else None, holds_in, len(decided), bool(cells)),
        holds_in=holds_in,
        decided=len(decided),
        distributions=[
            distribution
            for index, requirement in enumerate(claim.requires if claim else ())
            for distribution in distributions(
                requirement, [cell.measured[index] for cell in decided if index < len(cell.measured)]
            )
        ],
        cells=cells,
        missing=list(missing),
        not_run=not_run,
        scenario=toml.dumps(experiment),
    )


def read_cell(experiment: Experiment, place: CellPlace) -> CellVerdict:
    """One run as it stands: a run that did not end leaves the claim undecided, one that diverged speaks against it."""
    status, reason = "failed", place.refused
    holds: bool | None = None
    against: list[str] = []
    found: list[dict[str, float]] = []
    seconds, steps = 0.0, 0
    if not reason:
        try:
            with RunReader(place.folder) as whole, open_member(place.folder, place.member) as run:
                together = whole.members
                summary = summarise(run)
                status, reason = summary.status, summary.reason
                if run.last("diverged") == 1:
                    status, reason = "diverged", "its loss is no longer finite"
                seconds, steps = summary.seconds / together, summary.steps
                if len(run.instants):
                    steps = int(run.instants[-1])
                claim = experiment.claim
                if claim is not None and status in FINAL:
                    found = [measured(requirement, run, summary.layers) for requirement in claim.requires]
                    against = failures(claim, run, summary.layers)
                    against += [f"diverged: {reason}"] if status == "diverged" else []
                    holds = not against
        except RunFileError as error:
            status, reason = "failed", str(error)
    return CellVerdict(
        folder=str(place.folder),
        member=place.member,
        seed=place.seed,
        data_seed=place.data_seed,
        status=status,
        reason=reason,
        holds=holds,
        against=against,
        measured=found,
        seconds=seconds,
        steps=steps,
    )


def distributions(requirement: Requirement, cells: Sequence[dict[str, float]]) -> list[Distribution]:
    """Each quantity that the requirement is about, over the cells that measured it."""
    names = dict.fromkeys(name for cell in cells for name in cell)
    text = wanted(requirement)
    return [
        Distribution(
            name=label_of(name), wanted=text, found=in_words(requirement.measure, [c[name] for c in cells if name in c])
        )
        for name in names
    ]


def in_words(quantity: str, values: Iterable[float]) -> str:
    """A distribution in one line: `1 in 9, 2 in 1 of 10`, `yes in 9 of 10`, or `median 0.98, 0.95 to 0.99`."""
    numbers = [float(value) for value in values]
    known = sorted(value for value in numbers if not math.isnan(value))
    missing = f", not measured in {len(numbers) - len(known)}" if len(known) < len(numbers) else ""
    if not known:
        return "not measured"
    if MEASURES[quantity].kind == "flag":
        return f"yes in {sum(value > 0 for value in known)} of {len(known)}{missing}"
    if MEASURES[quantity].counted:
        counts = sorted(Counter(round(value) for value in known).items(), key=lambda item: (-item[1], item[0]))
        if len(counts) == 1:
            return f"{counts[0][0]} in all {len(known)}{missing}"
        return ", ".join(f"{value} in {count}" for value, count in counts) + f" of {len(known)}{missing}"
    middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
    if len(known) == 1:
        return measure(middle) + missing
    return f"median {measure(middle)}, {measure(known[0])} to {measure(known[-1])}{missing}"


def phase_words(experiment: Experiment) -> str:
    """`γ = 4.00, γ' = 0.00: condensed`; empty where the phase diagram has no place for the network."""
    point = phase_of(experiment)
    return "" if point is None else regime_words(point.gamma, point.gamma_prime, point.regime, experiment)


def regime_words(gamma: float, gamma_prime: float, regime: str, experiment: Experiment) -> str:
    """The coordinates and the regime; where the network is not one that the diagram is proved for, that too."""
    layer = experiment.layers[0]
    proved = "" if layer.activation == "relu" and isinstance(layer, Dense) else "; proved for dense ReLU layers"
    # 0 is added so that a rounded -0 has no sign
    first, second = round(gamma, 2) + 0.0, round(gamma_prime, 2) + 0.0
    return f"γ = {first:.2f}, γ' = {second:.2f}: {regime} regime (Luo et al. 2021{proved})"


def _verdict(share: float | None, holds_in: int, decided: int, has_cells: bool) -> Verdict:
    if not has_cells:
        return "not run"
    if share is None:
        return "no claim"
    if not decided:
        return "failed"
    if enough(share, holds_in, decided):
        return "holds"
    return "holds in some" if holds_in else "does not hold here"
