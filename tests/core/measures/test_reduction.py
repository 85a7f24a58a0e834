import math

import pytest
import torch
from planted import SCALES, generator, orthogonal_axes, planted_layer
from tolerances import rtol
from torch.nn.functional import softplus

from condense_core.measures.clusters import condensed_lines
from condense_core.measures.reduction import effective_layer

ACTIVATIONS = {
    "tanh": (1, torch.tanh),
    "xtanh": (2, lambda x: x * torch.tanh(x)),
    "x2tanh": (3, lambda x: x**2 * torch.tanh(x)),
    "softplus": (1, softplus),
    "sigmoid": (1, torch.sigmoid),
}


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed))


def output(inputs, weight, readout, activation, offset=0.0):
    return activation(inputs @ weight.T) @ readout + offset


def change(before, after):
    return float((after - before).norm() / before.norm())


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_one_kernel_a_line_gives_the_same_output(name, count):
    multiplicity, activation = ACTIVATIONS[name]
    weight = 1e-3 * planted_layer(orthogonal_axes(count, 6, seed=0), 40, noise=1e-5, seed=0)
    readout, inputs = random(40, 3, seed=1), random(25, 6, seed=2)
    at_zero = float(activation(torch.zeros(1)))
    layer = effective_layer(weight, readout, condensed_lines(weight), multiplicity, at_zero=at_zero)
    assert layer.weight_EK.shape == (count, 6)
    before = output(inputs, weight, readout, activation)
    after = output(inputs, layer.weight_EK, layer.readout_EQ, activation, layer.offset_Q)
    assert change(before, after) < rtol("reduction")
    wrong = output(inputs, 1.1 * layer.weight_EK, layer.readout_EQ, activation, layer.offset_Q)
    if at_zero == 0:
        assert change(before, wrong) > 0.05


def test_the_formula_for_one_line_of_two_kernels():
    axis = torch.tensor([0.6, 0.8], dtype=torch.float64)
    weight = torch.stack([2 * axis, -1 * axis])
    readout = torch.tensor([[3.0, 0.0], [0.0, 4.0]], dtype=torch.float64)
    for p in (1, 2, 3):
        share = [3 * 2**p, 4 * 1**p]
        reach = (share[0] * 2 + share[1] * 1) / sum(share)
        layer = effective_layer(weight, readout, condensed_lines(weight), p, at_zero=0.5)
        expected = torch.tensor([3 * 2**p / reach**p, 4 * (-1) ** p / reach**p], dtype=torch.float64)
        torch.testing.assert_close(layer.weight_EK[0], reach * axis)
        torch.testing.assert_close(layer.readout_EQ[0], expected)
        torch.testing.assert_close(layer.offset_Q, 0.5 * (torch.tensor([3.0, 4.0]) - expected))


def test_the_error_falls_with_the_noise_around_the_lines():
    readout, inputs, errors = random(40, 3, seed=1), random(25, 6, seed=2), []
    for noise in (0.2, 0.02, 0.002):
        weight = 1e-3 * planted_layer(orthogonal_axes(1, 6, seed=0), 40, noise=noise, seed=0)
        layer = effective_layer(weight, readout, condensed_lines(weight), 1)
        before = output(inputs, weight, readout, torch.tanh)
        errors.append(change(before, output(inputs, layer.weight_EK, layer.readout_EQ, torch.tanh)))
    assert errors[0] > 5 * errors[1] > 25 * errors[2]


@pytest.mark.parametrize("scale", [1e-200, 1e-30, *SCALES])
@pytest.mark.parametrize("multiplicity", [1, 2, 3])
def test_reduction_scales_with_the_weights(scale, multiplicity):
    weight = planted_layer(orthogonal_axes(2, 6, seed=0), 40, noise=0.05, seed=0)
    readout = random(40, 3, seed=1)
    here = effective_layer(weight, readout, condensed_lines(weight), multiplicity)
    scaled = weight * scale
    there = effective_layer(scaled, readout * scale, condensed_lines(scaled), multiplicity)
    torch.testing.assert_close(there.weight_EK / scale, here.weight_EK)
    torch.testing.assert_close(there.readout_EQ / scale, here.readout_EQ)


