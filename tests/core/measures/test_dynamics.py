import math
from dataclasses import dataclass

import pytest
import torch
from planted import SCALES, generator
from tolerances import rtol
from torch.nn.functional import conv2d

from condense_core.measures.alignment import projection_ratio
from condense_core.measures.dynamics import (
    effective_time,
    linear_dynamics,
    predicted_condensation,
    predicted_kernels,
    predicted_ratio,
    readout_of_kernels,
)
from condense_core.measures.signal import signal_matrix, spectrum


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed))


@dataclass
class Trained:
    matrix: torch.Tensor
    weight: torch.Tensor
    readout: torch.Tensor
    lr: float
    history: list[torch.Tensor]


def train_small_network(*, std=1e-6, steps=100, kernels=6, outputs=2, activation=torch.tanh, slope=1.0) -> Trained:
    """A two-layer CNN in float64 under plain gradient descent on 1/(2n) Σ‖f - y‖², λ1·t = 5 at the last step."""
    image = torch.rand(20, 2, 5, 5, dtype=torch.float64, generator=generator(0))
    label = random(20, outputs, seed=1) + 1
    weight = (std * random(kernels, 2, 3, 3, seed=2)).requires_grad_()
    offset = (std * random(kernels, seed=3)).requires_grad_()
    readout = (std * random(outputs, kernels * 9, seed=4)).requires_grad_()
    matrix = signal_matrix(-label, image, 3, bias=True)
    lr = 5 / steps / float(spectrum(matrix).values[0]) / slope

    def kernel_rows():
        return torch.cat([weight.detach().reshape(kernels, -1), offset.detach()[:, None]], dim=1)

    history, start = [kernel_rows()], readout.detach().clone()
    for _ in range(steps):
        output = activation(conv2d(image, weight, offset)).flatten(1) @ readout.T
        loss = (output - label).square().sum() / (2 * len(image))
        gradients = torch.autograd.grad(loss, (weight, offset, readout))
        with torch.no_grad():
            for parameter, gradient in zip((weight, offset, readout), gradients, strict=True):
                parameter.sub_(lr * gradient)
        history.append(kernel_rows())
    return Trained(matrix, history[0], readout_of_kernels(start, kernels), lr, history)


@pytest.fixture(scope="module")
def trained():
    return train_small_network()


def relative_error(found, expected):
    return float((found - expected).norm() / expected.norm())


def test_kernels_of_a_really_trained_network_are_predicted(trained):
    dynamics = linear_dynamics(trained.matrix, trained.weight, trained.readout, lr=trained.lr)
    for step in (0, 1, 10, 50, 100):
        assert relative_error(predicted_kernels(dynamics, step), trained.history[step]) < rtol("linear dynamics")


def test_another_signal_matrix_does_not_predict_them(trained):
    wrong = trained.matrix + 0.02 * trained.matrix.abs().max() * random(*trained.matrix.shape)
    dynamics = linear_dynamics(wrong, trained.weight, trained.readout, lr=trained.lr)
    assert relative_error(predicted_kernels(dynamics, 100), trained.history[100]) > 10 * rtol("linear dynamics")


def test_gradient_flow_is_off_by_the_step_size_that_gradient_descent_has(trained):
    flow = linear_dynamics(trained.matrix, trained.weight, trained.readout, lr=None)
    error = relative_error(predicted_kernels(flow, 100 * trained.lr), trained.history[100])
    assert 0.01 < error < 0.3


def test_an_activation_of_slope_one_quarter_is_predicted_with_its_slope():
    trained = train_small_network(activation=lambda x: torch.sigmoid(x) - 0.5, slope=0.25)
    dynamics = linear_dynamics(trained.matrix, trained.weight, trained.readout, lr=trained.lr, slope=0.25)
    assert relative_error(predicted_kernels(dynamics, 100), trained.history[100]) < rtol("linear dynamics")


def test_ratio_and_step_of_condensation_are_those_of_the_trained_network(trained):
    dynamics = linear_dynamics(trained.matrix, trained.weight, trained.readout, lr=trained.lr)
    v1 = spectrum(trained.matrix).v1
    measured = [projection_ratio(weight, v1) for weight in trained.history]
    predicted = predicted_ratio(dynamics, torch.arange(len(measured)))
    assert predicted.tolist() == pytest.approx(measured, rel=rtol("linear dynamics"))
    assert measured[0] < 0.6
    first = next(step for step, ratio in enumerate(measured) if ratio >= 0.9)
    assert abs(predicted_condensation(dynamics, ratio=0.9) - first) <= 1


def slow_steps(matrix, weight, readout, lr, steps):
    for _ in range(steps):
        weight, readout = weight + lr * readout @ matrix, readout + lr * weight @ matrix.T
    return weight


@pytest.mark.parametrize(("rows", "entries"), [(12, 5), (3, 8), (1, 4)])
@pytest.mark.parametrize("lr", [0.05, 1.0, 3.0])
def test_closed_form_equals_iterating_the_linear_system(rows, entries, lr):
    matrix = random(rows, entries)
    matrix /= torch.linalg.matrix_norm(matrix, ord=2)
    weight, readout = random(4, entries, seed=1), random(4, rows, seed=2)
    dynamics = linear_dynamics(matrix, weight, readout, lr=lr)
    for steps in (0, 1, 7, 30):
        expected = slow_steps(matrix, weight, readout, lr, steps)
        assert relative_error(predicted_kernels(dynamics, steps), expected) < rtol("float64")
        ratio = projection_ratio(expected, spectrum(matrix).v1)
        assert float(predicted_ratio(dynamics, torch.tensor([steps]))) == pytest.approx(ratio, rel=rtol("float64"))


