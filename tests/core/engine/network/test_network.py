import math

import pytest
import torch
from tolerances import rtol
from torch.nn import functional

from condense_core.engine.data.datasets import load
from condense_core.engine.network.linear_theory import usable_unit
from condense_core.engine.network.network import Network
from condense_core.errors import ScenarioError
from condense_core.scenario.experiment import GD, Conv, Dense, Digits, Experiment, MeanFanPowerInit, NormalInit, Sine


def experiment(*layers, data=None, init=None, **changes):
    data = data or (Digits(samples=6, labels="raw") if isinstance(layers[0], Conv) else Sine(samples=6))
    settings = {"seed": 3, "dtype": "float64"} | changes
    init = init or NormalInit(std=0.3, bias="same")
    return Experiment(name="test", steps=1, data=data, layers=layers, init=init, optimizer=GD(lr=0.1), **settings)


def network(*layers, **changes):
    """The network of these layers, and the inputs of its data set."""
    scenario = experiment(*layers, **changes)
    data = load(scenario.data).to("cpu", getattr(torch, scenario.dtype))
    return Network(scenario, data.input_shape, data.outputs), data.input


def test_parameters_are_named_by_layer():
    net, _ = network(Conv(width=4), Conv(width=5, bias=False), Dense(width=6))
    shapes = {name: tuple(parameter.shape) for name, parameter in net.named_parameters()}
    assert shapes == {
        "conv1.weight": (4, 1, 3, 3),
        "conv1.bias": (4,),
        "conv2.weight": (5, 4, 3, 3),
        "dense1.weight": (6, 80),
        "dense1.bias": (6,),
        "output.weight": (1, 6),
        "output.bias": (1,),
    }


def test_dense_network_is_the_formula():
    net, x = network(Dense(width=7), Dense(width=4, activation="xtanh"))
    first = torch.tanh(x @ net.dense1.weight.T + net.dense1.bias)
    second = first @ net.dense2.weight.T + net.dense2.bias
    expected = (second * torch.tanh(second)) @ net.output.weight.T + net.output.bias
    torch.testing.assert_close(net(x), expected, rtol=rtol("float64"), atol=0)


def test_residual_network_adds_the_input_from_the_second_layer_on():
    net, x = network(*[Dense(width=7)] * 3, residual=True)
    h = torch.tanh(x @ net.dense1.weight.T + net.dense1.bias)
    h = torch.tanh(h @ net.dense2.weight.T + net.dense2.bias) + h
    h = torch.tanh(h @ net.dense3.weight.T + net.dense3.bias) + h
    torch.testing.assert_close(net(x), h @ net.output.weight.T + net.output.bias, rtol=rtol("float64"), atol=0)


def test_convolution_slides_every_filter_over_every_patch():
    net, x = network(Conv(width=4, size=5))
    patches = x.unfold(2, 5, 1).unfold(3, 5, 1)[:, 0]
    features = torch.tanh(
        torch.einsum("nuvpq,kpq->nkuv", patches, net.conv1.weight[:, 0]) + net.conv1.bias[:, None, None]
    )
    expected = features.flatten(1) @ net.output.weight.T + net.output.bias
    torch.testing.assert_close(net(x), expected, rtol=rtol("float64"), atol=1e-14)


def test_layer_inputs_lead_through_the_network():
    net, x = network(Conv(width=4), Conv(width=5, activation="gelu"), Dense(width=6))
    shapes = {name: tuple(net.layer_input(name, x).shape[1:]) for name in (*net.layer_names, "output")}
    assert shapes == {"conv1": (1, 8, 8), "conv2": (4, 6, 6), "dense1": (80,), "output": (6,)}
    assert torch.equal(net.layer_input("conv1", x), x)
    features = functional.gelu(net.conv2(net.layer_input("conv2", x)))
    assert torch.equal(net.layer_input("dense1", x), features.flatten(1))


