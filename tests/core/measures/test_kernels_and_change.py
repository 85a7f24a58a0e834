import math

import pytest
import torch
from planted import SCALES, generator
from tolerances import rtol

from condense_core.measures.change import gradient_norm, relative_change
from condense_core.measures.clusters import abs_cos_with_axis, condensed_lines
from condense_core.measures.kernels import kernel_norms, safe_norm, slices, unit_kernels

pytestmark = pytest.mark.usefixtures("either_way")


def random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, generator=generator(seed))


@pytest.mark.parametrize("scale", [1e-300, 1e-200, *SCALES, 1e200, 1e300])
def test_norms_are_right_at_any_scale(scale):
    weight = random(5, 7)
    expected = [math.hypot(*row) for row in (weight * scale).tolist()]
    assert kernel_norms(weight * scale).tolist() == pytest.approx(expected, rel=rtol("float64"))
    assert safe_norm(weight * scale) == pytest.approx(math.hypot(*expected), rel=rtol("float64"))


def test_the_norm_of_one_number_is_that_number():
    weight = torch.tensor([*range(1, 2000), 1.1, 1e308, 2e-308, 5e-324], dtype=torch.float64)
    assert torch.equal(kernel_norms(torch.stack([torch.zeros_like(weight), weight], dim=1)), weight)


def test_the_smallest_number_there_is_has_a_direction():
    weight = torch.tensor([[5e-324, 0.0], [1e-45, 1e-45]], dtype=torch.float64)
    torch.testing.assert_close(unit_kernels(weight)[0], torch.tensor([1.0, 0.0], dtype=torch.float64))
    assert unit_kernels(torch.tensor([[1e-45, 0.0]], dtype=torch.float32)).tolist() == [[1.0, 0.0]]


def test_norm_of_zero_is_zero_and_of_nan_is_nan_and_neither_has_a_direction():
    weight = torch.tensor([[0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0], [3.0, 4.0]])
    norms = kernel_norms(weight)
    assert norms[0] == 0 and norms[1:3].isnan().all() and norms[3] == 5
    assert unit_kernels(weight)[:3].isnan().all()
    torch.testing.assert_close(unit_kernels(weight)[3], torch.tensor([0.6, 0.8], dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_relative_change_equals_its_twin_and_notices_one_entry(dtype):
    initial, now = random(4, 3, 2, 2, dtype=dtype), random(4, 3, 2, 2, seed=1, dtype=dtype)
    start, end = initial.double().flatten().tolist(), now.double().flatten().tolist()
    expected = math.dist(start, end) / math.hypot(*start)
    assert relative_change(now, initial) == pytest.approx(expected, rel=rtol("float64"))
    perturbed = now.clone()
    perturbed[0, 0, 0, 0] += 1e-4
    assert relative_change(perturbed, initial) != pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("scale", [1e-200, *SCALES])
def test_relative_change_does_not_depend_on_the_scale(scale):
    initial, now = random(4, 5), random(4, 5, seed=1)
    expected = relative_change(now, initial)
    assert relative_change(now * scale, initial * scale) == pytest.approx(expected, rel=rtol("float64"))


def test_change_in_the_last_bit_of_float32_counts():
    initial = torch.ones(3)
    now = torch.nextafter(initial, torch.tensor(2.0))
    assert relative_change(now, initial) == pytest.approx(2.0**-23, rel=rtol("float64"))


def test_change_from_zero_has_no_relative_size():
    assert math.isnan(relative_change(torch.ones(3), torch.zeros(3)))
    assert math.isnan(relative_change(torch.tensor([math.nan]), torch.ones(1)))
    assert relative_change(torch.ones(3), torch.ones(3)) == 0.0


def test_change_between_different_shapes_is_refused():
    with pytest.raises(ValueError, match="one shape"):
        relative_change(torch.ones(3), torch.ones(4))


def test_gradient_norm_is_over_all_parameters_together():
    gradients = [torch.tensor([[3.0]]), None, torch.tensor([4.0, 12.0])]
    assert gradient_norm(gradients) == pytest.approx(13.0, rel=rtol("float64"))
    assert gradient_norm([gradients[0] * 1e-30]) == pytest.approx(3e-30, rel=rtol("float32"))
    assert gradient_norm([]) == 0.0


@pytest.mark.parametrize("scale", SCALES)
def test_slices_are_the_filters_per_output_and_input_channel(scale):
    weight_MK = scale * torch.randn(5, 3 * 4 + 1, dtype=torch.float64, generator=generator(1))
    rows = slices(weight_MK, 3, 4)
    assert rows.shape == (15, 4)
    assert torch.equal(rows[4], weight_MK[1, 4:8]), "second output, second input channel"
    with pytest.raises(ValueError, match="expected kernels of 4 × 4"):
        slices(weight_MK, 4, 4)


@pytest.mark.parametrize("scale", SCALES)
def test_slices_on_one_axis_are_told_from_kernels_that_are_not(scale):
    """Every slice is ± one 2-d filter, with signs that differ between kernels: slices agree, whole kernels do not."""
    sign = torch.randint(0, 2, (40, 6, 1), generator=generator(2), dtype=torch.float64) * 2 - 1
    shared = random(9, seed=3)
    weight_MK = scale * (sign * shared).flatten(1)
    assert abs_cos_with_axis(slices(weight_MK, 6, 9)) == pytest.approx(1, abs=1e-12)
    assert abs_cos_with_axis(weight_MK) < 0.8
    assert abs_cos_with_axis(weight_MK) == pytest.approx(condensed_lines(weight_MK).mean_abs_cos, rel=1e-12)
    assert math.isnan(abs_cos_with_axis(weight_MK[:1]))
