"""How kernels move: whether they turn, grow or keep their direction.   # S members, M kernels, K entries a kernel"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from condense_core.measures import in_compiled_code
from condense_core.measures.kernels import norms_of, units_of


class Motion(NamedTuple):
    """Of each kernel, shape (M,), float64: how fast it turns, ‖u̇‖ = ‖ẇ - (ẇ·u)u‖ / r, and grows, |ṙ| = |ẇ·u|."""

    turning_M: Tensor
    growth_M: Tensor


def motion(weight_MK: Tensor, velocity_MK: Tensor) -> Motion:
    """Rates of the direction u = w/r and of the amplitude r = ‖w‖ (Zhou et al. 2022, eq. 8).

    `velocity_MK` is ẇ, under gradient flow -∂R/∂w. Turning is per unit of time, growth in units of the weights per unit
    of time: their ratio scales as 1/r, which is what remark 1 there says. NaN for a kernel of norm 0. ValueError where
    the shapes differ.
    """
    _check_shapes(weight_MK, velocity_MK)
    return _motion_of(units_of(weight_MK), norms_of(weight_MK), velocity_MK)


def velocity_alignment(weight_MK: Tensor, velocity_MK: Tensor) -> Tensor:
    """|cos| of each kernel with its own velocity, shape (M,), float64: 1 where it keeps its direction, u = ±ẇ/‖ẇ‖.

    Zhou et al. 2022, eq. 9: that is what condensed means for one kernel. NaN where a kernel or its velocity is zero.
    """
    _check_shapes(weight_MK, velocity_MK)
    return (units_of(weight_MK) * units_of(velocity_MK)).sum(dim=-1).abs().clamp_(max=1.0)


class Turning(NamedTuple):
    """Of each member's kernels, (S, M) float64: `Motion` as turning over growth, and `velocity_alignment`."""

    to_growth_SM: Tensor
    velocity_cos_SM: Tensor


def turning_of(unit_SMK: Tensor, norm_SM: Tensor, velocity_SMK: Tensor) -> Turning:
    """How kernels of these directions and norms turn, of all members at once; the velocities may have either sign."""
    velocity_SMK, functions = velocity_SMK.detach().to(torch.float64), in_compiled_code.functions()
    if functions is None or not in_compiled_code.is_for(unit_SMK):
        # neither depends on the size of the velocity
        rates = _motion_of(unit_SMK, norm_SM, units_of(velocity_SMK))
        return Turning(rates.turning_M / rates.growth_M, rates.growth_M.clamp(max=1.0))
    shape = unit_SMK.shape[:2]
    found = Turning(unit_SMK.new_empty(shape), unit_SMK.new_empty(shape))
    # of other shapes these are an error
    norm_SM, velocity_SMK = norm_SM.to(torch.float64).expand(shape), velocity_SMK.expand_as(unit_SMK)
    arrays = (unit_SMK, norm_SM, velocity_SMK, *found)
    functions["turning"](*(each.contiguous().numpy() for each in arrays), norm_SM.numel(), unit_SMK.shape[2])
    return found


def _motion_of(unit_MK: Tensor, norm_M: Tensor, velocity_MK: Tensor) -> Motion:
    rate_MK = velocity_MK.detach().to(torch.float64)
    along_M = (rate_MK * unit_MK).sum(dim=-1)
    across_MK = rate_MK - along_M[..., None] * unit_MK
    return Motion(torch.linalg.vector_norm(across_MK, dim=-1) / norm_M, along_M.abs())


def _check_shapes(weight_MK: Tensor, velocity_MK: Tensor) -> None:
    if weight_MK.shape != velocity_MK.shape:
        shapes = f"{tuple(weight_MK.shape)} and {tuple(velocity_MK.shape)}"
        raise ValueError(f"expected kernels and their velocities of one shape (M, K), got {shapes}")
