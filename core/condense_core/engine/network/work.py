"""How much work a step is, whatever does it."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.make import make_network
from condense_core.scenario.experiment import Experiment


def multiplications(experiment: Experiment, dataset: Dataset) -> float:
    """Multiplications of one forward pass over the samples of a step: the measure of how much work a step is."""
    network = make_network(experiment, dataset.input_shape, dataset.outputs).eval()
    total = 0

    def count(layer: nn.Module, _: object, output: Tensor) -> None:
        nonlocal total
        weight = cast(Tensor, layer.weight)
        total += weight.numel() * (output.numel() // len(weight))

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(dataset.input[:1].to(next(network.parameters()).dtype))
    return float(total) * (experiment.optimizer.batch or len(dataset))
