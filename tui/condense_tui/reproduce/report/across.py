"""Verdicts on claims across presets: what each arm's runs measured, and what the comparison makes of it."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from condense_core.errors import RunFileError
from condense_core.runfile.member_files import MemberFiles
from condense_core.runfile.reader import RunReader
from condense_core.runs.standing import measured, wanted, within
from condense_core.scalar_names import label_of
from condense_core.scenario.draws import Draw
from condense_core.scenario.figures import ArmComparison, Each, Equal, Falling, PaperFigure
from condense_core.scenario.verdict import Verdict, judge, not_tested
from condense_presets.paper_records import record
from condense_tui.draw.numbers import measure, plural
from condense_tui.reproduce.report.judged import JudgedOutcome
from condense_tui.reproduce.report.results import PresetResult


class ArmResult(msgspec.Struct, frozen=True, kw_only=True):
    """One arm's values of a quantity, a run each, the draw that each is of, and of a range the verdict on the arm."""

    name: str
    values: list[float]
    draws: list[Draw] = []
    verdict: Verdict | None = None

    @property
    def mean(self) -> float:
        """Mean over the runs; NaN without any."""
        return statistics.fmean(self.values) if self.values else math.nan

    @property
    def std(self) -> float:
        """Standard deviation over the runs, n - 1 in the denominator; NaN for fewer than two."""
        return statistics.stdev(self.values) if len(self.values) > 1 else math.nan

    @property
    def words(self) -> str:
        """`0.982 ± 0.004 (5 runs)`, the standard deviation over the runs; of a range, the verdict before it."""
        count = len(self.values)
        if not count:
            return self.verdict.words if self.verdict is not None else "not measured"
        spread = f" ± {measure(self.std, 2)}" if count > 1 else ""
        found = f"{measure(self.mean)}{spread} ({plural(count, 'run')})"
        return found if self.verdict is None else f"{self.verdict.words}: {found}"


class ComparisonResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one comparison wants, each arm's values, and what speaks against it."""

    name: str
    wanted: str
    arms: list[ArmResult]
    against: list[str]


