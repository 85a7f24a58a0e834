"""Every way to find gradients gives what autograd gives, member by member."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest
import torch
from ensembles import CPU, make, scenario
from tolerances import rtol
from torch.nn import Parameter

from condense_core.engine.data.datasets import load
from condense_core.engine.network.activations import activation
from condense_core.engine.network.derivatives import elementwise
from condense_core.engine.steppers import TrainingEnsemble, gradient_method, make_ensemble
from condense_core.engine.steppers.gradients import autograd, cnn, numpys_tanh
from condense_core.engine.steppers.gradients.autograd import AutogradGradients
from condense_core.engine.steppers.gradients.cnn import CnnGradients
from condense_core.engine.steppers.gradients.compiled import CompiledGradients
from condense_core.engine.steppers.gradients.method import GradientMethod
from condense_core.engine.steppers.gradients.mlp import MlpGradients
from condense_core.engine.steppers.gradients.vmap import VmapGradients
from condense_core.errors import ScenarioError
from condense_core.scenario.experiment import (
    ACTIVATIONS,
    GD,
    Adam,
    AdamW,
    Conv,
    Dense,
    Digits,
    Ensemble,
    Experiment,
    NormalInit,
    Photos,
)

EVERY = (*ACTIVATIONS, "centred-sigmoid", "centred-softplus")


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
MORE_OPTIMISERS = {
    "momentum": GD(lr=0.05, momentum=0.9, weight_decay=0.1),
    "nesterov": GD(lr=0.05, momentum=0.9, nesterov=True, decay="linear"),
    "decay of each member's rate": AdamW(lr_curvature=0.01, weight_decay=0.3, warmup=3),
    "decay in the gradient": Adam(lr=0.01, weight_decay=0.1, batch=6),
    "adamw": AdamW(lr=0.01, weight_decay=0.3),
    "warmup": Adam(lr=0.01, warmup=5, decay="cosine", decay_to=0.1),
    "noise": GD(lr=0.05, noise=0.3),
    "noise of batches": Adam(lr=0.01, batch=6, noise=0.3, decay="linear"),
}


@pytest.mark.parametrize(
    ("method", "optimizer"),
    [
        (method, name)
        for method in (MlpGradients, CompiledGradients, VmapGradients)
        for name, settings in MORE_OPTIMISERS.items()
        # what is drawn is not compiled
        if not (method is CompiledGradients and settings.noise)
    ],
)
def test_members_move_as_they_would_alone(method, optimizer):
    experiment = scenario(optimizer=MORE_OPTIMISERS[optimizer], ensemble=Ensemble(members=3, vary="both"))
    assert_equals_each_seed_alone(method, experiment)


@pytest.mark.parametrize("optimizer", [GD(lr=0.05), Adam(lr=0.01, batch=6)], ids=["gd", "batches"])
@pytest.mark.parametrize("residual", [False, True])
def test_dropout_in_closed_form_is_that_of_autograd(optimizer, residual):
    layers = (Dense(width=7, dropout=0.3), Dense(width=7), Dense(width=7, activation="relu", dropout=0.5))
    assert_equals_each_seed_alone(MlpGradients, scenario(layers=layers, residual=residual, optimizer=optimizer))


@pytest.mark.parametrize("name", EVERY)
def test_activations_in_closed_form_are_those_of_autograd(name):
    z = torch.linspace(-6, 6, 601, dtype=torch.float64, requires_grad=True)
    value = activation(name)(z)
    (derivative,) = torch.autograd.grad(value.sum(), z)
    found, saved = elementwise(name).forward(z.detach().clone())
    torch.testing.assert_close(found, value.detach(), rtol=rtol("float64"), atol=0)
    torch.testing.assert_close(
        elementwise(name).backward(torch.ones_like(found), saved), derivative, rtol=rtol("float64"), atol=0
    )


@pytest.mark.parametrize("name", ["tanh", "xtanh", "x2tanh", "centred-tanh", "centred-sigmoid"])
def test_numpys_tanh_is_pytorchs(name):
    layers = (Dense(width=7, activation=name), Dense(width=7, activation=name))
    assert_equals_each_seed_alone(numpys_tanh.MlpWithNumpysTanh, scenario(layers=layers))
    images = scenario(data=Digits(samples=20), layers=(Conv(width=3, activation=name),))
    assert_equals_each_seed_alone(numpys_tanh.CnnWithNumpysTanh, images)


def test_the_tanh_that_was_taken_so_far_is_taken_on(monkeypatch):
    wide = scenario(steps=10**6, layers=(Dense(width=300), Dense(width=300)))
    monkeypatch.setattr(numpys_tanh.tanh, "faster", lambda dtype: numpys_tanh.tanh.NUMPY)

    def way(experiment: Experiment, so_far: str | None) -> str:
        return make_ensemble(experiment, [load(experiment.data)] * 3, CPU, so_far).name

    assert way(wide, None) == way(wide, numpys_tanh.NAME) == numpys_tanh.NAME
    assert way(wide, MlpGradients.name) == way(wide, "") == MlpGradients.name
    assert way(msgspec.structs.replace(wide, steps=10), None) == MlpGradients.name
    relu = (Dense(width=300, activation="relu"),) * 2
    assert way(msgspec.structs.replace(wide, layers=relu), None) == MlpGradients.name
    monkeypatch.setattr(numpys_tanh.tanh, "faster", lambda dtype: numpys_tanh.tanh.TORCH)
    assert way(wide, None) == MlpGradients.name
    assert way(wide, numpys_tanh.NAME) == numpys_tanh.NAME


@pytest.mark.parametrize("optimizer", OPTIMISERS)
@pytest.mark.parametrize("method", [MlpGradients, CompiledGradients, VmapGradients])
@pytest.mark.parametrize("vary", ["init", "data", "both"])
def test_two_layers(method, optimizer, vary):
    experiment = scenario(optimizer=OPTIMISERS[optimizer], ensemble=Ensemble(members=3, vary=vary))
    assert_equals_each_seed_alone(method, experiment)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("method", [MlpGradients, CompiledGradients])
def test_deep_networks_with_and_without_skip_connections(method, name, residual):
    layers = (Dense(width=7, activation=name), Dense(width=7, activation="tanh", bias=False), Dense(width=7))
    assert_equals_each_seed_alone(method, scenario(layers=layers, residual=residual, output_bias=not residual))


@pytest.mark.parametrize("loss", ["mse", "softmax-mse", "cross-entropy"])
@pytest.mark.parametrize("method", [MlpGradients, CompiledGradients])
def test_dense_layers_on_images_with_every_loss(method, loss):
    images = Digits(samples=30, labels="onehot")
    assert_equals_each_seed_alone(method, scenario(data=images, loss=loss, optimizer=Adam(lr=1e-3)))


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


@pytest.mark.parametrize("optimizer", [GD(lr_curvature=0.1), Adam(lr_curvature=0.01, batch=8)])
@pytest.mark.parametrize("method", [MlpGradients, CompiledGradients, AutogradGradients])
def test_dense_members_each_with_a_rate_of_its_own(method, optimizer):
    experiment = scenario(layers=(Dense(width=6), Dense(width=4, activation="relu")), optimizer=optimizer)
    assert len({seen.lr for seen in make(method, experiment).observe()}) == 3
    assert_equals_each_seed_alone(method, experiment)


def test_one_convolution_in_several_chunks_and_without_kept_patches(monkeypatch):
    images = scenario(data=Digits(samples=30), layers=(Conv(width=5),))
    monkeypatch.setattr(cnn, "CHUNK_BYTES", 5 * 36 * 8 * 7)
    assert_equals_each_seed_alone(CnnGradients, images, steps=4)
    monkeypatch.setattr(cnn, "KEPT_BYTES", 0)
    assert_equals_each_seed_alone(CnnGradients, images, steps=4)


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
def test_deep_convolutions_in_chunks_are_the_same(monkeypatch, loss):
    images = Digits(samples=20, labels="onehot")
    layers = (Conv(width=5), Conv(width=4), Dense(width=6))
    experiment = scenario(data=images, loss=loss, layers=layers, optimizer=Adam(lr=1e-3))
    whole = make(AutogradGradients, experiment)
    monkeypatch.setattr(autograd, "KEPT_BYTES", 7 * 2 * 64 * 9 * 8)
    chunks = make(AutogradGradients, experiment)
    for _ in range(4):
        whole.advance()
        chunks.advance()
    for one, other in zip(whole.observe(), chunks.observe(), strict=True):
        assert other.loss == pytest.approx(one.loss, rel=rtol("member"))
        for name, value in one.gradient.items():
            assert float((other.gradient[name] - value).norm()) <= rtol("float64") * float(value.norm())


def test_a_fast_way_that_is_slower_is_refused_where_a_run_begins():
    slow = scenario(data=Digits(samples=20), layers=(Conv(width=3),), dtype="float32", fast=("channels-last",))
    with pytest.raises(ScenarioError, match=r"'channels-last' slows this network: .*--set 'fast=\[\]'"):
        gradient_method(slow, CPU)
    assert gradient_method(slow, CPU, "eager, channels-last") is AutogradGradients
    assert gradient_method(slow, torch.device("cuda")) is VmapGradients


def test_deep_convolutions_stacked():
    layers = (Conv(width=5), Conv(width=4), Dense(width=6))
    images = Digits(samples=20, labels="onehot")
    experiment = scenario(data=images, loss="cross-entropy", layers=layers, optimizer=Adam(lr=1e-3))
    assert_equals_each_seed_alone(VmapGradients, experiment, steps=4)


@pytest.mark.parametrize("images", [Digits(samples=12), Photos(samples=12, size=8)], ids=["grey", "colours"])
@pytest.mark.parametrize("fast", [(), ("channels-last",)])
def test_convolutions_move_as_a_plain_loop_moves_them(images, fast):
    """Against PyTorch's own layers and optimiser, a kernel a tensor; a file has three colours pixel after pixel."""
    layers = (Conv(width=5), Conv(width=4))
    changes = {"fast": fast, "dtype": "float32" if fast else "float64"}
    experiment = scenario(data=images, layers=layers, optimizer=Adam(lr=1e-3), ensemble=Ensemble(), **changes)
    ours = make(AutogradGradients, experiment)
    (observation,) = ours.observe()
    weight = {name: Parameter(value.clone().contiguous()) for name, value in observation.parameters().items()}
    theirs = torch.optim.Adam(weight.values(), 1e-3, foreach=False)
    data = load(images).to(CPU, getattr(torch, experiment.dtype))
    for _ in range(20):
        ours.advance()
        value = data.input
        for name in experiment.layer_names:
            value = torch.tanh(torch.conv2d(value, weight[f"{name}.weight"], weight[f"{name}.bias"]))
        output = torch.nn.functional.linear(value.flatten(1), weight["output.weight"], weight["output.bias"])
        theirs.zero_grad()
        (output - data.target).square().sum(1).mean().mul(0.5).backward()
        theirs.step()
    for name, value in ours.observe()[0].parameters().items():
        wanted = weight[name].detach()
        assert float((value - wanted).norm()) <= rtol("float32" if fast else "float64") * float(wanted.norm()), name


