"""Where an initialisation lies in the phase diagram of two-layer networks.   # M width of the hidden layer"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Regime = Literal["linear", "critical", "condensed"]


@dataclass(frozen=True)
class PhasePoint:
    """Coordinates (γ, γ') of the phase diagram of Luo et al. 2021."""

    gamma: float
    gamma_prime: float

    @property
    def regime(self) -> Regime:
        """Linear for γ < 1 or γ' > γ - 1, condensed for γ > 1 and γ' < γ - 1, critical on the line between.

        Luo et al. 2021, thms 1 and 2: for ReLU, as M → ∞. At a finite width the boundary is a crossover, not a line.
        """
        boundary = max(0.0, self.gamma_prime)
        # coordinates are quotients of logarithms: equal to within their rounding
        if math.isclose(self.gamma, 1 + boundary, rel_tol=1e-12):
            return "critical"
        return "condensed" if self.gamma - 1 > boundary else "linear"


def phase_point(kernels: int, *, output_std: float, input_std: float, alpha: float = 1.0) -> PhasePoint:
    """γ = -ln κ / ln M, γ' = -ln κ' / ln M with κ = β1 β2 / α, κ' = β1 / β2, read at one width M (Luo et al. 2021).

    For f = (1/α) Σ_j a_j σ(w_j·x), a_j ~ N(0, β1²) (`output_std`) and w_j ~ N(0, β2²) (`input_std`). The paper's γ are
    limits as M → ∞; for stds that are powers of M alone this is the limit exactly, and a constant factor c in κ moves
    it by ln c / ln M. Only two-layer networks have these two coordinates. ValueError for M < 2 and values not above 0.
    """
    scales = (output_std, input_std, alpha)
    if kernels < 2 or not all(math.isfinite(scale) and scale > 0 for scale in scales):
        raise ValueError(f"expected M ≥ 2 and finite values above 0, got M = {kernels}, (β1, β2, α) = {scales}")
    log_output, log_input, log_alpha = map(math.log, scales)
    width = math.log(kernels)
    return PhasePoint(-(log_output + log_input - log_alpha) / width, -(log_output - log_input) / width)
