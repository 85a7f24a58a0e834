"""How a run's claim stands: each requirement's value against what is wanted, at the end or at a step before it.

The one place that judges a run: screens, lists, tables, pages and JSON show what is found here. Read from the run file
alone, so that a viewer without PyTorch can; and without NumPy, which a list of thousands of runs does without.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from condense_core.measure_table import MEASURES
from condense_core.rows_of_layers import only_kernels
from condense_core.runfile.info import RunInfo
from condense_core.runs.claim_state import ClaimState, Finding, Standing
from condense_core.runs.over_seeds import over_seeds
from condense_core.scenario.claims import Claim, Quantity, Requirement
from condense_core.scenario.verdict import needed
from condense_core.text import printable

if TYPE_CHECKING:
    from condense_core.runfile.curves import Points
    from condense_core.runfile.damage import Damage
    from condense_core.runfile.frames import Spectrum
    from condense_core.runfile.reader import RunReader


class JudgedRun(Protocol):
    """What is asked of a run to judge it: a RunReader's answers, or those of `at_end.AtEnd` where nothing else is."""

    @property
    def damage(self) -> Damage: ...
    @property
    def members(self) -> int: ...
    @property
    def member_number(self) -> int | None: ...
    @property
    def claim(self) -> Claim | None: ...
    @property
    def layers(self) -> Sequence[str]: ...
    @property
    def newest_step(self) -> int | None: ...
    def info(self) -> RunInfo: ...
    def member(self, number: int) -> JudgedRun: ...
    def last(self, name: str, at: int | None = None) -> float: ...
    def of_draws(self, name: str, at: int | None = None) -> list[float]: ...
    def curve(self, name: str) -> Points: ...
    def spectrum(self, layer: str, step: int | None = None) -> Spectrum | None: ...


def standing(run: JudgedRun, info: RunInfo | None = None, at: int | None = None) -> Standing | None:
    """How the claim stands, of an ensemble over all its members; None where the scenario makes none.

    `at` is a recorded step at which to look back: nothing that came after it is used. Where the reader has left out
    what is damaged, nothing is decided.
    """
    claim = run.claim
    if claim is None:
        return None
    info = info or run.info()
    newest = run.newest_step
    ended = at is None or newest is None or at >= newest
    step = newest if ended else at
    asked: list[tuple[Requirement, str, list[float]]] = []
    settled: list[bool] = []
    for requirement in claim.requires:
        upto, named = _step_of(requirement, None if ended else at), _named(requirement)
        # what is measured at a step that has passed will not change any more
        passed = named is not None and step is not None and step >= named
        for layer, values in _values(requirement, run, upto).items():
            asked.append((requirement, layer, values))
            settled.append(passed or _only_grows(requirement))
    lost = _diverged(run, info, step, ended)
    misses = [False] * len(lost)
    findings = []
    for (requirement, layer, values), final in zip(asked, settled, strict=True):
        missed = [not within(requirement, value) for value in values]
        findings.append(_finding(requirement, layer, values, sum(missed)))
        if any(missed):
            misses = list(map(operator.or_, misses, missed))
            if final:
                lost = [
                    already or (outside and not math.isnan(value))
                    for already, outside, value in zip(lost, missed, values, strict=True)
                ]
    holds_in = sum(not (missed or out) for missed, out in zip(misses, lost, strict=True))
    wanted_in = needed(claim.share, run.members)
    state, why = _state(
        info,
        ended,
        enough=holds_in >= wanted_in,
        possible=run.members - sum(lost) >= wanted_in,
        measured=any(found.values.known for found in findings),
    )
    found = Standing(
        text=printable(claim.text),
        state=state,
        step=step,
        holds_in=holds_in,
        of=run.members,
        wanted_in=wanted_in,
        findings=tuple(findings),
        cut=claim.cut,
        why=why,
    )
    return found.of_damaged if run.damage.named else found


