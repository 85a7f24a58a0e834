"""How kernels move: turning and growth against finite differences, and kernels that keep their direction."""

import pytest
import torch
from planted import SCALES, generator
from tolerances import rtol

from condense_core.measures.kernels import norms_of, units_of
from condense_core.measures.motion import motion, turning_of, velocity_alignment

pytestmark = pytest.mark.usefixtures("either_way")


def random(*shape, seed):
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed))


def test_turning_and_growth_are_how_direction_and_norm_change():
    weight, velocity = random(6, 5, seed=0), random(6, 5, seed=1)
    found = motion(weight, velocity)
    h = 1e-6
    for row in range(6):
        before, after = weight[row] - h * velocity[row], weight[row] + h * velocity[row]
        turned = (after / after.norm() - before / before.norm()).norm() / (2 * h)
        grown = (after.norm() - before.norm()).abs() / (2 * h)
        assert float(found.turning_M[row]) == pytest.approx(float(turned), rel=1e-8)
        assert float(found.growth_M[row]) == pytest.approx(float(grown), rel=1e-8)
    other = motion(weight, velocity + 0.01 * random(6, 5, seed=2))
    assert not torch.allclose(found.turning_M, other.turning_M, rtol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_smaller_kernels_turn_as_much_faster_than_they_grow(scale):
    weight, velocity = random(6, 5, seed=0), random(6, 5, seed=1)
    here, there = motion(weight, velocity), motion(scale * weight, scale * velocity)
    torch.testing.assert_close(there.turning_M, here.turning_M, rtol=rtol("float64"), atol=0)
    torch.testing.assert_close(there.growth_M, scale * here.growth_M, rtol=rtol("float64"), atol=0)
    torch.testing.assert_close(
        velocity_alignment(scale * weight, velocity), velocity_alignment(weight, velocity), rtol=rtol("float64"), atol=0
    )


def test_a_kernel_that_keeps_its_direction_lies_along_its_velocity_on_either_side():
    weight = random(4, 3, seed=3)
    velocity = torch.tensor([[2.0], [-0.5], [1e-9], [-7.0]], dtype=torch.float64) * weight
    torch.testing.assert_close(velocity_alignment(weight, velocity), torch.ones(4, dtype=torch.float64))
    assert float(motion(weight, velocity).turning_M.max()) < 1e-12
    across = torch.linalg.cross(weight, random(4, 3, seed=4))
    assert float(velocity_alignment(weight, across).max()) < 1e-12


def test_a_kernel_of_norm_zero_has_no_motion_and_shapes_must_fit():
    weight, velocity = torch.zeros(1, 3), torch.ones(1, 3)
    assert bool(torch.isnan(motion(weight, velocity).turning_M).all())
    assert bool(torch.isnan(velocity_alignment(weight, velocity)).all())
    assert bool(torch.isnan(velocity_alignment(velocity, weight)).all())
    with pytest.raises(ValueError, match=r"of one shape \(M, K\), got \(1, 3\) and \(1, 4\)"):
        motion(weight, torch.ones(1, 4))


@pytest.mark.parametrize("scale", [5e-324, 1e-310, *SCALES, 1e300])
def test_turning_of_all_members_is_that_of_each_kernel(scale):
    weight_SMK, velocity_SMK = random(3, 7, 5, seed=3), random(3, 7, 5, seed=4)
    velocity_SMK[0, 0] = 2 * weight_SMK[0, 0]
    expected = [motion(*each) for each in zip(weight_SMK, velocity_SMK, strict=True)]
    ratio_SM = torch.stack([each.turning_M / each.growth_M for each in expected])
    cosine_SM = torch.stack([velocity_alignment(*each) for each in zip(weight_SMK, velocity_SMK, strict=True)])
    if scale < 1e-307:
        # so few bits are left of what is that small
        velocity_SMK = velocity_SMK.sign()
        ratio_SM, cosine_SM = turning_of(units_of(weight_SMK), norms_of(weight_SMK), velocity_SMK)
    found = turning_of(units_of(weight_SMK), norms_of(weight_SMK), velocity_SMK * scale)
    torch.testing.assert_close(found.velocity_cos_SM, cosine_SM, rtol=rtol("float64"), atol=0)
    torch.testing.assert_close(found.to_growth_SM, ratio_SM, rtol=1e-9, atol=1e-14)
    assert found.velocity_cos_SM.shape == (3, 7) and float(cosine_SM.min()) < 0.5


def test_what_has_no_direction_or_does_not_move_does_not_turn():
    weight_SMK, velocity_SMK = random(1, 5, 3, seed=5), random(1, 5, 3, seed=6)
    weight_SMK[0, 1], velocity_SMK[0, 2] = 0.0, 0.0
    velocity_SMK[0, 3, 0], velocity_SMK[0, 4, 1] = torch.nan, torch.inf
    found = turning_of(units_of(weight_SMK), norms_of(weight_SMK), velocity_SMK)
    for each_SM in found:
        assert each_SM.isnan().tolist() == [[False, True, True, True, True]]
