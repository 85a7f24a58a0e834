"""Convolutions in compiled code: what autograd gives, member by member, whatever the time of day."""

from __future__ import annotations

import msgspec
import numba
import numpy as np
import pytest
import torch
from ensembles import CPU, make, scenario
from test_gradients import EVERY, assert_equals_each_seed_alone

from condense_core.engine import checkpoint
from condense_core.engine.data.datasets import load
from condense_core.engine.steppers import compiled, gradient_method, make_ensemble
from condense_core.engine.steppers.compiled import convolutions as code
from condense_core.engine.steppers.compiled.functions import code_of
from condense_core.engine.steppers.compiled.vectors import LANES
from condense_core.engine.steppers.gradients import convolutions
from condense_core.engine.steppers.gradients.autograd import AutogradGradients
from condense_core.engine.steppers.gradients.cnn import CnnGradients
from condense_core.engine.steppers.gradients.convolution_layout import ConvolutionLayout, zeros
from condense_core.engine.steppers.gradients.convolutions import CompiledConvolutions
from condense_core.engine.training import worker
from condense_core.runfile.reader import RunReader
from condense_core.scenario.experiment import GD, Adam, Cifar10, Conv, Dense, Digits, Ensemble, Npz

IMAGES = Digits(samples=20, labels="onehot")


def images(*layers, **changes):
    return scenario(data=IMAGES, layers=layers, ensemble=Ensemble(members=2), optimizer=Adam(lr=1e-3), **changes)


@pytest.mark.parametrize("name", EVERY)
def test_every_activation_is_that_of_autograd(name):
    layers = (Conv(width=5, activation=name), Conv(width=9, activation=name, bias=False), Dense(width=4))
    assert_equals_each_seed_alone(CompiledConvolutions, images(*layers), steps=3)


@pytest.mark.parametrize("loss", ["mse", "softmax-mse", "cross-entropy"])
@pytest.mark.parametrize(
    ("optimizer", "vary"),
    [(GD(lr_lambda1=0.05), "data"), (Adam(lr=1e-3, batch=7), "both"), (Adam(lr=1e-3, weight_decay=0.1), "init")],
)
def test_one_convolution(loss, optimizer, vary):
    experiment = images(Conv(width=3, size=5), loss=loss)
    members = Ensemble(members=2, vary=vary)
    experiment = msgspec.structs.replace(experiment, optimizer=optimizer, ensemble=members)
    assert_equals_each_seed_alone(CompiledConvolutions, experiment, steps=4)


# one vector of filters, two, three and four; filters of one pixel, and as large as what they see
@pytest.mark.parametrize(
    "layers",
    [
        (Conv(width=8), Conv(width=16), Conv(width=17)),
        (Conv(width=30, size=2), Conv(width=3, size=7)),
        (Conv(width=2, size=8), Conv(width=20, size=1)),
        (Conv(width=4, size=1, bias=False), Conv(width=4), Dense(width=7, activation="relu"), Dense(width=5)),
    ],
)
def test_filters_of_every_size(layers):
    assert_equals_each_seed_alone(CompiledConvolutions, images(*layers, output_bias=len(layers) > 2), steps=3)


# in chunks of four images, of which the last one is not full
@pytest.mark.parametrize("samples", [1, 3, 4, 11])
def test_images_in_chunks_are_the_same(samples, monkeypatch):
    monkeypatch.setattr(convolutions, "CHUNK_BYTES", 1)
    data = Digits(samples=samples, labels="onehot")
    experiment = msgspec.structs.replace(images(Conv(width=4), Conv(width=3), loss="cross-entropy"), data=data)
    assert_equals_each_seed_alone(CompiledConvolutions, experiment, steps=2)


