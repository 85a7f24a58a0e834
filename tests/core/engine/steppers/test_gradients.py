"""Every way to find gradients gives what autograd gives, member by member; and each goes on with the same bits."""

from __future__ import annotations

import math

import msgspec
import pytest
import torch
from tolerances import rtol

from condense_core.engine.data.datasets import load
from condense_core.engine.network.activations import activation
from condense_core.engine.network.derivatives import elementwise
from condense_core.engine.steppers import TrainingEnsemble, gradient_method, graphs, make_ensemble
from condense_core.engine.steppers.gradients import cnn
from condense_core.engine.steppers.gradients.autograd import AutogradGradients
from condense_core.engine.steppers.gradients.cnn import CnnGradients
from condense_core.engine.steppers.gradients.method import GradientMethod
from condense_core.engine.steppers.gradients.mlp import MlpGradients
from condense_core.engine.steppers.gradients.vmap import VmapGradients
from condense_core.scenario.experiment import (
    ACTIVATIONS,
    GD,
    Adam,
    Conv,
    Dense,
    Digits,
    Ensemble,
    Experiment,
    NormalInit,
    Sine,
)

CPU = torch.device("cpu")
EVERY = (*ACTIVATIONS, "centred-sigmoid", "centred-softplus")


def scenario(**changes) -> Experiment:
    base = Experiment(
        name="members",
        steps=50,
        data=Sine(samples=20, inputs=3, low=-1.0, high=1.0),
        layers=(Dense(width=7),),
        init=NormalInit(std=0.1, bias="same"),
        optimizer=GD(lr=0.05),
        dtype="float64",
        ensemble=Ensemble(members=3),
    )
    return msgspec.structs.replace(base, **changes)


def make(method: type[GradientMethod], experiment: Experiment) -> TrainingEnsemble:
    loaded = {member.data: load(member.data) for member in experiment.members}
    return TrainingEnsemble(experiment, [loaded[member.data] for member in experiment.members], CPU, method)


def assert_equals_each_seed_alone(method: type[GradientMethod], experiment: Experiment, steps=12, reason="member"):
    together = make(method, experiment)
    for _ in range(steps):
        together.advance()
    for observation, alone in zip(together.observe(), experiment.members, strict=True):
        single = make(AutogradGradients, alone)
        for _ in range(steps):
            single.advance()
        (expected,) = single.observe()
        assert observation.loss == pytest.approx(expected.loss, rel=rtol(reason))
        pairs = ((observation.parameters(), expected.parameters()), (observation.gradient, expected.gradient))
        for found, wanted in pairs:
            assert found.keys() == wanted.keys()
            for name, value in wanted.items():
                # relative to the whole tensor: an entry of a gradient may be nearly 0 by cancellation
                assert float((found[name] - value).norm()) <= rtol(reason) * float(value.norm()), name


OPTIMISERS = {
    "gd": GD(lr=0.05),
    "adam": Adam(lr=0.01),
    "batches": Adam(lr=0.01, batch=6),
    "schedule": GD(lr=0.05, later_lr=((4, 0.01),)),
}


