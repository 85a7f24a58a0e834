"""Of a layer with very many kernels some are measured.   # M kernels"""

from __future__ import annotations

import zlib

import torch
from torch import Tensor

# Kernels that are compared, pair by pair: time and memory grow with their square.
MOST_KERNELS = 1_024


def drawn_kernels(layer: str, kernels: int) -> Tensor | None:
    """Which of a layer's kernels are measured, ascending: always the same ones, drawn by the layer's name alone; None
    where they are not too many, and all are."""
    if kernels <= MOST_KERNELS:
        return None
    generator = torch.Generator().manual_seed(zlib.crc32(layer.encode()))
    return torch.randperm(kernels, generator=generator)[:MOST_KERNELS].sort().values
