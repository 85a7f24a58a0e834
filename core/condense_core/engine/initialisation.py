"""Random initial weights of one layer, by every scheme of `experiment.Init`.

Apart from the model because the draw must not depend on it: always float64 on the CPU from a generator of one's own,
then cast, so that float32 and float64 runs, on any device, start from the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from condense_core.experiment import (
    FanOutPowerInit,
    GlorotNormalInit,
    GlorotUniformInit,
    HeNormalInit,
    Init,
    MeanFanPowerInit,
    NormalInit,
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
        case GlorotUniformInit() | GlorotNormalInit():
            return math.sqrt(2 / (size.fan_in + size.fan_out))
        case HeNormalInit():
            return math.sqrt(2 / size.fan_in)


def draw(
    init: Init, size: LayerSize, shape: tuple[int, ...], *, generator: torch.Generator, dtype: torch.dtype
) -> Tensor:
    """Independent weights of that shape, on the CPU, with mean 0 and `standard_deviation(init, size)`.

    The same generator state gives the same weights in every dtype, up to the rounding of the cast.
    """
    deviation = standard_deviation(init, size)
    if isinstance(init, GlorotUniformInit):
        bound = math.sqrt(3) * deviation
        weight = (2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1) * bound
    else:
        weight = torch.randn(shape, generator=generator, dtype=torch.float64) * deviation
    return weight.to(dtype)
