"""Where an initialisation lies in the phase diagram of two-layer networks.   # M width of the hidden layer

No torch: reports name the regime of a scenario beside its verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from condense_core.scenario.data_sizes import input_shape, output_count
from condense_core.scenario.experiment import Block, Conv, Experiment
from condense_core.scenario.init_std import LayerSize, standard_deviation

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


def phase_of(experiment: Experiment) -> PhasePoint | None:
    """The phase point of a scenario with one hidden layer, from the formulas of its initialisation and α = 1.

    The readout of a convolution has an entry for every position; its std is that of one of them. None if there are
    more hidden layers or a trunk, where batch normalisation undoes the scale, where weights come from a file, for a
    width of 1, for weights too small or too large for a float, and where what the data are is not known because their
    folder or file is not here.
    """
    if len(experiment.layers) > 1 or experiment.trunk is not None or experiment.initial is not None:
        return None
    layer, width = experiment.layers[0], experiment.layers[0].width
    if isinstance(layer, Block) or experiment.batch_norm:
        return None
    readouts = output_count(experiment.data)
    shape = input_shape(experiment.data)
    if width < 2 or readouts is None or shape is None:
        return None
    channels, side = shape
    if isinstance(layer, Conv):
        inputs, pixels, positions = channels, layer.size**2, max(1, layer.side_after(side)) ** 2
    else:
        inputs, pixels, positions = channels * side**2, 1, 1
    hidden = LayerSize(n_in=inputs, n_out=width, filter_pixels=pixels, first_width=width)
    readout = LayerSize(n_in=width * positions, n_out=readouts, first_width=width, readout=True, place=1)
    try:
        return phase_point(
            width,
            output_std=standard_deviation(experiment.init, readout),
            input_std=standard_deviation(experiment.init, hidden),
        )
    except (ValueError, OverflowError):
        return None
