"""What a reproduction found: per preset the distribution over its cells, and the verdict. Read from run files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from condense_core.errors import RunFileError
from condense_core.measure_table import PredictionSource
from condense_core.runfile.member_files import MemberFiles, open_member
from condense_core.runfile.status import FINAL
from condense_core.runs.standing import failures, measured
from condense_core.scenario import toml
from condense_core.scenario.about import Found, PresetKind
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.verdict import Verdict
from condense_presets.paper_records import AFTER_LOOKING, BOUNDS, compared, notes, record_of
from condense_tui.reproduce.report.judged import (
    CellVerdict,
    JudgedOutcome,
    LayerResult,
    broken_words,
    by_layer,
    distinct_cells,
    outcome,
    verdicts,
)
from condense_tui.reproduce.report.words import Distribution, distributions, phase_words


class PresetResult(msgspec.Struct, frozen=True, kw_only=True):
    """A preset's verdict over its cells.

    `paper_verdict` is on the paper's claim at the paper's setting, of presets that stand for it; `demonstration` on
    what was trained where that is another setting or a chosen draw. `says` is what the text says, `differs` in what the
    runs differ from what it gives, `chosen` which of their settings it does not give.
    """

    name: str
    record: str
    figure: str
    paper: str
    kind: PresetKind
    summary: str
    says: str
    differs: list[str]
    chosen: list[str]
    declared: list[tuple[str, str]]
    """How its bounds were set and what was chosen after looking: a head and a text each."""
    changes: list[str]
    """In what these runs differ from the preset as it ships, in words."""
    phase: str
    """Where its initialisation lies in the phase diagram, in words; empty where it has no place there."""
    claim: str
    share: float
    outcome: JudgedOutcome
    paper_verdict: Verdict | None
    demonstration: Verdict | None
    layers: list[LayerResult]
    expected: Found | None
    broken: str
    """How what was found contradicts what the preset declares; empty where it does not."""
    distributions: list[Distribution]
    cells: list[CellVerdict]
    missing: list[str]
    """Runs that were asked for and have not ended, in words."""
    not_run: str
    scenario: str

    @property
    def verdict(self) -> Verdict | None:
        """The one that counts: the paper's where it was tested, else the demonstration's, else that it was not."""
        if self.paper_verdict is not None and self.paper_verdict.of:
            return self.paper_verdict
        return self.demonstration or self.paper_verdict

    @property
    def words(self) -> str:
        """The verdict as a person reads it, the paper's first."""
        if self.outcome in {"no claim", "failed"}:
            return self.outcome
        paper, here = self.paper_verdict, self.demonstration
        if paper is None:
            return here.words if here is not None else self.outcome
        return f"{paper.word}; as trained here: {here.words}" if here is not None else paper.words

    @property
    def enough(self) -> bool:
        """Nothing failed, and nothing contradicts what was declared."""
        return self.outcome != "failed" and not self.broken


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
    with MemberFiles() as files:
        cells = [read_cell(experiment, place, files) for place in places]
    about, claim = experiment.about, experiment.claim
    said, beside = record_of(experiment), compared(experiment)
    kind = about.kind if about else "demonstration"
    decided = [cell for cell in cells if cell.holds is not None]
    counted = distinct_cells(experiment, decided)
    paper_verdict, demonstration = verdicts(experiment, cells, decided, counted, not_run)
    verdict = paper_verdict if kind == "paper" else demonstration
    expected = about.found if about else None
    sources = _sources(counted)
    return PresetResult(
        name=name,
        record=about.record if about else "",
        figure=said.name if said else "",
        paper=about.paper if about else "none",
        kind=kind,
        summary=about.summary if about else "",
        says=said.words if said else (about.paper_shows if about else ""),
        differs=[item.words for item in beside.deviations],
        chosen=[item.words for item in beside.choices],
        declared=[(head, text) for head, text in notes(experiment) if head in {BOUNDS, AFTER_LOOKING}],
        changes=list(changes),
        phase=phase_words(experiment),
        claim=claim.text if claim else "",
        share=claim.share if claim else 1.0,
        outcome=outcome(claim, cells, verdict),
        paper_verdict=paper_verdict,
        demonstration=demonstration,
        layers=by_layer(claim, experiment, counted, said.panels if said else ()) if claim else [],
        expected=expected,
        broken=broken_words(expected, verdict),
        distributions=[
            distribution
            for index, requirement in enumerate(claim.requires if claim else ())
            for distribution in distributions(
                requirement, [cell.measured[index] for cell in counted if index < len(cell.measured)], sources
            )
        ],
        cells=cells,
        missing=list(missing),
        not_run=not_run,
        scenario=toml.dumps(experiment),
    )


def _sources(cells: Sequence[CellVerdict]) -> dict[str, PredictionSource]:
    """Where the layers' predicted directions are from, as the first run says that was measured."""
    for cell in cells:
        if cell.measured:
            with open_member(Path(cell.folder), cell.member) as run:
                return {layer: run.prediction_source(layer) for layer in run.layers}
    return {}


def read_cell(experiment: Experiment, place: CellPlace, files: MemberFiles) -> CellVerdict:
    """One run as it stands: a run that did not end leaves the claim undecided, one that diverged speaks against it."""
    status, reason = "failed", place.refused
    holds: bool | None = None
    against: list[str] = []
    found: list[dict[str, float]] = []
    seconds, steps = 0.0, 0
    if not reason:
        try:
            run = files.member(place.folder, place.member)
            info = run.info()
            status, reason = info.status, info.reason
            if run.last("diverged") == 1:
                status, reason = "diverged", "its loss is no longer finite"
            seconds, steps = info.seconds / files.whole(place.folder).members, info.step
            if len(run.instants):
                steps = int(run.instants[-1])
            claim = experiment.claim
            if claim is not None and status in FINAL:
                found = [measured(requirement, run) for requirement in claim.requires]
                against = failures(claim, run)
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