def read_standing(place: Path, info: RunInfo | None = None) -> Standing | None:
    """How the claim of the run in a folder, or in a file by itself, stands now; RunFileError if it cannot be read."""
    from condense_core.runfile.reader import RunReader

    with RunReader(place) as run:
        return standing(run, info)


def _state(info: RunInfo, ended: bool, *, enough: bool, possible: bool, measured: bool) -> tuple[ClaimState, str]:
    if ended and info.status == "done":
        return ("holds" if enough else "does not hold"), ""
    if not possible:
        diverged = info.status == "diverged" and ended
        return "does not hold", f"diverged at step {info.step:,}" if diverged else "cannot hold any more"
    if not measured:
        so_far = "nothing measured yet" if info.active else "nothing was measured"
        return "not decided", so_far if info.active else f"{info.status} at step {info.step:,}, {so_far}"
    if ended and not info.active:
        return "not decided", f"{info.status} at step {info.step:,} of {info.steps or 0:,}"
    return ("met so far" if enough else "not met so far"), ""


def _diverged(run: JudgedRun, info: RunInfo, step: int | None, ended: bool) -> list[bool]:
    """Of each draw whether its loss is not finite any more: those speak against the claim."""
    if run.members == 1 and run.member_number is None:
        return [ended and info.status == "diverged"]
    return [value == 1 for value in run.of_draws("diverged", None if ended else step)]


def scalars_of(claim: Claim, layers: Sequence[str]) -> list[str]:
    """Names of the scalars that the claim is judged by, in a run with those layers."""
    names = []
    for requirement in claim.requires:
        measure = requirement.measure
        if MEASURES[measure].of == "network":
            names.append(measure)
        elif measure not in _NOT_SCALARS:
            names += [f"{layer}.{measure}" for layer in _meant(requirement, layers)]
    return names


def _finding(requirement: Requirement, layer: str, values: list[float], missed_in: int) -> Finding:
    return Finding(
        layer=printable(layer),
        measure=requirement.measure,
        at=requirement.at,
        wanted=wanted(requirement),
        values=over_seeds(requirement.measure, values),
        missed_in=missed_in,
    )


def failures(claim: Claim, run: RunReader) -> list[str]:
    """What was measured outside of what the claim requires, one line each; empty where the claim holds."""
    against = []
    for requirement in claim.requires:
        found = measured(requirement, run)
        if not found:
            against.append(f"{requirement.measure}: not measured")
        at = "" if requirement.at is None else f" at step {requirement.at}"
        against += [
            f"{name}{at} is {value:.6g}, expected {wanted(requirement)}"
            for name, value in found.items()
            if not within(requirement, value)
        ]
    return against


def measured(quantity: Quantity, run: RunReader) -> dict[str, float]:
    """What the run, of a single seed, shows of that quantity, by `LAYER.measure`; empty where it was not measured."""
    measure, at = quantity.measure, _step_of(quantity, None)
    if MEASURES[measure].of == "network":
        return {measure: run.last(measure, at)}
    names = _meant(quantity, run.layers)
    return {f"{layer}.{measure}": _of_layer(measure, run, layer, at) for layer in names}


def value_of(measure: str, run: RunReader, layer: str = "") -> float:
    """What a run, of a single seed, shows of a measure at its end, of the data's own ones at step 0, and of eigenvalues
    the first; NaN where it was not measured. `layer` is whose it is, unless it is the network's."""
    at = 0 if MEASURES[measure].of_the_data else None
    if MEASURES[measure].of == "network":
        return run.last(measure, at)
    return _of_layer("eigenvalue.1" if measure == "eigenvalue" else measure, run, layer, at)


def _meant(quantity: Quantity, layers: Sequence[str]) -> list[str]:
    """The layers that a quantity is of; without a name the kernels of all."""
    if quantity.layer is None:
        return list(only_kernels(layers))
    return [layer for layer in layers if layer == quantity.layer]


