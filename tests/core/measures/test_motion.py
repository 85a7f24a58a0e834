"""How kernels move: turning and growth against finite differences, and kernels that keep their direction."""

import pytest
import torch
from planted import SCALES, generator
from tolerances import rtol

from condense_core.measures.motion import motion, velocity_alignment


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
