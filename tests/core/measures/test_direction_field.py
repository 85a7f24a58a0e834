import math

import pytest
import torch
from planted import generator
from tolerances import rtol

from condense_core.measures.direction_field import angle_to_lines, direction_field, stable_lines

ACTIVATIONS = {
    1: torch.tanh,
    2: lambda x: x * torch.tanh(x),
    3: lambda x: x**2 * torch.tanh(x),
}


def figure_six():
    """The data of Zhou et al. 2022, fig. 6: residuals at small initialisation are minus the labels."""
    x = torch.linspace(-1.0, 1.5, 40, dtype=torch.float64)
    return x, -((3 * x).sin() + (6 * x).sin() / 2)


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed))


def test_field_equals_the_sum_over_samples_and_a_perturbed_residual_does_not():
    x, e = random(9), random(9, seed=1)
    omega = random(5, 2, seed=2)
    slow = []
    for w, b in omega.tolist():
        terms = [(-ei * (1 - math.tanh(w * xi + b) ** 2), xi) for xi, ei in zip(x.tolist(), e.tolist(), strict=True)]
        slow.append([sum(s * xi for s, xi in terms) / 9, sum(s for s, _ in terms) / 9])
    expected = torch.tensor(slow, dtype=torch.float64)
    torch.testing.assert_close(direction_field(omega, x, e, torch.tanh), expected, rtol=0, atol=1e-14)
    e[4] += 1e-6
    assert (direction_field(omega, x, e, torch.tanh) - expected).abs().max() > 1e-9


@pytest.mark.parametrize("multiplicity", [1, 2, 3])
def test_field_is_the_descent_of_the_loss_for_a_neuron_of_output_weight_one(multiplicity):
    x, y = random(9), random(9, seed=1)
    sigma, omega = ACTIVATIONS[multiplicity], random(2, seed=2).requires_grad_()
    linear = -(y * sigma(omega[0] * x + omega[1])).mean()
    (gradient,) = torch.autograd.grad(linear, omega)
    found = direction_field(omega[None], x, -y, sigma)[0]
    torch.testing.assert_close(found, -gradient, rtol=rtol("float64"), atol=0)


@pytest.mark.parametrize("multiplicity", [1, 2, 3])
def test_as_many_stable_lines_as_the_multiplicity(multiplicity):
    assert len(stable_lines(*figure_six(), ACTIVATIONS[multiplicity])) == multiplicity


@pytest.mark.parametrize("seed", range(20))
def test_for_any_data_at_most_p_lines_of_the_parity_of_p(seed):
    x, e = random(15, seed=seed), random(15, seed=100 + seed)
    counts = {p: len(stable_lines(x, e, sigma)) for p, sigma in ACTIVATIONS.items()}
    assert counts[1] == 1 and counts[2] == 2 and counts[3] in {1, 3}


def test_the_line_of_tanh_is_the_weighted_mean_input():
    x, e = random(15), random(15, seed=1)
    expected = math.atan2(float(-e.sum()), float(-(e * x).sum())) % math.pi
    assert float(stable_lines(x, e, torch.tanh)) == pytest.approx(expected, abs=rtol("grid angle"))


def test_the_lines_of_xtanh_are_the_eigenvectors_of_the_weighted_second_moment():
    x, e = random(15), random(15, seed=1)
    inputs = torch.stack([x, torch.ones_like(x)], dim=1)
    _, vectors = torch.linalg.eigh(inputs.T @ (e[:, None] * inputs))
    expected = sorted(math.atan2(float(b), float(w)) % math.pi for w, b in vectors.T)
    assert stable_lines(x, e, ACTIVATIONS[2]).tolist() == pytest.approx(expected, abs=rtol("grid angle"))


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_lines_depend_neither_on_the_scale_of_the_residuals_nor_on_the_radius(scale):
    x, e = figure_six()
    for sigma in ACTIVATIONS.values():
        lines = stable_lines(x, e, sigma)
        torch.testing.assert_close(stable_lines(x, e * scale, sigma), lines, rtol=0, atol=rtol("float64"))
        torch.testing.assert_close(stable_lines(x, e, sigma, radius=1e-5), lines, rtol=0, atol=1e-3)


def test_a_line_on_an_axis_is_counted_once():
    x = torch.tensor([-1.0, 1.0])
    assert stable_lines(x, torch.tensor([1.0, -1.0]), torch.tanh).tolist() == pytest.approx([0.0], abs=1e-9)
    assert stable_lines(x, torch.tensor([1.0, 1.0]), torch.tanh).tolist() == pytest.approx([math.pi / 2])


def test_no_residual_no_lines():
    x, e = figure_six()
    assert len(stable_lines(x, 0 * e, torch.tanh)) == 0


def test_it_works_where_gradients_are_switched_off():
    with torch.no_grad():
        assert len(stable_lines(*figure_six(), torch.tanh)) == 1


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"points \(G, 2\)"):
        direction_field(torch.ones(3, 3), torch.ones(4), torch.ones(4), torch.tanh)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_the_angle_to_lines_is_to_the_nearest_and_blind_to_sides(scale):
    lines = torch.tensor([0.1, 1.7], dtype=torch.float64)
    angle = torch.tensor([0.1, 0.1 + math.pi, 0.35, 1.7 - 0.2, -0.05, 3.2], dtype=torch.float64)
    neurons = scale * torch.stack([angle.cos(), angle.sin()], dim=1)
    slow = [min(math.acos(min(1.0, abs(math.cos(a - b)))) for b in lines.tolist()) for a in angle.tolist()]
    torch.testing.assert_close(angle_to_lines(neurons, lines), torch.tensor(slow).double(), rtol=0, atol=1e-7)
    assert float(angle_to_lines(neurons, lines)[2]) == pytest.approx(0.25)


def test_without_a_line_or_a_direction_there_is_no_angle():
    assert angle_to_lines(torch.ones(2, 2), torch.empty(0)).isnan().all()
    assert angle_to_lines(torch.zeros(1, 2), torch.tensor([0.3])).isnan().all()
    with pytest.raises(ValueError, match=r"expected neurons \(M, 2\)"):
        angle_to_lines(torch.ones(2, 3), torch.tensor([0.3]))


def test_neurons_in_all_directions_are_half_a_right_angle_from_one_line_in_the_mean():
    neurons = random(4000, 2)
    mean = float(angle_to_lines(neurons, torch.tensor([0.4], dtype=torch.float64)).mean())
    assert mean == pytest.approx(math.pi / 4, abs=0.03)
