"""Verdicts on figures that compare presets: the mean of a quantity over each arm's runs, and what the claim wants."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from condense_core.errors import RunFileError
from condense_core.measure_table import label_of
from condense_core.runfile.reader import open_member
from condense_core.runs.summary import measured, summarise
from condense_core.scenario.figures import ArmComparison, Equal, PaperFigure
from condense_tui.draw.numbers import measure, plural
from condense_tui.reproduce.report.results import ENOUGH, PresetResult, Verdict


class ArmResult(msgspec.Struct, frozen=True, kw_only=True):
    """One arm's values of a quantity, a run each."""

    name: str
    values: list[float]

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
        """`0.982 ± 0.004 (5 runs)`, the standard deviation over the runs."""
        count = len(self.values)
        if not count:
            return "not measured"
        spread = f" ± {measure(self.std, 2)}" if count > 1 else ""
        return f"{measure(self.mean)}{spread} ({plural(count, 'run')})"


class ComparisonResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one comparison wants, each arm's values, and what speaks against it."""

    name: str
    wanted: str
    arms: list[ArmResult]
    against: list[str]


class FigureResult(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a claim across presets; `not_run` says why where an arm has no runs."""

    name: str
    figure: str
    paper: str
    paper_shows: str
    claim: str
    finding: str
    verdict: Verdict
    comparisons: list[ComparisonResult]
    missing: list[str]
    """Runs that did not end well, and why."""
    not_run: str

    @property
    def enough(self) -> bool:
        """Nothing speaks against the claim, or it was not tried."""
        return self.verdict in ENOUGH


def figure_result(figure: PaperFigure, arms: Sequence[Sequence[PresetResult]]) -> FigureResult:
    """The figure's verdict from its arms' presets, whose finished runs are read for what is compared."""
    reasons = {preset.name: preset.not_run for arm in arms for preset in arm if not preset.cells}
    # means over fewer draws than were asked for are not what the claim is about
    reasons |= {preset.name: "stopped before it was complete" for arm in arms for preset in arm if preset.missing}
    counts = Counter(reasons.values())
    not_run = "; ".join(f"{plural(count, 'preset')} not run: {reason}" for reason, count in counts.items())
    comparisons = [] if not_run else [_compared(figure, comparison, arms) for comparison in figure.compare]
    return FigureResult(
        name=figure.name,
        figure=figure.figure,
        paper=figure.paper,
        paper_shows=figure.paper_shows,
        claim=figure.claim,
        finding=figure.finding,
        verdict="not run" if not_run else verdict_on(comparisons),
        comparisons=comparisons,
        missing=[
            f"{preset.name}, seed {cell.seed}, data seed {cell.data_seed}: {cell.reason or cell.status}"
            for arm in arms
            for preset in arm
            for cell in preset.cells
            if cell.status != "done"
        ],
        not_run=not_run,
    )


def verdict_on(comparisons: Sequence[ComparisonResult]) -> Verdict:
    """Holds where nothing speaks against any comparison; failed where an arm has no value to compare."""
    if any(not arm.values for comparison in comparisons for arm in comparison.arms):
        return "failed"
    return "does not hold here" if any(comparison.against for comparison in comparisons) else "holds"


def against(comparison: ArmComparison, arms: Sequence[ArmResult]) -> list[str]:
    """What of the arms' means is not as the comparison wants; empty where all is, or an arm has no value."""
    if any(not arm.values for arm in arms):
        return []
    if isinstance(comparison, Equal):
        means = [arm.mean for arm in arms]
        apart = max(means) - min(means)
        return [] if apart <= comparison.within else [f"the means are {measure(apart)} apart"]
    found = [_not_above(before, after, comparison.errors) for before, after in pairwise(arms)]
    found = [text for text in found if text]
    least, last = comparison.last_at_least, arms[-1]
    if least is not None and not last.mean >= least:
        found.append(f"{last.name}: {measure(last.mean)} is below {least:g}")
    return found


def _not_above(before: ArmResult, after: ArmResult, errors: float) -> str:
    """Why the one arm's mean does not count as above the other's; empty where it does."""
    above = f"{measure(after.mean)} {{}} {measure(before.mean)} of {before.name}"
    if not after.mean > before.mean:
        return f"{after.name}: {above.format('is not above')}"
    # runs are independent draws, so the squares of the means' errors add
    error = math.sqrt(sum(arm.std**2 / len(arm.values) for arm in (before, after)))
    if after.mean - before.mean < errors * error:
        sure = f"by less than {errors:g} standard errors of {measure(error, 2)}"
        return f"{after.name}: {above.format('is above')} {sure}"
    return ""


def wanted_of(comparison: ArmComparison, arms: Sequence[str]) -> str:
    """What the comparison wants of the means, in words."""
    if isinstance(comparison, Equal):
        return f"means at most {comparison.within:g} apart"
    least = comparison.last_at_least
    sure = f", by {comparison.errors:g} standard errors" if comparison.errors else ""
    return " < ".join(arms) + sure + ("" if least is None else f", and {least:g} or more in the last")


def _compared(
    figure: PaperFigure, comparison: ArmComparison, arms: Sequence[Sequence[PresetResult]]
) -> ComparisonResult:
    found = [
        ArmResult(name=arm.name, values=_values(comparison, presets))
        for arm, presets in zip(figure.arms, arms, strict=True)
    ]
    quantity = f"{comparison.layer}.{comparison.measure}" if comparison.layer else comparison.measure
    at = "" if comparison.at is None else f" at step {comparison.at:,}"
    return ComparisonResult(
        name=label_of(quantity) + at,
        wanted=wanted_of(comparison, [arm.name for arm in figure.arms]),
        arms=found,
        against=against(comparison, found),
    )


def _values(comparison: ArmComparison, presets: Sequence[PresetResult]) -> list[float]:
    """The quantity in every run that ended and has it."""
    values: list[float] = []
    for cell in (cell for preset in presets for cell in preset.cells if cell.status == "done"):
        try:
            with open_member(Path(cell.folder), cell.member) as run:
                values += measured(comparison, run, summarise(run).layers).values()
        except RunFileError:
            # the cell's own row in the report says why
            continue
    return [value for value in values if not math.isnan(value)]
