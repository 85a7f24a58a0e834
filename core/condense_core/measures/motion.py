"""How kernels move: whether they turn, grow or keep their direction.   # M kernels, K entries a kernel

Of several members at once where kernels and velocities have one more dimension before these two.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

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
    return motion_of(units_of(weight_MK), norms_of(weight_MK), velocity_MK)


def motion_of(unit_MK: Tensor, norm_M: Tensor, velocity_MK: Tensor) -> Motion:
    """`motion` of kernels whose directions and norms are known."""
    rate_MK = velocity_MK.detach().to(torch.float64)
    along_M = (rate_MK * unit_MK).sum(dim=-1)
    across_MK = rate_MK - along_M[..., None] * unit_MK
    return Motion(torch.linalg.vector_norm(across_MK, dim=-1) / norm_M, along_M.abs())


def velocity_alignment(weight_MK: Tensor, velocity_MK: Tensor) -> Tensor:
    """|cos| of each kernel with its own velocity, shape (M,), float64: 1 where it keeps its direction, u = ±ẇ/‖ẇ‖.

    Zhou et al. 2022, eq. 9: that is what condensed means for one kernel. NaN where a kernel or its velocity is zero.
    """
    _check_shapes(weight_MK, velocity_MK)
    return velocity_alignment_of(units_of(weight_MK), velocity_MK)


def velocity_alignment_of(unit_MK: Tensor, velocity_MK: Tensor) -> Tensor:
    """`velocity_alignment` of kernels whose directions are known."""
    return (unit_MK * units_of(velocity_MK)).sum(dim=-1).abs().clamp_(max=1.0)


def _check_shapes(weight_MK: Tensor, velocity_MK: Tensor) -> None:
    if weight_MK.shape != velocity_MK.shape:
        shapes = f"{tuple(weight_MK.shape)} and {tuple(velocity_MK.shape)}"
        raise ValueError(f"expected kernels and their velocities of one shape (M, K), got {shapes}")