EAGER = {
    "several": ((Conv(width=3), Conv(width=3)), {}),
    "pooling": ((Conv(width=3, pool="max"),), {}),
    "batch norm": ((Conv(width=3, batch_norm=True),), {}),
    "dropout": ((Conv(width=3, dropout=0.2),), {}),
    "a dense layer": ((Conv(width=3), Dense(width=4)), {}),
    "half the digits": ((Conv(width=3),), {"fast": ("bf16",), "dtype": "float32"}),
    "batches": ((Conv(width=3), Conv(width=3)), {"optimizer": AdamW(lr=1e-3, batch=4)}),
    "ResNet18": ((Dense(width=4),), {"trunk": "resnet18", "dtype": "float32"}),
}


@pytest.mark.parametrize("name", EAGER)
def test_the_order_of_pixels_in_a_file_changes_nothing(name):
    layers, changes = EAGER[name]
    common = {"layers": layers, "ensemble": Ensemble(), "optimizer": Adam(lr=1e-3)} | changes
    experiment = scenario(data=Photos(samples=12, size=32 if name == "ResNet18" else 8), **common)
    pixel_by_pixel = load(experiment.data)
    colour_by_colour = dataclasses.replace(pixel_by_pixel, input=pixel_by_pixel.input.contiguous())
    assert not pixel_by_pixel.input.is_contiguous()
    runs = []
    for dataset in (pixel_by_pixel, colour_by_colour):
        ensemble = TrainingEnsemble(experiment, [dataset], CPU, AutogradGradients)
        ensemble.advance(3)
        runs.append(ensemble.state_dict())
    one, other = runs
    assert all(torch.equal(value, other[key]) for key, value in one.items())


def test_images_are_trained_one_colour_after_the_other():
    loaded = load(Photos(samples=4, size=8, test_samples=2))
    moved = loaded.to(CPU, torch.float64)
    assert moved.test is not None
    for given, taken in ((loaded, moved), (loaded.test, moved.test)):
        assert taken.input.is_contiguous()
        assert torch.equal(given.input, taken.input)


@pytest.mark.parametrize("method", [MlpGradients, CompiledGradients])
def test_members_in_float32_agree_to_its_precision(method):
    small = scenario(
        dtype="float32", init=NormalInit(std=0.005), ensemble=Ensemble(members=40), layers=(Dense(width=50),)
    )
    assert_equals_each_seed_alone(method, small, reason="float32")


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
