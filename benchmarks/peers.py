"""The loops that anybody would write first, kept here as the peers to be measured against."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from condense_core.engine.data.datasets import Dataset


def eager_fcn(points: Dataset) -> Callable[[], object]:
    """A step of 5-50-1 with Adam, full batch."""
    input_, target = points.input.float(), points.target.float()
    network = nn.Sequential(nn.Linear(5, 50), nn.Tanh(), nn.Linear(50, 1))
    return _stepping(network, lambda: 0.5 * (network(input_) - target).square().mean())


def eager_cnn(images: Dataset, layers: int) -> Callable[[], object]:
    """A step of `layers` convolutions with 32 filters of 3×3 and a linear output, cross-entropy, Adam, full batch."""
    input_, label = images.input.float(), images.label
    assert label is not None
    parts: list[nn.Module] = []
    channels, side = input_.shape[1], input_.shape[2]
    for _ in range(layers):
        parts += [nn.Conv2d(channels, 32, 3), nn.Tanh()]
        channels, side = 32, side - 2
    network = nn.Sequential(*parts, nn.Flatten(), nn.Linear(channels * side * side, 10))
    return _stepping(network, lambda: nn.functional.cross_entropy(network(input_), label))


def _stepping(network: nn.Module, error: Callable[[], torch.Tensor]) -> Callable[[], object]:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(0.01)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)

    def step() -> None:
        optimizer.zero_grad()
        error().backward()
        optimizer.step()

    return step
