"""How large initial weights are, by every scheme of `experiment.Init`: the formulas alone, no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from condense_core.scenario.experiment import (
    FanOutPowerInit,
    GlorotNormalInit,
    GlorotUniformInit,
    HeNormalInit,
    Init,
    LayerPowersInit,
    MeanFanPowerInit,
    NormalInit,
    PhaseInit,
    WidthPowerInit,
)


@dataclass(frozen=True, kw_only=True)
class LayerSize:
    """What initialisation schemes read of a layer: its inputs, its outputs, and the pixels of a filter (dense: 1)."""

    n_in: int
    n_out: int
    filter_pixels: int = 1
    first_width: int
    """Width of the network's first hidden layer."""
    readout: bool = False
    """Whether it is the output layer."""
    place: int = 0
    """How many layers lie below it."""

    @property
    def fan_in(self) -> int:
        return self.n_in * self.filter_pixels

    @property
    def fan_out(self) -> int:
        return self.n_out * self.filter_pixels


def standard_deviation(init: Init, size: LayerSize) -> float:
    """Standard deviation of a weight of a layer of that size, for each scheme as `experiment` defines it."""
    match init:
        case NormalInit():
            return init.std
        case MeanFanPowerInit():
            return float(((size.fan_in + size.fan_out) / 2) ** -init.gamma)
        case WidthPowerInit():
            return float(size.first_width**-init.gamma)
        case FanOutPowerInit():
            return float(size.n_out**-init.gamma)
        case PhaseInit():
            sign = 1 if size.readout else -1
            return float(size.first_width ** (-(init.gamma + sign * init.gamma_prime) / 2))
        case LayerPowersInit():
            return float(size.first_width ** -init.gammas[size.place])
        case GlorotUniformInit() | GlorotNormalInit():
            return math.sqrt(2 / (size.fan_in + size.fan_out))
        case HeNormalInit():
            return math.sqrt(2 / size.fan_in)