@pytest.fixture
def threads():
    """Sets how many threads PyTorch takes; after the test they are as before."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_threads_change_no_bit_of_the_convolutions(threads):
    experiment = images(Conv(width=4), Conv(width=3), Dense(width=6))
    alone, together = make(CompiledConvolutions, experiment), make(CompiledConvolutions, experiment)
    threads(1)
    alone.advance(5)
    threads(3)
    together.warm_up()
    together.advance(5)
    assert torch.get_num_threads() == 3
    one, other = alone.state_dict(), together.state_dict()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.thorough
def test_registers_of_either_width_give_the_same_bits(monkeypatch):
    layers = [Conv(width=32), Conv(width=20, size=2)]
    layout = ConvolutionLayout(layers, ["conv1", "conv2"], (3, 9, 9), LANES["float32"], code.TILE)
    tables = layout.tables([code_of("tanh")] * 2)
    random, images = torch.Generator().manual_seed(0), 2
    _, pixels, _, filters = layout.top
    weights, image, top = (
        torch.randn(count, generator=random).numpy()
        for count in (layout.weights, images * 3 * 81, images * pixels * filters)
    )
    found, machine_code = [], set()
    # this processor's at last, which other tests go on with
    for paired in (not code.PAIRED, code.PAIRED):
        monkeypatch.setattr(code, "PAIRED", paired)
        for part in ("_convolve", "_add_gradient", "_forward", "_backward"):
            getattr(code, part).recompile()
        passes = numba.njit(code.signature("float32"), error_model="numpy", nogil=True)(code.passes)
        machine_code |= set(passes.inspect_asm().values())
        hidden, slopes, back, gradient = (
            zeros(count, torch.float32).numpy()
            for count in (images * layout.hidden, images * layout.hidden, layout.back, layout.gradients)
        )
        for backward in (False, True):
            passes(
                backward, 0, images, *tables, image, len(image) // images, weights, hidden, slopes,
                layout.hidden, top, pixels * filters, back, gradient, 0,
            )  # fmt: skip
        found.append((hidden, gradient))
    assert len(machine_code) == 2
    assert gradient.any()
    assert all(np.array_equal(one, other) for one, other in zip(*found, strict=True))


@pytest.fixture(params=["AVX512", "AVX2"])
def wide_vectors(monkeypatch, request):
    """A processor on which compiled convolutions are the faster ones."""
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: request.param)


LONG = images(Conv(width=32), Conv(width=32), dtype="float32", steps=10**6)


@pytest.mark.usefixtures("wide_vectors")
def test_the_scenario_and_the_processor_alone_decide(monkeypatch):
    assert gradient_method(LONG, CPU) is CompiledConvolutions
    one = msgspec.structs.replace(LONG, layers=(Conv(width=32),))
    assert gradient_method(one, CPU) is CompiledConvolutions
    assert gradient_method(msgspec.structs.replace(LONG, steps=10), CPU) is AutogradGradients
    assert gradient_method(msgspec.structs.replace(one, steps=10), CPU) is CnnGradients
    assert gradient_method(msgspec.structs.replace(LONG, fast=("bf16",)), CPU) is AutogradGradients
    # filters that would be padding for the most part, and weights that lie in no cache
    for width in (5, 500):
        other = msgspec.structs.replace(LONG, layers=(Conv(width=width), Conv(width=width)))
        assert gradient_method(other, CPU) is AutogradGradients
    drawn = msgspec.structs.replace(LONG, layers=(Conv(width=32, dropout=0.5), Conv(width=32)))
    assert gradient_method(drawn, CPU) is AutogradGradients
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    assert gradient_method(LONG, CPU) is AutogradGradients
    assert gradient_method(one, CPU) is CnnGradients


@pytest.mark.usefixtures("wide_vectors")
@pytest.mark.parametrize("more", [{"stride": 2}, {"padding": 1}, {"pool": "max"}, {"batch_norm": True}])
def test_what_the_compiled_code_does_not_know_is_trained_by_others(more):
    first = msgspec.structs.replace(LONG, layers=(Conv(width=32, **more), Conv(width=32)))
    second = msgspec.structs.replace(LONG, layers=(Conv(width=32), Conv(width=32, **more)))
    assert CompiledConvolutions not in {gradient_method(first, CPU), gradient_method(second, CPU)}


@pytest.mark.usefixtures("wide_vectors")
def test_what_a_checkpoint_says_is_obeyed(monkeypatch):
    assert gradient_method(LONG, CPU, "eager") is AutogradGradients
    short = msgspec.structs.replace(LONG, steps=10)
    assert gradient_method(short, CPU, CompiledConvolutions.name) is CompiledConvolutions
    # on another machine, too
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert gradient_method(short, CPU, CompiledConvolutions.name) is CompiledConvolutions


@pytest.mark.usefixtures("wide_vectors")
def test_without_numba_convolutions_are_those_of_pytorch_and_that_is_said(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    compiled.load_convolutions.cache_clear()
    ensemble = make_ensemble(LONG, [load(LONG.data)] * 2, CPU)
    assert ensemble.name == "eager"
    (note,) = ensemble.notes
    assert "NUMBA_DISABLE_JIT" in note


@pytest.mark.usefixtures("wide_vectors")
def test_images_whose_size_nobody_knows_yet_are_not_compiled_for():
    assert gradient_method(msgspec.structs.replace(LONG, data=Cifar10(samples=500)), CPU) is CompiledConvolutions
    elsewhere = msgspec.structs.replace(LONG, data=Npz(path="/nowhere/images.npz", samples=500))
    assert gradient_method(elsewhere, CPU) is AutogradGradients


@pytest.mark.thorough
def test_members_in_float32_agree_to_its_precision():
    experiment = images(Conv(width=20), Conv(width=33), dtype="float32")
    assert_equals_each_seed_alone(CompiledConvolutions, experiment, steps=3, reason="float32")


TWO = """
name = "two convolutions"
steps = 12
loss = "cross-entropy"
dtype = "float64"
layers = [{ kind = "conv", width = 8 }, { kind = "conv", width = 8 }]
data = { name = "digits", samples = 30, labels = "onehot" }
init = { scheme = "normal", std = 0.1 }
optimizer = { name = "adam", lr = 0.001 }
"""


@pytest.mark.usefixtures("wide_vectors")
def test_a_run_says_how_it_convolves_and_has_the_same_bits_whatever_is_measured(make_run, monkeypatch):
    monkeypatch.setattr(convolutions, "REPAYS_S", 0.0)
    states = []
    for settings in ((), ("record.probes=[]", "record.frames=2")):
        folder = make_run(*settings, text=TWO)
        assert worker.work(folder) == 0
        assert checkpoint.steps(folder) == CompiledConvolutions.name
        with RunReader(folder) as run:
            assert f"{CompiledConvolutions.name} steps" in next(e.text for e in run.events if e.kind == "started")
        states.append(checkpoint.load(folder))
    one, other = states
    assert all(torch.equal(value, other[name]) for name, value in one.items())
