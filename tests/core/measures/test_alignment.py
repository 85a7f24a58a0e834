import math

import pytest
import torch
from planted import SCALES, generator, orthogonal_axes
from tolerances import rtol

from condense_core.measures.alignment import alignment, alignments, ones_alignment, projection_ratio
from condense_core.measures.kernels import units_of

pytestmark = pytest.mark.usefixtures("either_way")


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed))


def slow_cosine(row, direction):
    return sum(a * b for a, b in zip(row, direction, strict=True)) / math.hypot(*row) / math.hypot(*direction)


def test_alignment_equals_the_cosine_row_by_row_and_notices_a_change():
    weight, direction = random(6, 9), random(9, seed=1)
    expected = [slow_cosine(row, direction.tolist()) for row in weight.tolist()]
    assert alignment(weight, direction).tolist() == pytest.approx(expected, rel=rtol("float64"))
    weight[2, 3] += 1e-4
    assert alignment(weight, direction).tolist() != pytest.approx(expected, rel=1e-7)


def test_alignment_is_signed():
    axis = orthogonal_axes(1, 9, seed=0)
    weight = torch.cat([axis, -3 * axis])
    assert alignment(weight, axis[0]).tolist() == pytest.approx([1.0, -1.0])


def test_ratio_equals_norm_of_projection_over_norm():
    weight, direction = random(6, 9), random(9, seed=1)
    projected = [math.hypot(*row) * slow_cosine(row, direction.tolist()) for row in weight.tolist()]
    expected = math.hypot(*projected) / math.hypot(*weight.flatten().tolist())
    assert projection_ratio(weight, direction) == pytest.approx(expected, rel=rtol("float64"))
    assert projection_ratio(weight, random(9, seed=2)) != pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("scale", [1e-200, *SCALES])
def test_neither_depends_on_the_scale_of_weights_or_direction(scale):
    weight, direction = random(6, 9), random(9, seed=1)
    cosine, ratio = alignment(weight, direction), projection_ratio(weight, direction)
    torch.testing.assert_close(alignment(weight * scale, direction), cosine, rtol=0, atol=1e-14)
    torch.testing.assert_close(alignment(weight, direction * scale), cosine, rtol=0, atol=1e-14)
    assert projection_ratio(weight * scale, direction / scale) == pytest.approx(ratio, rel=rtol("float64"))


def test_float32_weights_of_1e_30():
    weight, direction = random(6, 9).float(), random(9, seed=1)
    tiny = weight * 1e-30
    torch.testing.assert_close(alignment(tiny, direction), alignment(weight, direction), rtol=0, atol=rtol("float32"))
    assert projection_ratio(tiny, direction) == pytest.approx(projection_ratio(weight, direction), rel=rtol("float32"))


def test_a_kernel_of_norm_zero_lies_nowhere_and_changes_no_ratio():
    weight, direction = random(6, 9), random(9, seed=1)
    beside = torch.cat([weight, torch.zeros(2, 9, dtype=torch.float64)])
    assert projection_ratio(beside, direction) == pytest.approx(projection_ratio(weight, direction), rel=1e-14)
    assert alignment(beside, direction).isnan().tolist() == [False] * 6 + [True] * 2


def test_directions_of_other_members_or_entries_are_refused():
    unit_SMK = units_of(random(3, 5, 4))
    with pytest.raises(RuntimeError):
        alignments(unit_SMK, random(2, 4))
    with pytest.raises(RuntimeError):
        alignments(unit_SMK, random(3, 5))
    # one for all is that of each
    one_K = random(4, seed=2)
    assert torch.equal(alignments(unit_SMK, one_K[None]), alignments(unit_SMK, one_K.expand(3, 4)))


def test_kernels_on_the_direction_have_ratio_one_and_on_others_zero():
    axes = orthogonal_axes(2, 9, seed=0)
    assert projection_ratio(random(6, 1) * axes[0], axes[0]) == pytest.approx(1.0, rel=1e-15)
    assert projection_ratio(random(6, 1) * axes[0], axes[1]) < 1e-15


def test_a_kernel_without_direction_is_nan_and_alone_so():
    weight = random(3, 4)
    weight[1] = 0
    assert alignment(weight, random(4, seed=1)).isnan().tolist() == [False, True, False]


@pytest.mark.parametrize("direction", [torch.zeros(4), torch.full((4,), math.nan)])
def test_no_direction_gives_nan(direction):
    weight = random(3, 4)
    assert alignment(weight, direction).isnan().all()
    assert math.isnan(projection_ratio(weight, direction))


def test_weights_that_are_all_zero_have_no_ratio():
    assert math.isnan(projection_ratio(torch.zeros(3, 4), torch.ones(4)))


@pytest.mark.parametrize("measure", [alignment, projection_ratio])
def test_a_bias_on_one_side_only_is_refused(measure):
    with pytest.raises(ValueError, match="a bias in both or in neither"):
        measure(torch.ones(3, 4), torch.ones(5))


def test_a_filters_cosine_with_all_ones_is_its_mean_over_its_root_mean_square():
    weight = random(7, 19)
    filters = weight[:, :18]
    expected = filters.mean(dim=1) / filters.square().mean(dim=1).sqrt()
    torch.testing.assert_close(ones_alignment(weight, 18), expected, rtol=rtol("float64"), atol=1e-15)
    assert not torch.allclose(ones_alignment(weight + 0.01 * random(7, 19, seed=1), 18), expected, rtol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_flat_filters_lie_along_all_ones_whatever_their_bias(scale):
    weight = scale * torch.cat([torch.tensor([[1.0], [-2.0]]).double().expand(2, 9), random(2, 1)], dim=1)
    torch.testing.assert_close(ones_alignment(weight, 9), torch.tensor([1.0, -1.0], dtype=torch.float64))
    with pytest.raises(ValueError, match="expected 1 to the kernels' own length, got 11"):
        ones_alignment(weight, 11)
