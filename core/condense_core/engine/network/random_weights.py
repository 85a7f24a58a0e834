"""Random initial weights of one layer, by every scheme of `experiment.Init`.

Apart from the model because the draw must not depend on it: always float64 on the CPU from a generator of one's own,
then cast, so that float32 and float64 runs, on any device, start from the same numbers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from condense_core.scenario.experiment import GlorotUniformInit, Init
from condense_core.scenario.init_std import LayerSize, standard_deviation

__all__ = ["LayerSize", "draw", "standard_deviation"]


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