class FigureResult(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a claim across presets; `not_run` says why where an arm has no runs."""

    name: str
    record: str
    figure: str
    paper: str
    says: str
    claim: str
    outcome: JudgedOutcome
    """Of the paper's claim, which runs at other settings than the text's, or on other data, do not test."""
    trained: JudgedOutcome
    """What came of the runs as they were trained."""
    comparisons: list[ComparisonResult]
    differs: list[str]
    """In what the arms' runs differ from what the text gives, in words."""
    missing: list[str]
    """Runs that did not end well, and why."""
    not_run: str

    @property
    def words(self) -> str:
        """The verdict as a person reads it."""
        if self.not_run:
            return f"not tested here ({self.not_run})"
        arms = [arm for comparison in self.comparisons for arm in comparison.arms]
        found = [arm.verdict for arm in arms if arm.verdict is not None]
        count = f" ({sum(item.holds_in for item in found)} of {sum(item.of for item in found)} draws)" if found else ""
        return self.as_trained(f"{self.trained}{count}")

    def as_trained(self, words: str) -> str:
        """What was found, said as what it is where that does not test the paper's claim."""
        return f"not tested here; as trained here: {words}" if self.differs and self.trained != "failed" else words

    @property
    def enough(self) -> bool:
        """Nothing failed."""
        return self.trained != "failed"


def figure_result(figure: PaperFigure, arms: Sequence[Sequence[PresetResult]]) -> FigureResult:
    """The figure's verdict from its arms' presets, whose finished runs are read for what is compared."""
    reasons = {preset.name: preset.not_run or "no run ended" for arm in arms for preset in arm if not preset.cells}
    # means over fewer draws than were asked for are not what the claim is about
    reasons |= {preset.name: "stopped before it was complete" for arm in arms for preset in arm if preset.missing}
    counts = Counter(reasons.values())
    not_run = "; ".join(f"{plural(count, 'preset')}: {reason}" for reason, count in counts.items())
    comparisons = [] if not_run else [_compared(figure, comparison, arms) for comparison in figure.compare]
    differs = dict.fromkeys(f"{preset.name}: {words}" for arm in arms for preset in arm for words in preset.differs)
    said = record(figure.record)
    trained: JudgedOutcome = "not tested here" if not_run else outcome_of(comparisons)
    return FigureResult(
        name=figure.name,
        record=figure.record,
        figure=said.name,
        paper=figure.record.partition("/")[0],
        says=said.words,
        claim=figure.claim,
        outcome="not tested here" if differs and trained != "failed" else trained,
        trained=trained,
        comparisons=comparisons,
        differs=list(differs),
        missing=[
            f"{preset.name}, seed {cell.seed}, data seed {cell.data_seed}: {cell.reason or cell.status}"
            for arm in arms
            for preset in arm
            for cell in preset.cells
            if cell.status != "done"
        ],
        not_run=not_run,
    )


def outcome_of(comparisons: Sequence[ComparisonResult]) -> JudgedOutcome:
    """Holds where nothing speaks against any comparison, in some draws where a range holds in some of them; failed
    where an arm has no value to compare."""
    arms = [arm for comparison in comparisons for arm in comparison.arms]
    if any(not arm.values and arm.verdict is None for arm in arms):
        return "failed"
    if not any(comparison.against for comparison in comparisons):
        return "holds"
    some = any(arm.verdict is not None and arm.verdict.holds_in for arm in arms)
    return "holds in some draws" if some else "does not hold"


def against(comparison: ArmComparison, arms: Sequence[ArmResult]) -> list[str]:
    """What of the arms is not as the comparison wants; empty where all is, or an arm has no value."""
    if isinstance(comparison, Each):
        return [f"{arm.name}: {arm.verdict.words}" for arm in arms if arm.verdict is not None and _fails(arm.verdict)]
    if any(not arm.values for arm in arms):
        return []
    if isinstance(comparison, Equal):
        return _apart(comparison, arms)
    ordered = arms[::-1] if isinstance(comparison, Falling) else arms
    found = [_not_above(before, after, comparison.errors) for before, after in pairwise(ordered)]
    found = [text for text in found if text]
    least, last = comparison.last_at_least, arms[-1]
    if least is not None and not last.mean >= least:
        found.append(f"{last.name}: {measure(last.mean)} is below {least:g}")
    return found


def _fails(verdict: Verdict) -> bool:
    return verdict.of > 0 and verdict.word != "holds"


def _apart(comparison: Equal, arms: Sequence[ArmResult]) -> list[str]:
    """The arms whose means may be further apart than is claimed, the error of their difference counted."""
    found = []
    for number, one in enumerate(arms):
        for other in arms[number + 1 :]:
            apart, error = abs(one.mean - other.mean), _error(one, other)
            error = 0.0 if math.isnan(error) else comparison.errors * error
            if apart + error > comparison.within:
                sure = f", and may be {measure(apart + error)}" if error else ""
                found.append(f"{one.name} and {other.name}: the means are {measure(apart)} apart{sure}")
    return found


def _not_above(before: ArmResult, after: ArmResult, errors: float) -> str:
    """Why the one arm's mean does not count as above the other's; empty where it does."""
    above = f"{measure(after.mean)} {{}} {measure(before.mean)} of {before.name}"
    if not after.mean > before.mean:
        return f"{after.name}: {above.format('is not above')}"
    error = _error(before, after)
    if after.mean - before.mean < errors * error:
        sure = f"by less than {errors:g} standard errors of {measure(error, 2)}"
        return f"{after.name}: {above.format('is above')} {sure}"
    return ""


def _error(one: ArmResult, other: ArmResult) -> float:
    """Standard error of the difference of two means: of pairs where both are of the same draws, which share what is
    common to a draw; else runs are independent and squares add. NaN for fewer than two runs."""
    if one.draws and sorted(one.draws) == sorted(other.draws) and len(set(one.draws)) == len(one.draws):
        first, second = dict(zip(one.draws, one.values, strict=True)), dict(zip(other.draws, other.values, strict=True))
        pairs = [first[draw] - second[draw] for draw in first]
        return statistics.stdev(pairs) / math.sqrt(len(pairs)) if len(pairs) > 1 else math.nan
    return math.sqrt(sum(arm.std**2 / len(arm.values) for arm in (one, other)))


def wanted_of(comparison: ArmComparison, arms: Sequence[str]) -> str:
    """What the comparison wants, in words."""
    if isinstance(comparison, Each):
        where = f" of those {label_of(comparison.where)}" if comparison.where else ""
        return f"{wanted(comparison)} in at least {comparison.share:.0%} of the draws{where} of every arm"
    if isinstance(comparison, Equal):
        return f"means at most {comparison.within:g} apart, {comparison.errors:g} standard errors counted"
    least = comparison.last_at_least
    sure = f", by {comparison.errors:g} standard errors" if comparison.errors else ""
    sign = " > " if isinstance(comparison, Falling) else " < "
    return sign.join(arms) + sure + ("" if least is None else f", and {least:g} or more in the last")


def _compared(
    figure: PaperFigure, comparison: ArmComparison, arms: Sequence[Sequence[PresetResult]]
) -> ComparisonResult:
    found = [_arm(arm.name, comparison, presets) for arm, presets in zip(figure.arms, arms, strict=True)]
    quantity = f"{comparison.layer}.{comparison.measure}" if comparison.layer else comparison.measure
    at = "" if comparison.at is None else f" at step {comparison.at:,}"
    return ComparisonResult(
        name=label_of(quantity) + at,
        wanted=wanted_of(comparison, [arm.name for arm in figure.arms]),
        arms=found,
        against=against(comparison, found),
    )


def _found(comparison: ArmComparison, run: RunReader) -> dict[str, float]:
    """The quantity in each of the run's layers; of a range, in those that it asks of."""
    found = measured(comparison, run)
    if not isinstance(comparison, Each) or comparison.where is None:
        return found
    return {
        name: value
        for name, value in found.items()
        if run.last(f"{name.rpartition('.')[0]}.{comparison.where}", comparison.at) > 0
    }


def _arm(name: str, comparison: ArmComparison, presets: Sequence[PresetResult]) -> ArmResult:
    """The quantity in every run that ended and has it; of a range, in how many it lies there in all its layers."""
    values: list[float] = []
    draws: list[Draw] = []
    holds: list[bool] = []
    with MemberFiles() as files:
        for cell in (cell for preset in presets for cell in preset.cells if cell.status == "done"):
            try:
                found = _found(comparison, files.member(Path(cell.folder), cell.member))
            except RunFileError:
                # the cell's own row in the report says why
                continue
            if isinstance(comparison, Each):
                if not found:
                    continue
                holds.append(all(within(comparison, value) for value in found.values()))
            known = [value for value in found.values() if not math.isnan(value)]
            values += known
            draws += [(cell.seed, cell.data_seed)] * len(known)
    verdict = None
    if isinstance(comparison, Each):
        verdict = judge(comparison.share, sum(holds), len(holds)) if holds else not_tested("no run is of that kind")
    return ArmResult(name=name, values=values, draws=draws, verdict=verdict)
