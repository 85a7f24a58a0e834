"""Strides, padding, pooling and batch normalisation: what plain PyTorch modules do, and no trace of being measured."""

from __future__ import annotations

import itertools

import msgspec
import pytest
import torch
from safetensors.torch import save_file
from tolerances import rtol
from torch import nn

from condense_core.engine import checkpoint
from condense_core.engine.data.datasets import load
from condense_core.engine.network.network import Network
from condense_core.engine.probes import Measurement, probes_for
from condense_core.engine.steppers import TrainingEnsemble, make_ensemble
from condense_core.measures.dynamics import predicted_kernels
from condense_core.scenario.experiment import GD, Adam, Conv, Dense, Digits, Ensemble, Experiment, NormalInit
from condense_core.scenario.record import USUAL_PROBES, Record

# Two ways to the same float64 numbers, over ten steps.
SAME = 1e-12

GRID = [
    Conv(width=3, stride=stride, padding=padding, pool=pool, batch_norm=batch_norm, activation=activation)
    for (stride, padding), (pool, activation), batch_norm in itertools.product(
        [(1, 0), (2, 1)], [(None, "tanh"), ("max", "tanh"), ("average", "relu")], [False, True]
    )
]


def named(layer: Conv) -> str:
    return f"stride {layer.stride}, pool {layer.pool}, batch norm {layer.batch_norm}"


def scenario(*layers, **changes) -> Experiment:
    settings = {
        "name": "convolutions",
        "steps": 50,
        "data": Digits(samples=12, test_samples=5),
        "layers": layers,
        "init": NormalInit(std=0.3, bias="same"),
        "optimizer": GD(lr=0.02),
        "dtype": "float64",
    }
    return Experiment(**(settings | changes))


def ensemble(experiment: Experiment) -> TrainingEnsemble:
    return make_ensemble(experiment, [load(experiment.data)] * len(experiment.members), torch.device("cpu"))


def reference(experiment: Experiment) -> nn.Sequential:
    """The scenario's network of PyTorch's own modules, with its start."""
    data = load(experiment.data)
    own = Network(experiment, data.input_shape, data.outputs)
    found: list[nn.Module] = []
    channels = data.input_shape[0]
    for layer in experiment.layers:
        if isinstance(layer, Conv):
            bias = not layer.batch_norm
            found.append(nn.Conv2d(channels, layer.width, layer.size, layer.stride, layer.padding, bias=bias))
            found += [nn.BatchNorm2d(layer.width)] if layer.batch_norm else []
            channels = layer.width
        else:
            found += [nn.Flatten(), nn.LazyLinear(layer.width)]
        found.append({"tanh": nn.Tanh, "relu": nn.ReLU}[layer.activation]())
        if isinstance(layer, Conv) and layer.pool:
            found.append({"max": nn.MaxPool2d, "average": nn.AvgPool2d}[layer.pool](layer.pool_size))
    network = nn.Sequential(*found, nn.Flatten(), nn.LazyLinear(data.outputs)).double()
    with torch.no_grad():
        network.eval()(data.input.double())
        network.train()
        for parameter, start in zip(network.parameters(), own.parameters(), strict=True):
            parameter.copy_(start)
    return network


def assert_trains_as_pytorch_does(experiment: Experiment) -> None:
    data, training, expected = load(experiment.data), ensemble(experiment), reference(experiment)
    optimizer = torch.optim.SGD(expected.parameters(), lr=0.02, momentum=experiment.optimizer.momentum)
    for step in range(10):
        optimizer.zero_grad()
        loss = (expected(data.input.double()) - data.target.double()).square().sum() / (2 * len(data))
        (seen,) = training.observe()
        assert seen.loss == pytest.approx(loss.item(), rel=SAME)
        loss.backward()
        optimizer.step()
        training.advance()
        if step in {0, 9}:
            found = training.state_dict()
            values = [value for name, value in expected.state_dict().items() if "num_batches" not in name]
            own = [value for name, value in found.items() if name.startswith("network.")]
            for one, other in zip(own, values, strict=True):
                assert float((one - other).norm()) <= SAME * float(other.norm())
    (seen,) = training.observe()
    test = data.test
    with torch.no_grad():
        error = expected.eval()(test.input.double()) - test.target.double()
    assert seen.test_loss == pytest.approx(float(error.square().sum() / (2 * len(test))), rel=SAME)