def _values(quantity: Quantity, run: JudgedRun, at: int | None) -> dict[str, list[float]]:
    """Each draw's value by layer, NaN if it was not measured."""
    measure = quantity.measure
    if MEASURES[measure].of == "network":
        return {"": run.of_draws(measure, at)}
    names = _meant(quantity, run.layers)
    if not names:
        return {quantity.layer or "": [math.nan] * run.members}
    if measure not in _NOT_SCALARS:
        return {name: run.of_draws(f"{name}.{measure}", at) for name in names}
    draws = [run.member(number) for number in range(run.members)]
    return {name: [_of_layer(measure, draw, name, at) for draw in draws] for name in names}


def _of_layer(measure: str, run: JudgedRun, layer: str, at: int | None) -> float:
    special = _NOT_SCALARS.get(measure)
    return run.last(f"{layer}.{measure}", at) if special is None else special(run, layer, at)


def _named(quantity: Quantity) -> int | None:
    """The step at which it is measured whatever the run's last one is; None for the last."""
    if quantity.at is None and MEASURES[quantity.measure].of_the_data:
        return 0
    return quantity.at


def _step_of(quantity: Quantity, at: int | None) -> int | None:
    """The step up to which its value is looked for, where the run is looked at as it was at step `at`."""
    steps = [step for step in (_named(quantity), at) if step is not None]
    return min(steps, default=None)


def _gap_ratio(run: JudgedRun, layer: str, at: int | None) -> float:
    """λ2/λ1: 0 for a rank of one, near 1 where two directions compete; NaN where no spectrum was recorded."""
    spectrum = run.spectrum(layer, at)
    values = [] if spectrum is None else spectrum.values.numpy().tolist()
    return values[1] / values[0] if len(values) > 1 and values[0] > 0 else math.nan


def _ones_overlap_least(run: JudgedRun, layer: str, at: int | None) -> float:
    """|⟨v1, ones⟩| of the input channel where it is least; NaN where no spectrum of the data was recorded."""
    spectrum = run.spectrum(layer, at)
    values = [] if spectrum is None else spectrum.ones_overlap.numpy().tolist()
    return min(values, default=math.nan)


def _prediction_error(run: JudgedRun, layer: str, at: int | None) -> float:
    """The largest difference of the measured ratio from the one of the linear dynamics, over all recorded steps up to
    `at`; NaN where there is no such prediction, or the two were not recorded at the same steps."""
    steps, measured_ratio = run.curve(f"{layer}.ratio")
    predicted_steps, predicted = run.curve(f"{layer}.predicted_ratio")
    if not len(steps) or steps.tolist() != predicted_steps.tolist():
        return math.nan
    inside = steps <= (steps[-1] if at is None else at)
    return float(abs(measured_ratio - predicted)[inside].max()) if inside.any() else math.nan


# Measures of a layer that are no scalar of their own in a run file.
_NOT_SCALARS: dict[str, Callable[[JudgedRun, str, int | None], float]] = {
    "gap_ratio": _gap_ratio,
    "ones_overlap_least": _ones_overlap_least,
    "prediction_error": _prediction_error,
}


def _only_grows(requirement: Requirement) -> bool:
    """A largest value over all steps: once above what is allowed, it stays there."""
    return requirement.measure == "prediction_error" and requirement.at_least is None


def within(requirement: Requirement, value: float) -> bool:
    """Whether a measured value lies in the range that is required; NaN never does."""
    low = -math.inf if requirement.at_least is None else requirement.at_least
    high = math.inf if requirement.at_most is None else requirement.at_most
    return low <= value <= high


def wanted(requirement: Requirement) -> str:
    """The range that a requirement asks for, in words."""
    low, high = requirement.at_least, requirement.at_most
    if low is not None and high is not None:
        return f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return f"{low:g} or more" if low is not None else f"{high:g} or less"
