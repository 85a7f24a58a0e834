"""Many members of any network as one batch, through PyTorch's own vectorising transform: for a GPU, where one member
alone leaves most of it idle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.losses import loss
from condense_core.engine.network.measured import MeasuredNetwork
from condense_core.engine.steppers.drawn import Masks
from condense_core.engine.steppers.parameters import FlatParameters
from condense_core.scenario.experiment import Experiment

Seen = tuple[Tensor, Tensor]
"""Mean and variance of a batch, by which it was normalised."""


class VmapGradients:
    """Stacked parameters through `vmap`, gradients through autograd."""

    name = "stacked"

    def __init__(
        self, experiment: Experiment, networks: Sequence[MeasuredNetwork], datasets: Sequence[Dataset], *, shared: bool
    ) -> None:
        self.parameters = FlatParameters(networks)
        self._experiment = experiment
        self._network = networks[0]
        self._networks = networks
        self._datasets = datasets
        self._shared = shared

    def forward_backward(self, batch: Sequence[Tensor] | None, masks: Masks | None = None) -> None:
        assert masks is None
        inputs, targets = self._samples(batch)

        def error_of(own: dict[str, Tensor], input_: Tensor, target_ND: Tensor) -> tuple[Tensor, Tensor, list[Seen]]:
            output_ND = cast(Tensor, functional_call(self._network, own, (input_,)))
            seen = [norm.seen for norm in self._network.batch_norms if norm.seen is not None]
            return loss(self._experiment.loss, output_ND, target_ND), output_ND, seen

        weights = {name: value.detach().requires_grad_() for name, value in self.parameters.stacked.items()}
        over = None if inputs.ndim == self._datasets[0].input.ndim else 0
        error_S, output_SND, seen = vmap(error_of, in_dims=(0, over, over))(weights, inputs, targets)
        found = torch.autograd.grad(error_S.sum(), list(weights.values()))
        for grad, value in zip(self.parameters.grads.values(), found, strict=True):
            grad.copy_(value)
        self._output_SND = output_SND.detach()
        for row, network in enumerate(self._networks):
            for norm, (mean_SC, variance_SC) in zip(network.batch_norms, seen, strict=True):
                norm.seen = mean_SC[row], variance_SC[row]

    def output(self, row: int) -> Tensor:
        return self._output_SND[row]

    def outputs(self) -> Tensor:
        return self._output_SND.contiguous()

    def _samples(self, batch: Sequence[Tensor] | None) -> tuple[Tensor, Tensor]:
        """Inputs and targets of this step, with a first dimension over members only where they differ."""
        if self._shared and batch is None:
            return self._datasets[0].input, self._datasets[0].target
        own = []
        for row, dataset in enumerate(self._datasets):
            index: slice | Tensor = slice(None) if batch is None else batch[row]
            own.append((dataset.input[index], dataset.target[index]))
        inputs, targets = zip(*own, strict=True)
        return torch.stack(inputs), torch.stack(targets)
