"""Linear dynamics of a two-layer network at small weights, in closed form.

# M kernels, K entries a kernel, d outputs, P patch positions, R = d·P, r = min(R, K) modes, S steps
# θ_W kernels (M, K), θ_a readout (M, R): gradient descent moves θ_W by h Zᵀθ_a and θ_a by h Zθ_W
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from condense_core.measures.kernels import as_kernels
from condense_core.measures.principal import fix_sign
from condense_core.thresholds import ARRIVED

# Steps looked through for it: a million take 2 s, and runs that follow the theory are shorter.
MOST_STEPS = 1_000_000
# Part of (γ - 1/2) ln M / λ1 in which weights of M^-γ stay small enough for the theory; ours, the proof takes less.
SHARE_OF_TIME = 0.75


@dataclass(frozen=True, eq=False)
class LinearDynamics:
    """The modes of one start: singular values λ (r,) and vectors v_k, and the start's components c and d on them.

    c_k = ⟨θ_W(0), v_k⟩ and d_k = ⟨θ_a(0), u_k⟩ for each kernel, and what of θ_W lies off all v_k, all divided by
    `scale`, the largest weight. `lr` is the step h of gradient descent; None for gradient flow, where a step is a time.
    """

    values: Tensor
    v_rK: Tensor
    c_Mr: Tensor
    d_Mr: Tensor
    rest_MK: Tensor
    scale: float
    lr: float | None


def readout_of_kernels(readout_dF: Tensor, kernels: int) -> Tensor:
    """The weights of a linear layer after a flattened convolution as θ_a, shape (M, d·P); F = M·P, kernel by kernel."""
    outputs, features = readout_dF.shape
    if features % kernels:
        raise ValueError(f"readout_dF: expected a multiple of {kernels} kernels in its last dimension, got {features}")
    return readout_dF.reshape(outputs, kernels, -1).transpose(0, 1).reshape(kernels, -1)


def linear_dynamics(
    signal_RK: Tensor, weight_MK: Tensor, readout_MR: Tensor, *, lr: float | None, slope: float = 1.0
) -> LinearDynamics:
    """Prepare the closed form of θ_W(t) from the signal matrix and both layers' initial weights (Zhou et al. 2025, §5).

    `slope` is σ'(0), which multiplies Z; `lr` the step of plain gradient descent, or None for gradient flow. Valid for
    multiplicity 1, σ(0) = 0, full batch without momentum, no trained output bias, and while outputs are far smaller
    than labels and θ_W·x than 1: the residual that Z was made of is taken as constant. The relative error grows as the
    square of the weights, so as exp(2 λ1 t): with a start of 1e-4 it was 2e-7, 3e-5, 2e-3 at λ1 t = 1, 3, 5, with 1e-6
    ten thousand times less. A signal matrix that is zero or not finite has no modes, and all predictions are NaN.
    ValueError if shapes do not fit.
    """
    signal_RK, weight_MK, readout_MR = as_kernels(signal_RK), as_kernels(weight_MK), as_kernels(readout_MR)
    shapes = (tuple(signal_RK.shape), tuple(weight_MK.shape), tuple(readout_MR.shape))
    (rows, entries), (kernels, _), _ = shapes
    if shapes[1:] != ((kernels, entries), (kernels, rows)):
        raise ValueError(f"expected a signal matrix (R, K), kernels (M, K) and a readout (M, R), got {shapes}")
    if lr is not None and not (math.isfinite(lr) and lr > 0):
        raise ValueError(f"lr: expected a finite number above 0, or None for gradient flow, got {lr}")
    largest = float(signal_RK.abs().max())
    modes = min(rows, entries)
    if math.isfinite(largest) and largest > 0:
        u_Rr, values, v_rK = torch.linalg.svd(signal_RK / largest, full_matrices=False)
        sign_r = torch.stack([_sign_of(v_K) for v_K in v_rK])
        u_Rr, v_rK = u_Rr * sign_r, v_rK * sign_r[:, None]
    else:
        u_Rr, values, v_rK = (
            signal_RK.new_full(shape, torch.nan) for shape in ((rows, modes), (modes,), (modes, entries))
        )
    scale = max(float(weight_MK.abs().max()), float(readout_MR.abs().max())) or 1.0
    weight_MK, readout_MR = weight_MK / scale, readout_MR / scale
    c_Mr = weight_MK @ v_rK.T
    rest_MK = weight_MK - c_Mr @ v_rK
    return LinearDynamics(values * largest * slope, v_rK, c_Mr, readout_MR @ u_Rr, rest_MK, scale, lr)


def log_growth(dynamics: LinearDynamics, step: float) -> float:
    """Logarithm of the factor by which the top mode has grown: s·ln(1 + hλ1), or λ1·t for gradient flow."""
    top = float(dynamics.values[0].abs())
    return step * (top if dynamics.lr is None else math.log1p(dynamics.lr * top))


def predicted_kernels(dynamics: LinearDynamics, step: float, *, scaled: bool = False) -> Tensor:
    """θ_W at a step (or time), shape (M, K), float64: ⟨θ_W, v_k⟩ = c_k cosh λ_k t + d_k sinh λ_k t, the rest unchanged.

    For gradient descent cosh and sinh are ½[(1 + hλ)^s ± (1 - hλ)^s], exact for the linear system. `scaled` leaves out
    the factor exp(log_growth), so that no time is too long; without it entries pass 1e308 at λ1·t about 700.
    """
    cosh_Sr, sinh_Sr, still_S = _factors(dynamics, torch.tensor([float(step)], dtype=torch.float64))
    amplitude_Mr = dynamics.c_Mr * cosh_Sr[0] + dynamics.d_Mr * sinh_Sr[0]
    kernels_MK = amplitude_Mr @ dynamics.v_rK + dynamics.rest_MK * still_S[0]
    grown = torch.tensor(0.0 if scaled else log_growth(dynamics, step), dtype=torch.float64).exp()
    return kernels_MK * dynamics.scale * grown.to(kernels_MK.device)


def predicted_ratio(dynamics: LinearDynamics, step_S: Tensor) -> Tensor:
    """‖P_v1 θ_W‖ / ‖θ_W‖ at each of the steps (or times), shape (S,), float64, in [0, 1]; NaN for zero weights.

    Tends to 1 where λ1 > λ2; where the two are equal it tends to the share that the start gives to v1.
    """
    cosh_Sr, sinh_Sr, still_S = _factors(dynamics, step_S.to(torch.float64))
    cc_r, dd_r = dynamics.c_Mr.square().sum(dim=0), dynamics.d_Mr.square().sum(dim=0)
    cd_r = (dynamics.c_Mr * dynamics.d_Mr).sum(dim=0)
    square_Sr = (cc_r * cosh_Sr.square() + dd_r * sinh_Sr.square() + 2 * cd_r * cosh_Sr * sinh_Sr).clamp_(min=0.0)
    total_S = square_Sr.sum(dim=1) + dynamics.rest_MK.square().sum() * still_S.square()
    return (square_Sr[:, 0] / total_S).sqrt()


def predicted_condensation(
    dynamics: LinearDynamics, *, ratio: float = ARRIVED, at_most: int = MOST_STEPS
) -> int | None:
    """First step of gradient descent at which `predicted_ratio` is at least `ratio`; None if none up to `at_most`.

    Every step is checked, since the ratio may dip before it grows. ValueError for gradient flow, which has no steps.
    """
    if dynamics.lr is None:
        raise ValueError("predicted step of condensation: expected a learning rate; gradient flow has times, not steps")
    start, length = 0, 256
    while start <= at_most:
        step_S = torch.arange(start, min(start + length, at_most + 1), dtype=torch.float64)
        reached = torch.nonzero(predicted_ratio(dynamics, step_S) >= ratio)
        if len(reached):
            return start + int(reached[0])
        start, length = start + length, min(2 * length, 65_536)
    return None


def effective_time(gamma: float, kernels: int, lambda1: float, *, share: float = SHARE_OF_TIME) -> float:
    """T = share · (γ - ½) ln M / λ1: how long weights of std M^-γ follow the linear dynamics (Zhou et al. 2025, thm 1).

    In units of time: divide by h for steps. As M grows, by T the relative change grows without bound and the ratio
    tends to 1. ValueError for γ ≤ ½, where the theorem does not hold, for M < 2 and for λ1 ≤ 0.
    """
    if not (gamma > 0.5 and kernels >= 2 and lambda1 > 0):
        raise ValueError(f"expected γ > 1/2, M ≥ 2 and λ1 > 0, got γ = {gamma}, M = {kernels}, λ1 = {lambda1}")
    return share * (gamma - 0.5) * math.log(kernels) / lambda1


def _factors(dynamics: LinearDynamics, step_S: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """cosh and sinh (S, r) and the 1 of what stays (S,), all divided by the growth of the top mode."""
    values_r, lr = dynamics.values, dynamics.lr
    step_S1 = step_S.to(values_r.device)[:, None]
    top = values_r[0].abs()
    if lr is None:
        plus_Sr, minus_Sr = (step_S1 * (values_r - top)).exp(), (step_S1 * (-values_r - top)).exp()
        still_S1 = (-step_S1 * top).exp()
    else:
        # bases of at most 1 in size: no power of them overflows
        grown = 1 + lr * top
        plus_Sr, minus_Sr = ((1 + lr * values_r) / grown) ** step_S1, ((1 - lr * values_r) / grown) ** step_S1
        still_S1 = (1 / grown) ** step_S1
    return (plus_Sr + minus_Sr) / 2, (plus_Sr - minus_Sr) / 2, still_S1[:, 0]


def _sign_of(v_K: Tensor) -> Tensor:
    return v_K.new_tensor(1.0 if torch.equal(fix_sign(v_K), v_K) else -1.0)