@pytest.mark.parametrize("layer", GRID, ids=named)
def test_a_deep_network_trains_as_pytorchs_modules_do(layer):
    second = Conv(width=2, padding=1, batch_norm=layer.batch_norm)
    assert_trains_as_pytorch_does(scenario(layer, second, Dense(width=4), optimizer=GD(lr=0.02, momentum=0.9)))


@pytest.mark.parametrize("layer", GRID, ids=named)
def test_one_convolution_trains_as_pytorchs_modules_do(layer):
    experiment = scenario(layer)
    closed = not (layer.pool or layer.batch_norm)
    assert ("closed form" in ensemble(experiment).name) is closed
    assert_trains_as_pytorch_does(experiment)


@pytest.mark.parametrize(
    ("layer", "wrong"),
    [
        (Conv(width=3, stride=2, padding=1), {"padding": 2}),
        (Conv(width=3, padding=2), {"padding": 1}),
        (Conv(width=3, pool="average", pool_size=3), {"pool_size": 2}),
        (Conv(width=3, size=4, stride=2, padding=3, pool="average"), {"stride": 1}),
        (Conv(width=3, bias=False, stride=3), {"stride": 2}),
    ],
)
def test_the_linear_dynamics_hold_with_strides_padding_and_average_pooling(layer, wrong):
    small = {"init": NormalInit(std=1e-5, bias="same"), "output_bias": False, "optimizer": GD(lr_lambda1=0.02)}
    experiment = scenario(layer, data=Digits(samples=40), **small)
    training = ensemble(experiment)
    (start,) = training.observe()
    dynamics, before, v1 = start.linear_dynamics(), start.kernels("conv1"), start.prediction("conv1").spectrum.v1
    training.advance(180)
    (end,) = training.observe()
    expected, found = predicted_kernels(dynamics, 180), end.kernels("conv1")
    assert float((found - expected).norm() / expected.norm()) < rtol("linear dynamics")
    assert float(found.norm() / before.norm()) > 3
    # the matrix of another layer's patches says another direction
    (other,) = ensemble(scenario(msgspec.structs.replace(layer, **wrong), data=Digits(samples=40), **small)).observe()
    overlap = float((other.prediction("conv1").spectrum.v1 @ v1).abs())
    assert overlap < 1 - 1e-4


FULL = Conv(width=3, padding=1, stride=2, batch_norm=True, pool="max")


def measured(of: TrainingEnsemble, experiment: Experiment) -> Measurement:
    found = Measurement(of.step)
    for probe in probes_for(experiment, of.observe()[0]).values():
        probe.measure(of.observe()[0], found)
    return found


