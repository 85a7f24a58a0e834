"""The loop that anybody would write first for a dense network, to be measured against."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from condense_core.engine.data.datasets import Dataset


def eager_fcn(points: Dataset) -> Callable[[], object]:
    """A step of 5-50-1 with Adam, full batch."""
    input_, target = points.input.float(), points.target.float()
    network = nn.Sequential(nn.Linear(5, 50), nn.Tanh(), nn.Linear(50, 1))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(0.01)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)

    def step() -> None:
        optimizer.zero_grad()
        (0.5 * (network(input_) - target).square().mean()).backward()
        optimizer.step()

    return step
