"""PyTorch's own forward and backward pass, one member after the other: for any network."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.losses import loss
from condense_core.engine.network.measured import MeasuredNetwork
from condense_core.engine.steppers.drawn import Masks
from condense_core.engine.steppers.parameters import SeparateParameters
from condense_core.scenario.experiment import Conv, Experiment

# Activations of one pass that autograd may keep on a CPU: of more images they come one chunk after the other.
KEPT_BYTES = 500_000_000

Drop = Callable[..., "Tensor | None"]
"""`Masks.of` of one member."""


class AutogradGradients:
    """Gradients through autograd, in the fast ways that the scenario asks for."""

    def __init__(
        self, experiment: Experiment, networks: Sequence[MeasuredNetwork], datasets: Sequence[Dataset], *, shared: bool
    ) -> None:
        self.name = ", ".join(["eager", *experiment.fast])
        self._experiment = experiment
        self._normalises = experiment.trunk is not None or experiment.batch_norm
        self._channels_last = "channels-last" in experiment.fast
        if self._channels_last:
            for network in networks:
                network.to(memory_format=torch.channels_last)
        self.parameters = SeparateParameters(networks)
        self._members = list(zip(networks, datasets, self.parameters.groups, strict=True))
        self._outputs: list[Tensor] = []

    def forward_backward(self, batch: Sequence[Tensor] | None, masks: Masks | None = None) -> None:
        self._outputs = []
        for row, (network, dataset, group) in enumerate(self._members):
            input_ = dataset.input if batch is None else dataset.input[batch[row]]
            target_ND = dataset.target if batch is None else dataset.target[batch[row]]
            if self._channels_last:
                input_ = input_.contiguous(memory_format=torch.channels_last)
            drop = None if masks is None else functools.partial(masks.of, row)
            output_ND, group.grads = self._of_samples(network, input_, target_ND, group.params, drop)
            self._outputs.append(output_ND)

    def _of_samples(
        self,
        network: MeasuredNetwork,
        input_: Tensor,
        target_ND: Tensor,
        params: list[Tensor],
        drop: Callable[..., Tensor | None] | None,
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """Outputs and gradients, in as many chunks of samples as memory asks for."""
        samples = len(input_)
        chunk = self._chunk(input_)
        # what stays from a chunk has its place before: memory between it could not be used by the next one
        output_ND = torch.empty_like(target_ND)
        grads: list[Tensor] = []
        for number, first in enumerate(range(0, samples, chunk)):
            part = slice(first, first + chunk)
            mask = None if drop is None else functools.partial(drop, part=number)
            with self._precision(input_.device.type):
                output_cD = network(input_[part], mask)
            output_cD = output_cD.to(target_ND.dtype)
            error = loss(self._experiment.loss, output_cD, target_ND[part])
            if chunk < samples:
                # the loss is a mean over the samples it sees
                error = error * (len(output_cD) / samples)
            found = torch.autograd.grad(error, params)
            grads = [sum_.add_(grad) for sum_, grad in zip(grads, found, strict=True)] if grads else list(found)
            output_ND[part] = output_cD.detach()
        return output_ND, grads

    def _chunk(self, input_: Tensor) -> int:
        """Samples of one pass; all of them on a GPU, and where batch normalisation looks at all of them."""
        convolutions = [layer for layer in self._experiment.layers if isinstance(layer, Conv)]
        if input_.device.type != "cpu" or self._normalises or not convolutions:
            return len(input_)
        # what goes into an activation, and what comes out of it; only padding adds pixels to those of the image
        rows, columns = input_.shape[2:]
        kept = 0
        for layer in convolutions:
            kept += 2 * layer.width * max(input_[0, 0].numel(), layer.positions(rows) * layer.positions(columns))
            rows, columns = layer.side_after(rows), layer.side_after(columns)
        return max(1, min(len(input_), KEPT_BYTES // (kept * input_.element_size())))

    def output(self, row: int) -> Tensor:
        return self._outputs[row]

    def outputs(self) -> Tensor:
        return torch.stack(self._outputs)

    def _precision(self, device: str) -> contextlib.AbstractContextManager[object]:
        if "bf16" in self._experiment.fast:
            return torch.autocast(device, torch.bfloat16, cache_enabled=False)
        return contextlib.nullcontext()
