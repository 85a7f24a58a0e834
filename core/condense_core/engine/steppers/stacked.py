"""Many members of any network as one batch, through PyTorch's own vectorising transform: for a GPU, where one member
alone leaves most of it idle."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from condense_core.engine.network.losses import loss
from condense_core.engine.network.observation import Known
from condense_core.engine.steppers.flat import FlatStepper


class StackedStepper(FlatStepper):
    """Stacked parameters through `vmap`, gradients through autograd."""

    name = "stacked"

    def _differentiate(self) -> None:
        network = self._networks[self.members[0]]
        inputs, targets = self._samples()

        def error_of(own: dict[str, Tensor], input_: Tensor, target_ND: Tensor) -> tuple[Tensor, Tensor]:
            output_ND = cast(Tensor, functional_call(network, own, (input_,)))
            return loss(self._experiment.loss, output_ND, target_ND), output_ND

        weights = {name: value.detach().requires_grad_() for name, value in self._stacked.items()}
        over = None if inputs.ndim == self._datasets[0].input.ndim else 0
        error_S, output_SND = vmap(error_of, in_dims=(0, over, over))(weights, inputs, targets)
        gradients = torch.autograd.grad(error_S.sum(), list(weights.values()))
        for place, gradient in zip(self._slopes.values(), gradients, strict=True):
            place.copy_(gradient)
        self._output_SND = output_SND.detach()

    def _found(self, row: int) -> Known:
        return Known(self._output_SND[row], self._by_name(self._slopes, row))

    def _samples(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets of this step, with a first dimension over members only where they differ."""
        first = self._datasets[self.members[0]]
        if self._shared and self._experiment.optimizer.batch is None:
            return first.input, first.target
        own = []
        for member in self.members:
            dataset, index = self._datasets[member], self._batch(member)
            every = slice(None) if index is None else index
            own.append((dataset.input[every], dataset.target[every]))
        inputs, targets = zip(*own, strict=True)
        return torch.stack(inputs), torch.stack(targets)
