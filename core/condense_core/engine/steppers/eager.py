"""PyTorch's own forward and backward pass, one member after the other: for any network."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import torch
from torch import Tensor

from condense_core.engine.network.losses import loss
from condense_core.engine.network.observation import Known
from condense_core.engine.steppers.base import ByName, Stepper
from condense_core.engine.steppers.optimisers import Optimiser


class EagerStepper(Stepper):
    """Steps through autograd, in the fast ways that the scenario asks for."""

    name = "eager"

    def _bind(self) -> None:
        fast = self._experiment.fast
        if fast:
            self.name = f"eager, {', '.join(fast)}"
        if "channels-last" in fast:
            for network in self._networks:
                network.to(memory_format=torch.channels_last)
        self._parameters = {member: dict(self._networks[member].named_parameters()) for member in self.members}
        self._optimiser = {
            member: self._make_optimiser(list(own.values()), self._lr[member])
            for member, own in self._parameters.items()
        }
        self._gradients: list[Sequence[Tensor]] = []
        self._outputs: list[Tensor] = []

    def _differentiate(self) -> None:
        self._gradients, self._outputs = [], []
        for member, own in self._parameters.items():
            dataset, index = self._datasets[member], self._batch(member)
            input_ = dataset.input if index is None else dataset.input[index]
            target_ND = dataset.target if index is None else dataset.target[index]
            if "channels-last" in self._experiment.fast:
                input_ = input_.contiguous(memory_format=torch.channels_last)
            with self._precision(input_.device.type):
                output_ND = self._networks[member](input_)
            output_ND = output_ND.to(target_ND.dtype)
            error = loss(self._experiment.loss, output_ND, target_ND)
            self._gradients.append(torch.autograd.grad(error, list(own.values())))
            self._outputs.append(output_ND.detach())

    def _found(self, row: int) -> Known:
        names = self._parameters[self.members[row]]
        return Known(self._outputs[row], dict(zip(names, self._gradients[row], strict=True)))

    def _precision(self, device: str) -> contextlib.AbstractContextManager[object]:
        if "bf16" in self._experiment.fast:
            return torch.autocast(device, torch.bfloat16, cache_enabled=False)
        return contextlib.nullcontext()

    def _update(self) -> None:
        for each, gradient in zip(self._optimiser.values(), self._gradients, strict=True):
            each.update(gradient)

    def _optimisers(self) -> list[Optimiser]:
        return list(self._optimiser.values())

    def _moments(self, row: int) -> ByName:
        member = self.members[row]
        names = self._parameters[member]
        return {
            f"{kind}.{name}": value
            for kind, values in self._optimiser[member].moments.items()
            for name, value in zip(names, values, strict=True)
        }
