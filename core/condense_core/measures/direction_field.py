"""Where small neurons are driven: the direction field over (weight, bias).   # N samples, G points, A angles"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

Activation = Callable[[Tensor], Tensor]

# |ω| at which stable lines are read: small enough for σ to be its first term, x^p, to within 1e-6.
SMALL_RADIUS = 1e-3
# A quarter of a degree apart: two lines closer than that are one to any eye.
ANGLES = 720


def direction_field(omega_G2: Tensor, input_N: Tensor, residual_N: Tensor, activation: Activation) -> Tensor:
    """ω̇ = -(1/n) Σ_i e_i σ'(ω·x_i) x_i at points ω = (w, b), shape (G, 2), float64 (Zhou et al. 2022, fig. 6).

    For one-dimensional inputs with x_i = (x, 1), and e_i = ∂loss_i/∂f. This is the velocity of a neuron with output
    weight 1; it is the other way round for -1. It holds while the outputs stay far below the labels.
    """
    if omega_G2.ndim != 2 or omega_G2.shape[1] != 2 or input_N.ndim != 1 or input_N.shape != residual_N.shape:
        shapes = tuple(tuple(tensor.shape) for tensor in (omega_G2, input_N, residual_N))
        raise ValueError(f"expected points (G, 2), inputs (N,) and residuals (N,), got {shapes}")
    x_N = input_N.detach().to(torch.float64)
    x_N2 = torch.stack([x_N, torch.ones_like(x_N)], dim=1)
    e_N = residual_N.detach().to(torch.float64)
    slope_GN = _derivative(activation, omega_G2.detach().to(torch.float64) @ x_N2.T)
    return -(slope_GN * e_N) @ x_N2 / len(x_N)


def stable_lines(
    input_N: Tensor,
    residual_N: Tensor,
    activation: Activation,
    *,
    radius: float = SMALL_RADIUS,
    angles: int = ANGLES,
) -> Tensor:
    """Angles in [0, π) of the lines through 0 that small neurons turn to, shape (lines,), radians, rising.

    They are the sign changes of the field's tangential component over a half circle of |ω| = radius: each line attracts
    neurons of one sign of output weight on at least one of its sides. For multiplicity p the component is a form of
    degree p in (cos φ, sin φ), so there are at most p lines, of the same parity as p: exactly 1 for tanh, 2 for x·tanh
    (0 only if the data are degenerate), 3 or 1 for x²·tanh as the data decide. Empty where the field vanishes.
    """
    # half a step off: data that are symmetric put lines exactly on 0 and π/2, where the component is 0
    angle_A = (torch.arange(angles + 1, dtype=torch.float64, device=input_N.device) + 0.5) * math.pi / angles
    radial_A2 = torch.stack([angle_A.cos(), angle_A.sin()], dim=1)
    tangent_A2 = torch.stack([-angle_A.sin(), angle_A.cos()], dim=1)
    along_A = (direction_field(radius * radial_A2, input_N, residual_N, activation) * tangent_A2).sum(dim=1)
    angle_A, along_A = angle_A[along_A != 0], along_A[along_A != 0]
    before, after = along_A[:-1], along_A[1:]
    change = before.sign() != after.sign()
    crossing = angle_A[:-1] + (angle_A[1:] - angle_A[:-1]) * before / (before - after)
    return (crossing[change] % math.pi).sort().values


def angle_to_lines(weight_M2: Tensor, angle_L: Tensor) -> Tensor:
    """Angle of each neuron (w, b) to the nearest of the lines at `angle_L`, shape (M,), radians, 0 to π/2.

    NaN for a neuron that is zero, and for all where there is no line. ValueError for neurons that are not (M, 2).
    """
    if weight_M2.ndim != 2 or weight_M2.shape[1] != 2:
        raise ValueError(f"expected neurons (M, 2), got {tuple(weight_M2.shape)}")
    rows_M2 = weight_M2.detach().to(torch.float64)
    angle_M = torch.where((rows_M2 == 0).all(dim=1), torch.nan, torch.atan2(rows_M2[:, 1], rows_M2[:, 0]))
    if len(angle_L) == 0:
        return torch.full_like(angle_M, torch.nan)
    # lines have no side: two angles are at most a right angle apart
    apart_ML = (angle_M[:, None] - angle_L.to(torch.float64)[None]).remainder(math.pi)
    return torch.minimum(apart_ML, math.pi - apart_ML).amin(dim=1)


def _derivative(activation: Activation, values: Tensor) -> Tensor:
    with torch.enable_grad():
        at = values.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(activation(at).sum(), at)
    return slope
