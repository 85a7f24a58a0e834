"""Of very many kernels, or samples, some are measured.   # M kernels"""

from __future__ import annotations

import zlib

import torch
from torch import Tensor

# Kernels that are compared, pair by pair: time and memory grow with their square.
MOST_KERNELS = 1_024


def drawn_kernels(layer: str, kernels: int) -> Tensor | None:
    """Which of a layer's kernels are measured, ascending: always the same ones, drawn by the layer's name alone; None
    where they are not too many, and all are."""
    return None if kernels <= MOST_KERNELS else drawn(layer, kernels, MOST_KERNELS)


def drawn(name: str, rows: int, count: int) -> Tensor:
    """`count` of so many rows, ascending: always the same ones, drawn by a name alone."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    return torch.randperm(rows, generator=generator)[:count].sort().values