def same_bits(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("optimizer", [GD(lr=0.1), Adam(lr=0.01, batch=5)], ids=["whole sample", "batches"])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_measuring_moves_no_bit_and_a_checkpoint_goes_on_with_none_lost(optimizer, dropout, tmp_path):
    record = Record(probes=(*USUAL_PROBES, "neuron-outputs"))
    layers = (msgspec.structs.replace(FULL, dropout=dropout), Conv(width=2, padding=1, batch_norm=True, size=2))
    experiment = scenario(*layers, optimizer=optimizer, record=record, dtype="float32")
    watched, blind, resumed = (ensemble(experiment) for _ in range(3))
    for step in range(6):
        found = measured(watched, experiment)
        if step == 3:
            # right after it was measured, when the coming step's work may have been done already
            checkpoint.save(watched.state_dict(), tmp_path)
        watched.advance()
        blind.advance()
    assert {"conv1-outputs.lines", "conv1.lines", "test_loss"} <= dict(found.scalars).keys()
    assert same_bits(watched.state_dict(), blind.state_dict())
    resumed.load_state_dict(checkpoint.load(tmp_path))
    resumed.advance(3)
    assert same_bits(watched.state_dict(), resumed.state_dict())
    assert not torch.equal(resumed.state_dict()["network.bn1.running_mean"], torch.zeros(3))


@pytest.mark.parametrize("batch", [None, 12])
def test_the_sample_is_measured_by_its_own_statistics_and_others_by_the_running_ones(batch):
    experiment = scenario(FULL, optimizer=GD(lr=0.1, batch=batch))
    training = ensemble(experiment)
    training.advance(3)
    (seen,) = training.observe()
    network = seen._network
    with torch.no_grad():
        running = network.eval()(seen.input)
        own = network.train()(seen.input)
    assert float((seen.output_ND - own).norm()) <= SAME * float(own.norm())
    assert torch.equal(seen.outputs(seen.input), running)
    assert float((running - own).norm()) > 0.1 * float(own.norm())
    before = training.state_dict()["network.conv1.weight"].clone()
    expected = -seen.lr * seen.gradient["conv1.weight"]
    training.advance()
    moved = training.state_dict()["network.conv1.weight"] - before
    assert float((moved - expected).norm()) < 1e-9 * float(expected.norm())


def test_a_large_sample_passes_in_parts_of_one_size(monkeypatch):
    from condense_core.engine.network import observation

    monkeypatch.setattr(observation, "CHUNK", 5)
    (seen,) = ensemble(scenario(FULL, optimizer=GD(lr=0.1, batch=4))).observe()
    (plain,) = ensemble(scenario(Conv(width=3), optimizer=GD(lr=0.1, batch=4))).observe()
    assert [part.indices(12)[:2] for part in seen._parts()] == [(0, 4), (4, 8), (8, 12)]
    assert [part.indices(12)[:2] for part in plain._parts()] == [(0, 5), (5, 10), (10, 12)]


def test_kernels_before_batch_norm_have_no_bias_and_keep_their_start():
    plain, normal = (ensemble(scenario(Conv(width=3, batch_norm=norm), Dense(width=4))) for norm in (False, True))
    (one,), (other,) = plain.observe(), normal.observe()
    assert other.kernels("conv1").shape == (3, 9)
    assert torch.equal(one.kernels("conv1")[:, :9], other.kernels("conv1"))
    assert torch.equal(one.parameters()["output.weight"], other.parameters()["output.weight"])


def test_what_small_kernels_give_is_as_large_as_what_large_ones_give():
    given = []
    for scale in (0.03, 3.0):
        experiment = scenario(Conv(width=3, batch_norm=True), init=NormalInit(std=scale))
        (seen,) = ensemble(experiment).observe()
        given.append(seen.layer_samples(range(12))["conv1"].output)
    small, large = given
    assert float((small - large).norm() / large.norm()) < 0.01


def test_kernels_so_small_that_the_variance_is_below_its_epsilon_stay_small_in_effect():
    given = []
    for norm in (False, True):
        experiment = scenario(Conv(width=3, batch_norm=norm, activation="identity"), init=NormalInit(std=1e-6))
        (seen,) = ensemble(experiment).observe()
        output = seen.layer_samples(range(12))["conv1"].output
        given.append(output - output.mean(dim=(0, 2, 3), keepdim=True))
    plain, normal = given
    assert float(normal.norm() / plain.norm()) == pytest.approx(1e-5**-0.5, rel=1e-3)


def test_members_of_an_ensemble_have_statistics_of_their_own():
    experiment = scenario(FULL, ensemble=Ensemble(members=2))
    together, second = ensemble(experiment), ensemble(experiment.member(1))
    together.advance(4)
    second.advance(4)
    state = together.state_dict()
    assert torch.equal(state["member.1.network.bn1.running_var"], second.state_dict()["network.bn1.running_var"])
    assert not torch.equal(state["member.1.network.bn1.running_var"], state["network.bn1.running_var"])


def test_weights_and_statistics_of_pytorchs_modules_are_a_start(tmp_path):
    experiment = scenario(FULL, Dense(width=4))
    trained = reference(experiment)
    with torch.no_grad():
        trained(load(experiment.data).input.double())
    names = dict(zip("0158", ("conv1", "bn1", "dense1", "output"), strict=True))
    given = {f"{names[name[0]]}{name[1:]}": value for name, value in trained.state_dict().items() if names.get(name[0])}
    assert "bn1.num_batches_tracked" in given
    save_file(given, tmp_path / "given.safetensors")
    (seen,) = ensemble(msgspec.structs.replace(experiment, initial=str(tmp_path / "given.safetensors"))).observe()
    data = load(experiment.data).input.double()
    with torch.no_grad():
        expected = trained.eval()(data)
    assert float((seen.outputs(data) - expected).norm()) <= SAME * float(expected.norm())
