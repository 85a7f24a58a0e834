"""What a run came to: the numbers of its last step, and whether its claim holds. Read from the run file alone."""

from __future__ import annotations

import math

import msgspec

from condense_core.runfile.info import RunInfo
from condense_core.runfile.layer_measures import LayerMeasures, read_layer
from condense_core.runfile.reader import RunReader
from condense_core.runs.claim_state import Standing
from condense_core.runs.layer_over_seeds import LayerOverSeeds, layer_of
from condense_core.runs.standing import failures, standing
from condense_core.scenario.about import PresetKind
from condense_core.scenario.deviations import Compared
from condense_core.scenario.draws import distinct, vary_together
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.verdict import Verdict, judge, not_tested
from condense_core.thresholds import FINE, Cut


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
    """The claim in words, whether it holds in this run (None while that is not decided), and what speaks against it.

    Of an ensemble it holds in `holds_in` of `decided` members, and as a whole where that is the share it names. Of a
    preset with a paper's record, `paper` is the verdict on the paper's claim at the paper's setting, and
    `demonstration` the one on the setting that was trained where that is another; of what is not asked, None.
    `standing` has each requirement's value.
    """

    text: str
    holds: bool | None
    against: list[str]
    holds_in: int
    decided: int
    paper: Verdict | None = None
    demonstration: Verdict | None = None
    standing: Standing | None = None


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

    @property
    def cut(self) -> Cut:
        """The cut at which the claim counts lines."""
        if self.claim is None or self.claim.standing is None:
            return FINE
        # files of version 0.1 have one cut
        known = any(layer.condensed_coarse is not None for layer in self.layers)
        return self.claim.standing.cut if known else FINE

    def layers_over_seeds(self) -> list[LayerOverSeeds]:
        """Each layer at that cut, over the seeds that did not diverge."""
        if not self.seeds:
            return [layer_of(layer.name, layer.kernels, [layer], self.cut) for layer in self.layers]
        sound = [seed for seed in self.seeds if seed.status != "diverged"]
        return [
            layer_of(
                layer.name,
                layer.kernels,
                [seed.layers[index] for seed in sound if index < len(seed.layers)],
                self.cut,
                diverged=len(self.seeds) - len(sound),
            )
            for index, layer in enumerate(self.layers)
        ]


def summarise(run: RunReader, compared: Compared | None = None) -> Summary:
    """The run as it stands now; NaN where nothing was measured yet.

    `compared` is the scenario beside the record that it names, which whoever has the records gives; with it the claim
    has its two verdicts.
    """
    with run.in_one_pass():
        return _summarise(run, compared)


def _summarise(run: RunReader, compared: Compared | None) -> Summary:
    info = run.info()
    _, loss = run.curve("loss")
    first = run.member(0)
    layers = _layers(first)
    seeds = [_seed(run.member(number), info) for number in range(run.members)] if run.members > 1 else []
    claim = _of_seeds(standing(run, info), seeds) if seeds else _claim(run, info)
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


def _seed(run: RunReader, info: RunInfo) -> SeedSummary:
    steps, loss = run.curve("loss")
    return SeedSummary(
        status="diverged" if run.last("diverged") == 1 else info.status,
        seed=run.experiment.seed,
        data_seed=run.experiment.data.seed,
        steps=int(steps[-1]) if len(steps) else 0,
        loss=LossSummary(first=_at(loss, 0), last=_at(loss, -1)),
        layers=_layers(run),
        claim=_claim(run, info),
    )


def _of_seeds(found: Standing | None, seeds: list[SeedSummary]) -> ClaimSummary | None:
    if found is None:
        return None
    verdicts = [seed.claim.holds for seed in seeds if seed.claim is not None and seed.claim.holds is not None]
    return ClaimSummary(
        text=found.text,
        holds=found.holds,
        against=[f"seed {_draw(seed)}: {text}" for seed in seeds if seed.claim for text in seed.claim.against],
        holds_in=sum(verdicts),
        decided=len(verdicts),
        standing=found,
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


def _claim(run: RunReader, info: RunInfo) -> ClaimSummary | None:
    """Of one draw."""
    claim, found = run.claim, standing(run, info)
    if claim is None or found is None:
        return None
    against = failures(claim, run) if found.holds is False else []
    if run.last("diverged") == 1 or info.status == "diverged":
        against.append("diverged")
    return ClaimSummary(
        text=found.text,
        holds=found.holds,
        against=against,
        holds_in=int(found.holds is True),
        decided=int(found.holds is not None),
        standing=found,
    )


def _at(values: object, index: int) -> float:
    import numpy as np

    array = np.asarray(values)
    return float(array[index]) if len(array) else math.nan
