"""What a run came to: the numbers of its last step, and whether its claim holds. Read from the run file alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from condense_core.measure_table import MEASURES
from condense_core.runfile.layer_measures import LayerMeasures, read_layer
from condense_core.runfile.reader import RunReader
from condense_core.scenario.about import PresetKind
from condense_core.scenario.claims import Claim, Quantity, Requirement
from condense_core.scenario.deviations import Compared
from condense_core.scenario.draws import distinct, vary_together
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.verdict import Verdict, enough, judge, not_tested
from condense_core.text import printable


class TheorySummary(msgspec.Struct, frozen=True, kw_only=True):
    """Spectrum of the signal matrix of the first layer at step 0."""

    layer: str
    singular_values: list[float]
    gap: float
    ones_overlap: list[float]


class LossSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Loss at the first and the last recorded step."""

    first: float
    last: float


class ClaimSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The claim in words, whether it holds in this run (None while the run is not done), and what speaks against it.

    Of an ensemble it holds in `holds_in` of `decided` members, and as a whole where that is the share it names. Of a
    preset with a paper's record, `paper` is the verdict on the paper's claim at the paper's setting, and
    `demonstration` the one on the setting that was trained where that is another; of what is not asked, None.
    """

    text: str
    holds: bool | None
    against: list[str]
    holds_in: int
    decided: int
    paper: Verdict | None = None
    demonstration: Verdict | None = None


class SeedSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One member of an ensemble, at its own last step; `status` is the run's, or diverged where the member has."""

    status: str
    seed: int
    data_seed: int
    steps: int
    loss: LossSummary
    layers: list[LayerMeasures]
    claim: ClaimSummary | None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A run in numbers; `steps` is the step reached, `seconds` the time trained.

    Of an ensemble `seeds` has each member, the loss is the mean over those that still trained, and `layers` and
    `theory` are the first member's.
    """

    run: str
    preset: str
    status: str
    reason: str
    steps: int
    seconds: float
    steps_per_second: float
    loss: LossSummary
    layers: list[LayerMeasures]
    theory: TheorySummary | None
    claim: ClaimSummary | None
    seeds: list[SeedSummary] = []


def summarise(run: RunReader, compared: Compared | None = None) -> Summary:
    """The run as it stands now; NaN where nothing was measured yet.

    `compared` is the scenario beside the record that it names, which whoever has the records gives; with it the claim
    has its two verdicts.
    """
    info = run.info()
    _, loss = run.curve("loss")
    first = run.member(0)
    layers = _layers(first)
    done = info.status == "done"
    seeds = [_seed(run.member(number), info.status) for number in range(run.members)] if run.members > 1 else []
    claim = _of_seeds(run.experiment.claim, seeds) if seeds else _claim(run, layers, done)
    if claim is not None and compared is not None:
        claim = _with_verdicts(claim, run.experiment, seeds, compared)
    return Summary(
        run=info.id,
        preset=info.preset,
        status=info.status,
        reason=info.reason,
        steps=info.step,
        seconds=info.seconds,
        steps_per_second=info.step / info.seconds if info.seconds > 0 else math.nan,
        loss=LossSummary(first=_at(loss, 0), last=_at(loss, -1)),
        layers=layers,
        theory=_theory(first),
        claim=claim,
        seeds=seeds,
    )


def to_json(summary: Summary) -> str:
    """One JSON object; a value that is not a number is null."""
    return msgspec.json.encode(summary).decode()


def _layers(run: RunReader) -> list[LayerMeasures]:
    found = (read_layer(run, name) for name in run.layers)
    return [layer for layer in found if layer.lines is not None]


def _seed(run: RunReader, status: str) -> SeedSummary:
    steps, loss = run.curve("loss")
    layers = _layers(run)
    diverged = run.last("diverged") == 1
    claim = _claim(run, layers, status == "done")
    if diverged and claim is not None:
        claim = msgspec.structs.replace(claim, holds=False, against=[*claim.against, "diverged"], holds_in=0, decided=1)
    return SeedSummary(
        status="diverged" if diverged else status,
        seed=run.experiment.seed,
        data_seed=run.experiment.data.seed,
        steps=int(steps[-1]) if len(steps) else 0,
        loss=LossSummary(first=_at(loss, 0), last=_at(loss, -1)),
        layers=layers,
        claim=claim,
    )


def _of_seeds(claim: Claim | None, seeds: list[SeedSummary]) -> ClaimSummary | None:
    if claim is None:
        return None
    verdicts = [seed.claim.holds for seed in seeds if seed.claim is not None and seed.claim.holds is not None]
    holds_in, decided = sum(verdicts), len(verdicts)
    return ClaimSummary(
        text=printable(claim.text),
        holds=enough(claim.share, holds_in, decided) if decided else None,
        against=[f"seed {_draw(seed)}: {text}" for seed in seeds if seed.claim for text in seed.claim.against],
        holds_in=holds_in,
        decided=decided,
    )


def _with_verdicts(
    summary: ClaimSummary, experiment: Experiment, seeds: list[SeedSummary], compared: Compared
) -> ClaimSummary:
    claim, about = experiment.claim, experiment.about
    if claim is None:
        return summary
    found = [(seed.seed, seed.data_seed, seed.claim.holds if seed.claim else None) for seed in seeds]
    found = found or [(experiment.seed, experiment.data.seed, summary.holds)]
    decided = [(seed, data_seed, holds) for seed, data_seed, holds in found if holds is not None]
    draws = [(seed, data_seed) for seed, data_seed, _ in decided]
    holds_in = [decided[place][2] for place in distinct(claim, experiment.data, draws)]
    paper, demonstration = two_verdicts(
        judge(claim.share, sum(map(bool, holds_in)), len(holds_in)),
        about.kind if about else "demonstration",
        compared,
        together=vary_together(claim, experiment.data, draws),
    )
    return msgspec.structs.replace(summary, paper=paper, demonstration=demonstration)


def two_verdicts(
    found: Verdict, kind: PresetKind, compared: Compared, *, together: bool
) -> tuple[Verdict | None, Verdict | None]:
    """The verdict on the paper's claim at its setting, and the one on another setting or draw that was trained instead.

    `together`: weights and data were varied together. A demonstration says nothing about the paper's claim.
    """
    if kind == "demonstration":
        return None, found
    if compared.deviations:
        return not_tested(f"other settings: {'; '.join(item.words for item in compared.deviations)}"), found
    if not together:
        return not_tested("weights and data were not drawn together"), found
    return found, None


def _draw(seed: SeedSummary) -> str:
    return f"{seed.seed} (data {seed.data_seed})"


def _theory(run: RunReader) -> TheorySummary | None:
    layer = run.layers[0] if run.layers else ""
    spectrum = run.spectrum(layer, 0) if layer else None
    if spectrum is None:
        return None
    return TheorySummary(
        layer=layer,
        singular_values=spectrum.values.numpy().tolist(),
        gap=spectrum.gap,
        ones_overlap=spectrum.ones_overlap.numpy().tolist(),
    )


def _claim(run: RunReader, layers: list[LayerMeasures], done: bool) -> ClaimSummary | None:
    claim = run.experiment.claim
    if claim is None:
        return None
    if not done:
        return ClaimSummary(text=printable(claim.text), holds=None, against=[], holds_in=0, decided=0)
    against = failures(claim, run, layers)
    return ClaimSummary(
        text=printable(claim.text), holds=not against, against=against, holds_in=int(not against), decided=1
    )


def failures(claim: Claim, run: RunReader, layers: list[LayerMeasures]) -> list[str]:
    """What was measured outside of what the claim requires, one line each; empty where the claim holds."""
    against = []
    for requirement in claim.requires:
        found = measured(requirement, run, layers)
        if not found:
            against.append(f"{requirement.measure}: not measured")
        at = "" if requirement.at is None else f" at step {requirement.at}"
        against += [
            f"{name}{at} is {value:.6g}, expected {wanted(requirement)}"
            for name, value in found.items()
            if not within(requirement, value)
        ]
    return against


def measured(quantity: Quantity, run: RunReader, of_run: list[LayerMeasures]) -> dict[str, float]:
    """What the run shows of that quantity, by `LAYER.measure`; empty where it was not measured."""
    layers = [layer.name for layer in of_run if quantity.layer in {None, layer.name}]
    measure, at = quantity.measure, quantity.at
    if MEASURES[measure].of == "network":
        return {measure: run.last(measure, at)}
    if MEASURES[measure].of_the_data and at is None:
        at = 0
    special = _NOT_SCALARS.get(measure)
    if special is not None:
        return {f"{layer}.{measure}": special(run, layer, at) for layer in layers}
    return {f"{layer}.{measure}": run.last(f"{layer}.{measure}", at) for layer in layers}


def _gap_ratio(run: RunReader, layer: str, at: int | None) -> float:
    """λ2/λ1: 0 for a rank of one, near 1 where two directions compete; NaN where no spectrum was recorded."""
    spectrum = run.spectrum(layer, at)
    values = [] if spectrum is None else spectrum.values.numpy().tolist()
    return values[1] / values[0] if len(values) > 1 and values[0] > 0 else math.nan


def _ones_overlap_least(run: RunReader, layer: str, at: int | None) -> float:
    """|⟨v1, ones⟩| of the input channel where it is least; NaN where no spectrum of the data was recorded."""
    spectrum = run.spectrum(layer, at)
    values = [] if spectrum is None else spectrum.ones_overlap.numpy().tolist()
    return min(values, default=math.nan)


def _prediction_error(run: RunReader, layer: str, at: int | None) -> float:
    """The largest difference of the measured ratio from the one of the linear dynamics, over all recorded steps up to
    `at`; NaN where there is no such prediction, or the two were not recorded at the same steps."""
    steps, measured_ratio = run.curve(f"{layer}.ratio")
    predicted_steps, predicted = run.curve(f"{layer}.predicted_ratio")
    if not len(steps) or steps.tolist() != predicted_steps.tolist():
        return math.nan
    inside = steps <= (steps[-1] if at is None else at)
    return float(abs(measured_ratio - predicted)[inside].max())


# Measures of a layer that are no scalar of their own in a run file.
_NOT_SCALARS: dict[str, Callable[[RunReader, str, int | None], float]] = {
    "gap_ratio": _gap_ratio,
    "ones_overlap_least": _ones_overlap_least,
    "prediction_error": _prediction_error,
}


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


def _at(values: object, index: int) -> float:
    import numpy as np

    array = np.asarray(values)
    return float(array[index]) if len(array) else math.nan
