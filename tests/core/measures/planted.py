"""Layers whose condensed lines are known, because they were put there."""

import torch
from torch import Tensor

SCALES = [1e-8, 1e-3, 1.0, 1e8]


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def orthogonal_axes(lines: int, entries: int, seed: int) -> Tensor:
    """Axes (lines, K) at right angles to each other; needs K ≥ lines."""
    random = torch.randn(entries, lines, dtype=torch.float64, generator=generator(seed))
    return torch.linalg.qr(random).Q.T.contiguous()


def planted_layer(axes: Tensor, kernels: int, *, noise: float, seed: int, both_sides: bool = True) -> Tensor:
    """`kernels` rows dealt in turn to the axes, lengths 1 to 2, noise of that share of the length per entry / √K."""
    lines, entries = axes.shape
    draw = generator(seed)
    length = 1 + torch.rand(kernels, 1, dtype=torch.float64, generator=draw)
    if both_sides:
        length[kernels // 2 :] *= -1
    off = noise * torch.randn(kernels, entries, dtype=torch.float64, generator=draw) / entries**0.5
    return length * (axes[torch.arange(kernels) % lines] + off)