@pytest.mark.parametrize("name", EVERY)
def test_activations_in_closed_form_are_those_of_autograd(name):
    z = torch.linspace(-6, 6, 601, dtype=torch.float64, requires_grad=True)
    value = activation(name)(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    found, saved = elementwise(name).forward(z.detach().clone())
    torch.testing.assert_close(found, value.detach(), rtol=rtol("float64"), atol=0)
    torch.testing.assert_close(
        elementwise(name).backward(torch.ones_like(found), saved), slope, rtol=rtol("float64"), atol=0
    )


@pytest.mark.parametrize("optimizer", OPTIMISERS)
@pytest.mark.parametrize("method", [MlpGradients, VmapGradients])
@pytest.mark.parametrize("vary", ["init", "data", "both"])
def test_two_layers(method, optimizer, vary):
    experiment = scenario(optimizer=OPTIMISERS[optimizer], ensemble=Ensemble(members=3, vary=vary))
    assert_equals_each_seed_alone(method, experiment)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("residual", [False, True])
def test_deep_networks_with_and_without_skip_connections(name, residual):
    layers = (Dense(width=7, activation=name), Dense(width=7, activation="tanh", bias=False), Dense(width=7))
    assert_equals_each_seed_alone(MlpGradients, scenario(layers=layers, residual=residual, output_bias=not residual))


@pytest.mark.parametrize("loss", ["mse", "softmax-mse", "cross-entropy"])
def test_dense_layers_on_images_with_every_loss(loss):
    images = Digits(samples=30, labels="onehot")
    assert_equals_each_seed_alone(MlpGradients, scenario(data=images, loss=loss, optimizer=Adam(lr=1e-3)))


@pytest.mark.parametrize("name", ["tanh", "relu", "xtanh", "sigmoid"])
@pytest.mark.parametrize("loss", ["mse", "softmax-mse", "cross-entropy"])
@pytest.mark.parametrize(
    ("optimizer", "vary"),
    [(GD(lr_lambda1=0.05), "data"), (Adam(lr_lambda1=0.01), "both"), (Adam(lr=1e-3, batch=8), "init")],
)
def test_one_convolution(name, loss, optimizer, vary):
    experiment = scenario(
        data=Digits(samples=30, labels="onehot"),
        loss=loss,
        layers=(Conv(width=5, activation=name, bias=name != "relu"),),
        optimizer=optimizer,
        ensemble=Ensemble(members=2, vary=vary),
    )
    assert_equals_each_seed_alone(CnnGradients, experiment, steps=6)


def test_one_convolution_in_several_chunks_and_without_kept_patches(monkeypatch):
    images = scenario(data=Digits(samples=30), layers=(Conv(width=5),))
    monkeypatch.setattr(cnn, "CHUNK_BYTES", 5 * 36 * 8 * 7)
    assert_equals_each_seed_alone(CnnGradients, images, steps=4)
    monkeypatch.setattr(cnn, "KEPT_BYTES", 0)
    assert_equals_each_seed_alone(CnnGradients, images, steps=4)


def test_deep_convolutions_stacked():
    layers = (Conv(width=5), Conv(width=4), Dense(width=6))
    images = Digits(samples=20, labels="onehot")
    experiment = scenario(data=images, loss="cross-entropy", layers=layers, optimizer=Adam(lr=1e-3))
    assert_equals_each_seed_alone(VmapGradients, experiment, steps=4)


def test_members_in_float32_agree_to_its_precision():
    small = scenario(
        dtype="float32", init=NormalInit(std=0.005), ensemble=Ensemble(members=40), layers=(Dense(width=50),)
    )
    assert_equals_each_seed_alone(MlpGradients, small, reason="float32")


METHODS = {
    "mlp": (MlpGradients, scenario(optimizer=Adam(lr=0.01))),
    "mlp in batches": (MlpGradients, scenario(optimizer=Adam(lr=0.01, batch=6))),
    "cnn": (CnnGradients, scenario(data=Digits(samples=20), layers=(Conv(width=3),), optimizer=Adam(lr_lambda1=0.1))),
    "eager": (AutogradGradients, scenario(optimizer=Adam(lr=0.01))),
    "stacked": (VmapGradients, scenario(optimizer=Adam(lr=0.01))),
}


@pytest.mark.parametrize("case", METHODS)
def test_a_restored_ensemble_goes_on_with_the_same_bits(case):
    method, experiment = METHODS[case]
    whole, first, second = (make(method, experiment) for _ in range(3))
    for _ in range(9):
        whole.advance()
    for _ in range(4):
        first.advance()
    second.restore({name: value.clone() for name, value in first.state().items()})
    for _ in range(5):
        second.advance()
    assert whole.state().keys() == second.state().keys()
    assert all(torch.equal(value, second.state()[name]) for name, value in whole.state().items())


@pytest.mark.parametrize("case", METHODS)
def test_looking_changes_no_bit(case):
    method, experiment = METHODS[case]
    blind, watched = make(method, experiment), make(method, experiment)
    for _ in range(6):
        blind.advance()
        for observation in watched.observe():
            assert math.isfinite(observation.loss)
            assert observation.gradient_norm > 0
        watched.advance()
    assert all(torch.equal(value, watched.state()[name]) for name, value in blind.state().items())


@pytest.mark.parametrize("case", METHODS)
def test_a_dropped_member_stays_as_it_is_and_the_others_go_on_as_if_alone(case):
    method, experiment = METHODS[case]
    training, untouched = make(method, experiment), make(method, experiment)
    for _ in range(3):
        training.advance()
        untouched.advance()
    at_drop = {name: value.clone() for name, value in training.state().items() if name.startswith("member.1.network.")}
    training.drop([1])
    assert training.members == [0, 2]
    resumed = make(method, experiment)
    resumed.restore({name: value.clone() for name, value in training.state().items()})
    assert resumed.members == [0, 2]
    for _ in range(4):
        training.advance()
        untouched.advance()
        resumed.advance()
    state = training.state()
    assert all(torch.equal(state[name], value) for name, value in at_drop.items())
    assert all(torch.equal(resumed.state()[name], value) for name, value in state.items())
    for observation, number in zip(training.observe(), (0, 2), strict=True):
        for name, value in untouched.observe()[number].parameters().items():
            assert float((observation.parameters()[name] - value).norm()) <= rtol("float64") * float(value.norm())


def test_the_way_to_step_follows_from_the_scenario():
    images = Digits(samples=20, labels="onehot")
    deep = scenario(data=images, loss="cross-entropy", layers=(Conv(width=3), Conv(width=3)), dtype="float32")
    assert gradient_method(scenario(), CPU) is MlpGradients
    assert gradient_method(scenario(data=images, layers=(Conv(width=3),)), CPU) is CnnGradients
    assert gradient_method(deep, CPU) is AutogradGradients
    assert gradient_method(deep, torch.device("cuda")) is VmapGradients
    single = msgspec.structs.replace(deep, ensemble=Ensemble())
    assert gradient_method(single, torch.device("cuda")) is AutogradGradients
    fast = msgspec.structs.replace(deep, layers=(Conv(width=3),), fast=("bf16",))
    assert gradient_method(fast, CPU) is AutogradGradients


@pytest.mark.parametrize("fast", [("channels-last",), ("bf16",), ("channels-last", "bf16")])
def test_fast_ways_agree_with_the_plain_one_and_say_so(fast):
    images = Digits(samples=60, labels="onehot")
    layers = (Conv(width=8), Conv(width=8))
    plain = scenario(
        data=images, loss="cross-entropy", layers=layers, dtype="float32", ensemble=Ensemble(), optimizer=GD(lr=0.1)
    )
    runs = []
    for chosen in ((), fast):
        experiment = msgspec.structs.replace(plain, fast=chosen)
        ensemble = make_ensemble(experiment, [load(experiment.data)], CPU)
        for _ in range(20):
            ensemble.advance()
        runs.append(ensemble)
    (slow,), (quick,) = (ensemble.observe() for ensemble in runs)
    assert all(way in runs[1].name for way in fast)
    tolerance = 0.02 if "bf16" in fast else 1e-4
    for layer in slow.layers:
        moved = float((slow.kernels(layer) - quick.kernels(layer)).norm() / slow.kernels(layer).norm())
        assert moved < tolerance
    assert quick.loss == pytest.approx(slow.loss, rel=tolerance)


class Replayed:
    """Stands for a captured graph: runs the steps it was given, or others."""

    def __init__(self, block, wrong: bool = False) -> None:
        self.block, self.wrong = block, wrong

    def replay(self) -> None:
        self.block()
        if self.wrong:
            self.block()


@pytest.mark.parametrize("wrong", [False, True])
def test_blocks_of_steps_are_single_steps_or_are_not_used(monkeypatch, wrong):
    method, experiment = METHODS["mlp"]
    plain, blocks = make(method, experiment), make(method, experiment)
    monkeypatch.setattr(graphs, "_capture", lambda block: Replayed(block, wrong))
    blocks.block = graphs.BLOCK
    plain_steps = 2 * graphs.BLOCK + 5
    for _ in range(plain_steps):
        plain._train_step()
    blocks.advance(plain_steps)
    assert blocks.step == plain_steps
    (remark,) = blocks.remarks
    assert ("one by one" in remark) == wrong
    assert all(torch.equal(value, blocks.state()[name]) for name, value in plain.state().items())
    blocks.drop([0])
    blocks.advance(graphs.BLOCK)
    assert blocks.observe()[0].step == plain_steps + graphs.BLOCK
