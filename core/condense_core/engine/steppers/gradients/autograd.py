"""PyTorch's own forward and backward pass, one member after the other: for any network."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import torch
from torch import Tensor

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.losses import loss
from condense_core.engine.network.network import Network
from condense_core.engine.steppers.parameters import SeparateParameters
from condense_core.scenario.experiment import Experiment


class AutogradGradients:
    """Gradients through autograd, in the fast ways that the scenario asks for."""

    def __init__(
        self, experiment: Experiment, networks: Sequence[Network], datasets: Sequence[Dataset], *, shared: bool
    ) -> None:
        self.name = ", ".join(["eager", *experiment.fast])
        self._experiment = experiment
        self._channels_last = "channels-last" in experiment.fast
        if self._channels_last:
            for network in networks:
                network.to(memory_format=torch.channels_last)
        self.parameters = SeparateParameters(networks)
        self._members = list(zip(networks, datasets, self.parameters.groups, strict=True))
        self._outputs: list[Tensor] = []

    def forward_backward(self, batch: Sequence[Tensor] | None) -> None:
        self._outputs = []
        for row, (network, dataset, group) in enumerate(self._members):
            input_ = dataset.input if batch is None else dataset.input[batch[row]]
            target_ND = dataset.target if batch is None else dataset.target[batch[row]]
            if self._channels_last:
                input_ = input_.contiguous(memory_format=torch.channels_last)
            with self._precision(input_.device.type):
                output_ND = network(input_)
            output_ND = output_ND.to(target_ND.dtype)
            error = loss(self._experiment.loss, output_ND, target_ND)
            group.grads = torch.autograd.grad(error, group.params)
            self._outputs.append(output_ND.detach())

    def output(self, row: int) -> Tensor:
        return self._outputs[row]

    def _precision(self, device: str) -> contextlib.AbstractContextManager[object]:
        if "bf16" in self._experiment.fast:
            return torch.autocast(device, torch.bfloat16, cache_enabled=False)
        return contextlib.nullcontext()
