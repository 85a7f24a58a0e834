"""Batch normalisation of a network under study.   # N samples, C channels"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# PyTorch's defaults: what is added to the variance, and the share of the new statistics in the running ones.
EPS = 1e-5
MOMENTUM = 0.1


class BatchNorm(nn.Module):
    """PyTorch's BatchNorm2d with its defaults, but that running statistics move when a step is taken, and not whenever
    something passes through: what is measured at a step, and a checkpoint there, see those of the steps before."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(channels, dtype=dtype))
        self.register_buffer("running_mean", torch.zeros(channels, dtype=dtype))
        self.register_buffer("running_var", torch.ones(channels, dtype=dtype))
        self.seen: tuple[Tensor, Tensor] | None = None
        """Mean and unbiased variance (C,) of what passed through last in training mode; None once they are counted."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, rows, columns), by the statistics of x in training mode and by running ones in `eval()`."""
        if not self.training:
            return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=EPS)
        # at a momentum of 1 running statistics become those of the batch
        mean, variance = (x.new_zeros(len(self.running_mean), dtype=self.running_mean.dtype) for _ in range(2))
        found = functional.batch_norm(x, mean, variance, self.weight, self.bias, training=True, momentum=1.0, eps=EPS)
        self.seen = mean, variance
        return found

    def count(self) -> None:
        """Move the running statistics by what the step that is taken has seen."""
        if self.seen is None:
            return
        for running, seen in zip((self.running_mean, self.running_var), self.seen, strict=True):
            running.lerp_(seen, MOMENTUM)
        self.seen = None
