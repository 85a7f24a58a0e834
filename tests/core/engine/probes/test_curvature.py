"""Curvatures and the tangent kernel against the whole matrices, in float64."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
import torch
from tolerances import rtol

from condense_core.engine.data.datasets import load
from condense_core.engine.network import losses
from condense_core.engine.network.network import Network
from condense_core.engine.probes import probes_for
from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.members import MemberViews
from condense_core.engine.steppers import make_ensemble
from condense_core.engine.training import worker
from condense_core.measures.curvature import extremes, largest_magnitude
from condense_core.runfile.reader import RunReader
from condense_core.scenario.experiment import GD, Adam, Conv, Dense, Digits, Ensemble, Experiment, NormalInit, Sine
from condense_core.scenario.record import Record

SINE = Experiment(
    name="curved",
    steps=40,
    data=Sine(inputs=3, samples=20),
    layers=(Dense(width=9), Dense(width=5, activation="gelu")),
    init=NormalInit(std=0.5),
    optimizer=GD(lr=0.05),
    record=Record(probes=("hessian", "ntk")),
)
CASES = {
    "dense": SINE,
    "small weights": msgspec.structs.replace(SINE, init=NormalInit(std=1e-4)),
    "float64": msgspec.structs.replace(SINE, dtype="float64"),
    "tiny": msgspec.structs.replace(SINE, layers=(Dense(width=4),)),
    "cross-entropy": msgspec.structs.replace(
        SINE,
        data=Digits(samples=12, labels="onehot"),
        layers=(Conv(width=2, activation="tanh"), Dense(width=3)),
        loss="cross-entropy",
        optimizer=Adam(lr=0.01),
    ),
}


def measured(experiment: Experiment, steps: int = 7):
    """What the probes find after some steps, and the network and data that they looked at."""
    sample = load(experiment.data)
    training = make_ensemble(experiment, [sample] * len(experiment.members), torch.device("cpu"))
    probes = probes_for(experiment, MemberViews(training.observe(), training.members))
    for _ in range(steps):
        training.advance()
    dtype = getattr(torch, experiment.dtype)
    sample = sample.to(torch.device("cpu"), dtype)
    into = Measurement(training.step, training.members)
    views = MemberViews(training.observe(), training.members)
    for name in ("hessian", "ntk"):
        probes[name].measure(views, into)
    return dict(into.scalars), training, sample


def twin(experiment: Experiment, training, sample) -> tuple[Network, dict[str, torch.Tensor]]:
    network = Network(msgspec.structs.replace(experiment, dtype="float64"), sample.input_shape, sample.outputs)
    weights = {name: value.double() for name, value in training.observe()[0].parameters().items()}
    return network, weights


def flat_loss(experiment: Experiment, network: Network, weights, sample):
    shapes = {name: value.shape for name, value in weights.items()}

    def unflattened(flat: torch.Tensor) -> dict[str, torch.Tensor]:
        parts = torch.split(flat, [shape.numel() for shape in shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}

    def outputs(flat: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(network, unflattened(flat), (sample.input.double(),))

    def error(flat: torch.Tensor) -> torch.Tensor:
        return losses.loss(experiment.loss, outputs(flat), sample.target.double())

    return torch.cat([value.flatten() for value in weights.values()]), outputs, error


@pytest.mark.parametrize("case", CASES)
def test_curvatures_are_those_of_the_whole_hessian(case):
    experiment = CASES[case]
    found, training, sample = measured(experiment)
    flat, _, error = flat_loss(experiment, *twin(experiment, training, sample), sample)
    expected = torch.linalg.eigvalsh(torch.autograd.functional.hessian(error, flat)).numpy()
    largest = float(np.abs(expected).max())
    got = [found["sharpness"], *(found[f"hessian_{rank}"] for rank in range(2, 5))]
    assert got == pytest.approx(expected[::-1][:4].tolist(), abs=1e-6 * largest)
    assert found["lowest_curvature"] == pytest.approx(float(expected[0]), abs=1e-6 * largest)
    assert found.get("stability_limit") == (None if isinstance(experiment.optimizer, Adam) else pytest.approx(40))


@pytest.mark.parametrize("case", CASES)
def test_a_rate_in_units_of_the_curvature_is_that_of_the_whole_hessian(case):
    experiment = CASES[case]
    sample = load(experiment.data)
    start = make_ensemble(experiment, [sample], torch.device("cpu"))
    flat, _, error = flat_loss(experiment, *twin(experiment, start, sample), sample)
    largest = float(torch.linalg.eigvalsh(torch.autograd.functional.hessian(error, flat)).abs().max())

    def rate(**fields: float) -> float:
        optimizer = GD(lr_curvature=0.1, **fields)
        own = msgspec.structs.replace(experiment, optimizer=optimizer, ensemble=Ensemble(members=2))
        first, other = make_ensemble(own, [sample] * 2, torch.device("cpu")).observe()
        alone = msgspec.structs.replace(own.members[1], optimizer=optimizer)
        assert make_ensemble(alone, [sample], torch.device("cpu")).observe()[0].lr == other.lr
        return first.lr

    assert rate() == pytest.approx(0.1 / largest, rel=0.01)
    assert rate(lr_most=0.01 / largest) == 0.01 / largest
    assert rate(lr_most=1 / largest) == rate()


def test_the_largest_magnitude_is_found_at_either_end_and_in_ties():
    turn, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((90, 90)))
    for values in (np.linspace(-3, 1, 90), np.linspace(-1, 7, 90), [*[2.0] * 45, *[-2.0] * 45]):
        matrix = (turn * values) @ turn.T
        assert largest_magnitude(lambda v, m=matrix: m @ v, 90) == pytest.approx(np.abs(values).max(), rel=0.01)


@pytest.mark.parametrize("case", CASES)
def test_the_tangent_kernel_is_that_of_the_whole_jacobian(case):
    experiment = CASES[case]
    found, training, sample = measured(experiment)
    network, weights = twin(experiment, training, sample)
    flat, outputs, _ = flat_loss(experiment, network, weights, sample)

    def kernel(flat: torch.Tensor) -> torch.Tensor:
        jacobian = torch.autograd.functional.jacobian(outputs, flat).reshape(-1, flat.numel())
        return jacobian @ jacobian.T

    start = {
        name: value.double()
        for name, value in make_ensemble(experiment, [sample], torch.device("cpu")).observe()[0].parameters().items()
    }
    now, first = kernel(flat), kernel(torch.cat([value.flatten() for value in start.values()]))
    expected = torch.linalg.eigvalsh(now).flip(0)[:4].tolist()
    got = [found[f"ntk_{rank}"] for rank in range(1, 5)]
    assert got == pytest.approx(expected, abs=rtol("float64") * expected[0])
    assert found["ntk_drift"] == pytest.approx(float((now - first).norm() / first.norm()), rel=1e-9)


def test_the_hessian_of_many_samples_is_that_of_all_of_them():
    many = msgspec.structs.replace(SINE, data=Sine(inputs=3, samples=2_300))
    found, training, sample = measured(many, 2)
    flat, _, error = flat_loss(many, *twin(many, training, sample), sample)
    expected = torch.linalg.eigvalsh(torch.autograd.functional.hessian(error, flat))
    assert found["sharpness"] == pytest.approx(float(expected[-1]), rel=1e-6)


def test_a_tangent_kernel_of_many_samples_is_of_some_of_them_and_says_so(make_run):
    folder = make_run("data.samples=300", "steps=4", 'record.probes=["ntk"]')
    assert worker.train(folder) == 0
    with RunReader(folder) as run:
        assert any("256 of 300 samples" in event.text for event in run.events)


def test_looking_at_curvatures_changes_no_bit_and_draws_no_random_number():
    plain, looked = (make_ensemble(SINE, [load(SINE.data)], torch.device("cpu")) for _ in range(2))
    probes = probes_for(SINE, MemberViews(looked.observe(), looked.members))
    before = torch.get_rng_state()
    for _ in range(6):
        plain.advance()
        for probe in probes.values():
            probe.measure(MemberViews(looked.observe(), looked.members), Measurement(looked.step))
        looked.advance()
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(value, looked.state_dict()[name]) for name, value in plain.state_dict().items())


def test_members_have_curvatures_of_their_own():
    both = msgspec.structs.replace(SINE, ensemble=Ensemble(members=2))
    found, _, _ = measured(both)
    alone = [measured(member)[0] for member in both.members]
    mean = sum(each["sharpness"] for each in alone) / 2
    assert found["sharpness"] == pytest.approx(mean, rel=1e-6)
    assert alone[0]["sharpness"] != alone[1]["sharpness"]


def test_extremes_of_a_matrix_that_is_known():
    values = np.array([3.0, 2.0, 1.0] + [0.5] * 60 + [-4.0])
    ends = extremes(lambda vector: values * vector, len(values), 3)
    assert ends.largest.tolist() == pytest.approx([3.0, 2.0, 1.0])
    assert ends.smallest == pytest.approx(-4.0)


def test_what_is_not_found_is_no_number():
    ends = extremes(lambda vector: np.full_like(vector, math.nan), 100, 2)
    assert np.isnan(ends.largest).all()
    assert math.isnan(ends.smallest)