def test_flow_equals_the_matrix_exponential():
    matrix, weight, readout = random(6, 4), random(3, 4, seed=1), random(3, 6, seed=2)
    generator_of_flow = torch.zeros(10, 10, dtype=torch.float64)
    generator_of_flow[:4, 4:], generator_of_flow[4:, :4] = matrix.T, matrix
    both = torch.cat([weight, readout], dim=1) @ torch.linalg.matrix_exp(0.7 * generator_of_flow).T
    found = predicted_kernels(linear_dynamics(matrix, weight, readout, lr=None), 0.7)
    assert relative_error(found, both[:, :4]) < rtol("float64")


@pytest.mark.parametrize("lr", [0.1, None])
def test_no_time_is_too_long_for_the_ratio(lr):
    matrix, weight, readout = random(6, 4), random(3, 4, seed=1), random(3, 6, seed=2)
    dynamics = linear_dynamics(matrix, weight, readout, lr=lr)
    assert float(predicted_ratio(dynamics, torch.tensor([1e9]))) == 1.0


@pytest.mark.parametrize("scale", [1e-200, 1e-30, *SCALES])
def test_ratio_does_not_depend_on_the_scale_of_the_weights(scale):
    matrix, weight, readout = random(6, 4), random(3, 4, seed=1), random(3, 6, seed=2)
    steps = torch.tensor([0, 3, 20])
    here = linear_dynamics(matrix, weight, readout, lr=0.01)
    there = linear_dynamics(matrix, weight * scale, readout * scale, lr=0.01)
    torch.testing.assert_close(predicted_ratio(there, steps), predicted_ratio(here, steps))
    torch.testing.assert_close(predicted_kernels(there, 3) / scale, predicted_kernels(here, 3))


def test_the_step_of_condensation_is_the_first_one_that_reaches_the_ratio():
    matrix, weight, readout = random(6, 4), random(3, 4, seed=1), random(3, 6, seed=2)
    dynamics = linear_dynamics(matrix, weight, readout, lr=1e-3)
    found = predicted_condensation(dynamics)
    ratios = predicted_ratio(dynamics, torch.arange(found + 1))
    assert found > 600
    assert ratios[found] >= 0.99 and (ratios[:found] < 0.99).all()
    assert predicted_condensation(dynamics, at_most=found - 1) is None
    assert predicted_condensation(dynamics, at_most=found) == found


def test_without_a_spectral_gap_there_is_no_condensation():
    matrix, weight, readout = torch.eye(4, dtype=torch.float64), random(3, 4, seed=1), random(3, 4, seed=2)
    assert predicted_condensation(linear_dynamics(matrix, weight, readout, lr=0.1), at_most=20_000) is None


@pytest.mark.parametrize("fill", [0.0, math.nan])
def test_no_signal_predicts_nothing(fill):
    dynamics = linear_dynamics(torch.full((6, 4), fill), random(3, 4), random(3, 6), lr=0.1)
    assert predicted_ratio(dynamics, torch.tensor([0, 5])).isnan().all()
    assert predicted_kernels(dynamics, 5).isnan().all()
    assert predicted_condensation(dynamics, at_most=1000) is None


def test_zero_weights_have_no_ratio():
    dynamics = linear_dynamics(random(6, 4), torch.zeros(3, 4), torch.zeros(3, 6), lr=0.1)
    assert predicted_ratio(dynamics, torch.tensor([0, 5])).isnan().all()


def test_readout_of_kernels_keeps_each_kernels_own_weights():
    readout = torch.arange(2 * 3 * 4).reshape(2, 12)
    expected = [[int(readout[d, 4 * m + p]) for d in range(2) for p in range(4)] for m in range(3)]
    assert readout_of_kernels(readout, 3).tolist() == expected


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="multiple of 5 kernels"):
        readout_of_kernels(torch.ones(2, 12), 5)
    with pytest.raises(ValueError, match="a readout"):
        linear_dynamics(torch.ones(6, 4), torch.ones(3, 4), torch.ones(3, 5), lr=0.1)
    with pytest.raises(ValueError, match="lr"):
        linear_dynamics(torch.ones(6, 4), torch.ones(3, 4), torch.ones(3, 6), lr=0.0)
    with pytest.raises(ValueError, match="gradient flow"):
        predicted_condensation(linear_dynamics(random(6, 4), random(3, 4), random(3, 6), lr=None))
    with pytest.raises(ValueError, match="1/2"):
        effective_time(0.5, 100, 1.0)


def test_effective_time_grows_with_the_logarithm_of_the_width():
    assert effective_time(1.5, 1000, 2.0) == pytest.approx(0.75 * math.log(1000) / 2)
    assert effective_time(1.5, 10**6, 2.0) == pytest.approx(2 * effective_time(1.5, 1000, 2.0))


def test_wider_networks_move_further_and_align_better_within_their_time():
    """Zhou et al. 2025, thm 1, in its linear form: γ = 1.5."""
    matrix = torch.rand(36, 9, dtype=torch.float64, generator=generator(0))
    lambda1, moved, ratios = float(spectrum(matrix).values[0]), [], []
    for kernels in (10, 100, 1000):
        std = kernels**-1.5
        weight, readout = std * random(kernels, 9, seed=1), std * random(kernels, 36, seed=2)
        flow = linear_dynamics(matrix, weight, readout, lr=None)
        time = effective_time(1.5, kernels, lambda1)
        moved.append(relative_error(predicted_kernels(flow, time), weight))
        ratios.append(float(predicted_ratio(flow, torch.tensor([time]))))
    assert moved == sorted(moved) and moved[-1] > 10
    assert ratios == sorted(ratios) and ratios[-1] > 0.99
