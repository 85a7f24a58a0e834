"""How a scenario's first weights are drawn."""

from __future__ import annotations

from typing import Literal

from condense_core.scenario.checked import Checked, positive, require

InitBias = Literal["zero", "same"]


class _Init(Checked, frozen=True, kw_only=True):
    bias: InitBias = "zero"
    """Biases start at 0, or are drawn as the layer's weights are."""


class NormalInit(_Init, frozen=True, kw_only=True, tag_field="scheme", tag="normal"):
    """N(0, std²) for every layer."""

    std: float
    """Standard deviation of every weight."""

    def __post_init__(self) -> None:
        positive("std", self.std)


class _PowerInit(_Init, frozen=True, kw_only=True):
    gamma: float
    """The exponent γ: the larger it is, the smaller the initial weights."""

    def __post_init__(self) -> None:
        # beyond it a width to that power is no float
        require(-30 <= self.gamma <= 1000, "gamma", "-30 to 1000", self.gamma)


class MeanFanPowerInit(_PowerInit, frozen=True, kw_only=True, tag_field="scheme", tag="mean-fan-power"):
    """std = ((c_in + c_out) m² / 2)^-γ for convolutions, ((n_in + n_out) / 2)^-γ for linear layers
    (Zhou et al. 2025)."""


class WidthPowerInit(_PowerInit, frozen=True, kw_only=True, tag_field="scheme", tag="width-power"):
    """std = M^-γ in every layer, M the width of the first hidden layer: for width studies (Zhou et al. 2025, thm 1)."""


class FanOutPowerInit(_PowerInit, frozen=True, kw_only=True, tag_field="scheme", tag="fan-out-power"):
    """std = m_out^-γ, m_out the layer's own width; γ = 1.5 gives the N(0, m_out^-3) of Zhou et al. 2022."""


class PhaseInit(_PowerInit, frozen=True, kw_only=True, tag_field="scheme", tag="phase"):
    """A point of the phase diagram of two-layer networks, with α = 1 (Luo et al. 2021): std = M^-((γ + γ')/2) of the
    output layer and M^-((γ - γ')/2) of the hidden one, M its width. Their product is M^-γ, their quotient M^-γ'."""

    gamma_prime: float
    """The exponent γ' by which the two layers differ; 0 draws both alike."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(-30 <= self.gamma_prime <= 30, "gamma_prime", "-30 to 30", self.gamma_prime)


class GlorotUniformInit(_Init, frozen=True, kw_only=True, tag_field="scheme", tag="glorot-uniform"):
    """Uniform with variance 2 / (fan_in + fan_out)."""


class GlorotNormalInit(_Init, frozen=True, kw_only=True, tag_field="scheme", tag="glorot-normal"):
    """Normal with variance 2 / (fan_in + fan_out)."""


class HeNormalInit(_Init, frozen=True, kw_only=True, tag_field="scheme", tag="he-normal"):
    """Normal with variance 2 / fan_in."""


class LayerPowersInit(_Init, frozen=True, kw_only=True, tag_field="scheme", tag="layer-powers"):
    """std = M^-γ_l, M the width of the first hidden layer, with an exponent for every layer, the output layer's last:
    for phase diagrams of deeper networks, where one layer can stay linear and another condense (after Zhou et al.
    2022, arXiv 2205.12101; the parametrisation is ours)."""

    gammas: tuple[float, ...]
    """An exponent for every hidden layer, and one for the output layer."""

    def __post_init__(self) -> None:
        require(len(self.gammas) >= 2, "gammas", "an exponent for every layer and the output layer", self.gammas)
        require(all(-30 <= gamma <= 30 for gamma in self.gammas), "gammas", "-30 to 30", self.gammas)


Init = (
    NormalInit
    | MeanFanPowerInit
    | WidthPowerInit
    | FanOutPowerInit
    | PhaseInit
    | LayerPowersInit
    | GlorotUniformInit
    | GlorotNormalInit
    | HeNormalInit
)
