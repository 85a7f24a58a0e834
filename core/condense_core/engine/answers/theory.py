"""What the theory says of a scenario before any training: the spectrum of Z over data draws, and the predicted step.

# N samples, d outputs, M kernels, K entries a kernel, R = d·P rows of Z

Zhou et al. 2025, figs 7 and 14: T trials of N random images each. `python -m condense_core.engine.answers.theory` reads
an `AskTheory` and writes a `TheoryAnswer`.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Iterable, Sequence

import msgspec
import torch
from torch import Tensor

from condense_core.engine.answers.main import answer
from condense_core.engine.data import datasets
from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network import losses
from condense_core.engine.network.activations import activation, multiplicity
from condense_core.engine.network.linear_theory import (
    LOOK_AHEAD,
    usable_unit,
    value_and_derivative_at_zero,
    why_no_linear_dynamics,
    why_not_linear_in_kernels,
)
from condense_core.engine.network.network import Network
from condense_core.engine.network.observation import Observation, signal_of
from condense_core.errors import DataError, ScenarioError
from condense_core.jobs.messages import AskTheory, LabelKind, LabelTheory, Phase, Spread, TheoremTime, TheoryAnswer
from condense_core.measures.change import relative_change
from condense_core.measures.dynamics import (
    LEAST_GAMMA,
    LinearDynamics,
    effective_time,
    linear_dynamics,
    predicted_condensation,
    predicted_kernels,
    predicted_ratio,
    readout_of_kernels,
)
from condense_core.measures.signal import SignalSpectrum, ones_overlap, spectrum
from condense_core.scenario import toml
from condense_core.scenario.experiment import Block, Conv, Experiment, Formula, Sine, WidthPowerInit
from condense_core.scenario.phase import phase_of

# Singular values that are reported: what is read off is the first, the second, and how the rest falls.
LEADING = 8


def theory(experiment: Experiment, *, trials: int, samples: int, bias: bool) -> TheoryAnswer:
    """Spectrum of Z, its v1 against all-ones and the predicted step, over `trials` data draws of `samples` each.

    Z is taken at zero output, so e = ∂loss_i/∂f at f = 0. Trial t draws its data with `data.seed` + t and its weights
    with `seed` + t. `bias` adds the kernel's bias to Z as a last column; the papers have none. The predicted step is
    that of the scenario as it trains, so with the bias wherever its layer has one. Mean-square losses on images are
    shown with raw and with one-hot labels, and with the scenario's own where it is neither. ScenarioError where the
    first layer is dense and not the only one, behind a trunk, or not linear in its kernels; DataError where the set has
    fewer samples than asked for.
    """
    begun = time.monotonic()
    first = experiment.layers[0]
    if experiment.decodes:
        raise ScenarioError("theory: expected a two-layer network, got a decoder, of which the theory says nothing")
    if experiment.trunk is not None:
        raise ScenarioError(
            f"theory: {experiment.layer_names[0]} comes after a {experiment.trunk} trunk; the theory is for two-layer"
            " networks that see the images themselves"
        )
    if not isinstance(first, Conv) and len(experiment.layers) > 1:
        raise ScenarioError(
            f"theory: expected a convolution as the first layer, or a single dense layer, got {len(experiment.layers)}"
            " dense layers; the signal matrix is defined for two-layer networks"
        )
    if why := why_not_linear_in_kernels(experiment):
        raise ScenarioError(f"theory: {experiment.layer_names[0]} has {why}; nothing is predicted for it")
    data = msgspec.structs.replace(experiment.data, samples=samples)
    draw = datasets.open_draws(data)
    kinds = _label_kinds(experiment, draw(experiment.data.seed, "onehot"))
    trials_of: dict[LabelKind, list[_Trial]] = {kind: [] for kind in kinds}
    unpredicted = why_no_linear_dynamics(experiment)
    note = name = ""
    for trial in range(trials):
        for kind in kinds:
            dataset = draw(experiment.data.seed + trial, "raw" if kind == "values" else kind)
            note = note or dataset.note.rpartition(",")[0] or dataset.note
            name = dataset.name
            variant = msgspec.structs.replace(experiment, seed=experiment.seed + trial, claim=None)
            trials_of[kind].append(_trial(variant, dataset, bias=bias, predict=not unpredicted))
    return TheoryAnswer(
        data=f"{name}: {note} per trial",
        layer=experiment.layer_names[0],
        trials=trials,
        samples=samples,
        bias=bias,
        by_labels=[_summary(kind, found, unpredicted) for kind, found in trials_of.items()],
        phase=_phase(experiment),
        notes=_notes(experiment),
        seconds=time.monotonic() - begun,
    )


class _Trial(msgspec.Struct, frozen=True):
    shape: tuple[int, int]
    values: list[float]
    overlap: list[float]
    doubtful: bool
    lr: float | None
    predicted: int | None
    theorem: tuple[float, float, float] | None
    """Step, ratio and relative change of `TheoremTime`."""


def _trial(experiment: Experiment, dataset: Dataset, *, bias: bool, predict: bool) -> _Trial:
    first = experiment.layers[0]
    assert not isinstance(first, Block)
    residual_Nd = losses.residual(experiment.loss, torch.zeros_like(dataset.target), dataset.target)
    signal_RK = signal_of(first, residual_Nd, dataset, bias=bias)
    found = spectrum(signal_RK)
    overlap: list[float] = []
    if isinstance(first, Conv):
        overlap = ones_overlap(found.v1, dataset.input_shape[0], first.size).tolist()
    lr = predicted = theorem = None
    if predict:
        trained_RK = signal_RK if bias == first.bias else signal_of(first, residual_Nd, dataset)
        lr = _learning_rate(experiment, dataset, found if trained_RK is signal_RK else spectrum(trained_RK))
        dynamics = _dynamics(experiment, dataset, trained_RK, lr)
        predicted = predicted_condensation(dynamics, at_most=LOOK_AHEAD)
        theorem = _theorem(experiment, dynamics, lr)
    rows, entries = signal_RK.shape
    values = found.values[:LEADING].tolist()
    return _Trial((rows, entries), values, overlap, found.direction_is_doubtful, lr, predicted, theorem)


def _learning_rate(experiment: Experiment, dataset: Dataset, found: SignalSpectrum) -> float:
    name, value = experiment.optimizer.rate
    if name == "lr":
        return value
    if name == "lr_lambda1":
        return value / usable_unit(float(found.values[0]), name, "λ1 of the signal matrix")
    network = Network(experiment, dataset.input_shape, dataset.outputs)
    return Observation(experiment, network, dataset, 0).learning_rate()


def _dynamics(experiment: Experiment, dataset: Dataset, signal_RK: Tensor, lr: float) -> LinearDynamics:
    network = Network(experiment, dataset.input_shape, dataset.outputs)
    weight_MK = network.kernels(experiment.layer_names[0]).detach()
    readout_MR = readout_of_kernels(network.output.weight.detach(), len(weight_MK))
    _, slope = value_and_derivative_at_zero(experiment)
    return linear_dynamics(signal_RK, weight_MK, readout_MR, lr=lr, slope=slope)


def _theorem(experiment: Experiment, dynamics: LinearDynamics, lr: float) -> tuple[float, float, float] | None:
    init, width = experiment.init, experiment.layers[0].width
    lambda1 = float(dynamics.values[0])
    if not isinstance(init, WidthPowerInit) or init.gamma <= LEAST_GAMMA or width < 2 or not lambda1 > 0:
        return None
    step = effective_time(init.gamma, width, lambda1) / lr
    return (
        step,
        float(predicted_ratio(dynamics, torch.tensor([step]))),
        relative_change(predicted_kernels(dynamics, step), predicted_kernels(dynamics, 0)),
    )


def _phase(experiment: Experiment) -> Phase | None:
    point = phase_of(experiment)
    if point is None:
        return None
    return Phase(gamma=point.gamma, gamma_prime=point.gamma_prime, regime=point.regime)


def _notes(experiment: Experiment) -> list[str]:
    notes = []
    if len(experiment.layers) > 1:
        notes.append("deeper network: Z is that of its first layer, as if the output layer came right after it")
    if multiplicity(activation(experiment.layers[0].activation)) != 1:
        notes.append(
            f"{experiment.layers[0].activation} does not have multiplicity 1, so v1 does not predict its kernels"
        )
    return notes


def _label_kinds(experiment: Experiment, dataset: Dataset) -> tuple[LabelKind, ...]:
    if dataset.label is None or isinstance(experiment.data, Sine | Formula):
        return ("values",)
    if experiment.loss != "mse":
        return ("onehot",)
    return tuple(dict.fromkeys((experiment.data.labels, "raw", "onehot")))


def _summary(kind: LabelKind, trials: Sequence[_Trial], unpredicted: str) -> LabelTheory:
    count = min(len(trial.values) for trial in trials)
    values = [spread(trial.values[rank] for trial in trials) for rank in range(count)]
    pairs = [(trial.values[0], trial.values[1]) for trial in trials] if count > 1 else []
    steps = [trial.predicted for trial in trials if trial.predicted is not None]
    rates = [trial.lr for trial in trials if trial.lr is not None]
    if not unpredicted and not steps:
        unpredicted = f"not within {LOOK_AHEAD:,} steps in any trial"
    return LabelTheory(
        labels=kind,
        shape=trials[0].shape,
        values=values,
        eigenvalues=[spread(trial.values[rank] ** 2 for trial in trials) for rank in range(count)],
        ratio=spread(second / top if top else math.nan for top, second in pairs) if pairs else None,
        gap=spread(top - second for top, second in pairs) if pairs else None,
        ones_overlap=[spread(trial.overlap[channel] for trial in trials) for channel in range(len(trials[0].overlap))],
        doubtful=sum(trial.doubtful for trial in trials),
        lr=spread(rates) if rates else None,
        predicted=spread(steps) if steps else None,
        predicted_in=len(steps),
        unpredicted=unpredicted,
        theorem=_theorem_time([trial.theorem for trial in trials if trial.theorem is not None]),
    )


def _theorem_time(found: Sequence[tuple[float, float, float]]) -> TheoremTime | None:
    if not found:
        return None
    step, ratio, change = (spread(values) for values in zip(*found, strict=True))
    return TheoremTime(step=step, ratio=ratio, relative_change=change)


def spread(values: Iterable[float]) -> Spread:
    """Mean, standard deviation (n - 1) and range of the values of at least one trial."""
    numbers = [float(value) for value in values]
    return Spread(
        mean=statistics.fmean(numbers),
        std=statistics.stdev(numbers) if len(numbers) > 1 else None,
        least=min(numbers),
        most=max(numbers),
    )


def _work(asked: AskTheory) -> TheoryAnswer:
    experiment = toml.loads(asked.scenario)
    if asked.samples < 1 or asked.trials < 1:
        raise DataError(
            f"expected at least 1 trial and 1 sample, got {asked.trials} trials and {asked.samples} samples"
        )
    return theory(experiment, trials=asked.trials, samples=asked.samples, bias=asked.bias)


if __name__ == "__main__":
    sys.exit(answer(AskTheory, _work))