def test_images_are_flattened_for_a_first_dense_layer():
    net, x = network(Dense(width=6), data=Digits(samples=6, labels="raw"))
    assert net.layer_input("dense1", x).shape == (6, 64)
    assert net(x).shape == (6, 1)


def test_a_kernel_is_an_output_channels_weights_and_its_bias():
    net, _ = network(Conv(width=4), Conv(width=5), Dense(width=6, bias=False))
    kernels = net.kernels("conv2")
    assert kernels.shape == (5, 4 * 9 + 1)
    assert torch.equal(kernels[3, :-1].reshape(4, 3, 3), net.conv2.weight[3])
    assert torch.equal(kernels[:, -1], net.conv2.bias)
    assert torch.equal(net.kernels("dense1"), net.dense1.weight)


def test_gradients_flow_through_kernels():
    net, _ = network(Dense(width=7))
    net.kernels("dense1")[2].sum().backward()
    assert torch.equal(net.dense1.weight.grad.sum(dim=1), 5.0 * torch.eye(7, dtype=torch.float64)[2])
    assert torch.equal(net.dense1.bias.grad, torch.eye(7, dtype=torch.float64)[2])


def test_a_seed_gives_the_same_weights_in_both_dtypes():
    layers = (Conv(width=4), Dense(width=6))
    double, single = (network(*layers, dtype=dtype)[0] for dtype in ("float64", "float32"))
    for wide, narrow in zip(double.parameters(), single.parameters(), strict=True):
        assert torch.equal(wide.float(), narrow)
    other, _ = network(*layers, seed=4)
    assert not torch.equal(other.conv1.weight, double.conv1.weight)


def test_layers_are_drawn_apart():
    net, _ = network(Dense(width=7), Dense(width=7))
    every = torch.cat([parameter.detach().flatten() for parameter in net.parameters()])
    assert len(every.unique()) == len(every)


def test_the_global_generator_is_neither_read_nor_moved():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, _ = network(Conv(width=4), Dense(width=6))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    second, _ = network(Conv(width=4), Dense(width=6))
    assert all(map(torch.equal, first.parameters(), second.parameters()))


def test_zero_biases_leave_the_weights_as_they_were():
    same, _ = network(Conv(width=4), Dense(width=6))
    zero, _ = network(Conv(width=4), Dense(width=6), init=NormalInit(std=0.3))
    for name in ("conv1", "dense1", "output"):
        assert torch.equal(zero.layer(name).weight, same.layer(name).weight)
        assert not zero.layer(name).bias.any()
        assert same.layer(name).bias.all()


def test_every_layer_gets_its_own_standard_deviation():
    net, _ = network(Conv(width=64, size=5), Dense(width=300), init=MeanFanPowerInit(gamma=1, bias="same"))
    expected = {"conv1": 2 / (65 * 25), "dense1": 2 / (64 * 16 + 300), "output": 2 / 301}
    for name, deviation in expected.items():
        # 300 weights in the smallest layer, so five standard errors are 20 %
        assert float(net.layer(name).weight.detach().std()) == pytest.approx(deviation, rel=0.2)


def test_a_filter_larger_than_what_reaches_it_is_refused_in_one_line():
    with pytest.raises(ScenarioError, match="conv2: a 5×5 filter does not fit into the 4×4 pixels") as caught:
        network(Conv(width=4, size=5), Conv(width=4, size=5))
    assert "\n" not in str(caught.value)


def test_a_filter_of_the_images_size_leaves_one_pixel():
    assert network(Conv(width=4, size=8))[0].output.weight.shape == (1, 4)


def test_convolutions_need_images():
    with pytest.raises(ScenarioError, match="conv1: a convolution needs images"):
        Network(experiment(Conv(width=4)), (5,), 1)


@pytest.mark.parametrize(("value", "words"), [(0.0, "is 0.0, as where all classes have"), (math.nan, "is nan; give")])
def test_a_rate_in_units_of_nothing_says_what_may_be_the_matter(value: float, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        usable_unit(value, "lr_lambda1", "λ1")