def test_kernels_on_no_line_are_taken_over_and_small_ones_may_be_left_out():
    weight = planted_layer(orthogonal_axes(1, 6, seed=0), 40, noise=0.01, seed=0)
    weight[3] = 3 * orthogonal_axes(2, 6, seed=0)[1]
    weight[7] = 1e-4 * random(6)
    readout = random(40, 3, seed=1)
    lines = condensed_lines(weight)
    layer = effective_layer(weight, readout, lines, 1)
    assert layer.kept == (3, 7) and layer.weight_EK.shape == (3, 6)
    assert torch.equal(layer.weight_EK[1:], weight[[3, 7]]) and torch.equal(layer.readout_EQ[1:], readout[[3, 7]])
    smaller = effective_layer(weight, readout, lines, 1, at_zero=1.0, keep_dropped=False)
    assert smaller.kept == (3,)
    torch.testing.assert_close(smaller.offset_Q, readout.sum(dim=0) - smaller.readout_EQ.sum(dim=0))


def test_a_layer_without_lines_is_taken_over_whole():
    weight, readout = random(5, 28), random(5, 2, seed=1)
    layer = effective_layer(weight, readout, condensed_lines(weight), 1)
    assert torch.equal(layer.weight_EK, weight) and torch.equal(layer.readout_EQ, readout)
    assert (layer.offset_Q == 0).all()


def test_a_line_that_leads_nowhere_stays_finite():
    weight = planted_layer(orthogonal_axes(1, 6, seed=0), 10, noise=0.01, seed=0)
    layer = effective_layer(weight, torch.zeros(10, 2), condensed_lines(weight), 2)
    assert layer.weight_EK.isfinite().all() and (layer.readout_EQ == 0).all()


def test_opposite_neurons_of_an_even_activation_add_up_and_of_an_odd_one_cancel():
    axis = torch.tensor([[0.6, 0.8]], dtype=torch.float64)
    weight, readout = torch.cat([axis, -axis]), torch.ones(2, 1, dtype=torch.float64)
    lines = condensed_lines(weight)
    sums = [float(effective_layer(weight, readout, lines, p).readout_EQ) for p in (1, 2, 3)]
    assert sums == pytest.approx([0.0, 2.0, 0.0], abs=1e-12)


def test_what_does_not_fit_is_refused():
    weight = torch.ones(3, 2)
    lines = condensed_lines(weight)
    with pytest.raises(ValueError, match="p ≥ 1"):
        effective_layer(weight, torch.ones(3, 1), lines, 0)
    with pytest.raises(ValueError, match="as many kernels"):
        effective_layer(weight, torch.ones(4, 1), lines, 1)


def test_a_convolution_reduces_with_its_offsets_summed_over_positions():
    weight = 1e-3 * planted_layer(orthogonal_axes(2, 9, seed=0), 12, noise=1e-5, seed=0)
    readout, image = random(12, 2 * 16, seed=1), random(5, 1, 6, 6, seed=2)
    layer = effective_layer(weight, readout, condensed_lines(weight), 1, at_zero=math.log(2))

    def network(kernels, outgoing, offset):
        hidden = softplus(torch.nn.functional.conv2d(image, kernels.reshape(-1, 1, 3, 3))).flatten(2)
        return torch.einsum("nmp,mdp->nd", hidden, outgoing.reshape(-1, 2, 16)) + offset.reshape(2, 16).sum(dim=1)

    before = network(weight, readout, torch.zeros(32))
    assert change(before, network(layer.weight_EK, layer.readout_EQ, layer.offset_Q)) < rtol("reduction")
