"""Fully connected networks by formulas of their own: forward and backward in as few kernels as they need.

Samples are the last dimension throughout, so that the first layer of all members is one product with the shared
samples, and a bias there is one more row of ones.   # S members, N samples, D outputs, M kernels, I inputs
"""

from __future__ import annotations

import torch
from torch import Tensor

from condense_core.engine.network.derivatives import Saved, elementwise
from condense_core.engine.network.losses import residual_of
from condense_core.engine.network.observation import Known
from condense_core.engine.steppers.flat import FlatStepper, Stacked
from condense_core.scenario.experiment import Conv, Experiment

# Activations that are worked on at a time: what stays in a core's own cache, with its saved values and slopes.
CACHE_BYTES = 512 * 1024


def applies(experiment: Experiment) -> bool:
    """Whether the scenario is one that this stepper trains: dense layers only, with or without skip connections."""
    return experiment.trunk is None and not any(isinstance(layer, Conv) for layer in experiment.layers)


class MlpStepper(FlatStepper):
    """Dense layers of any depth, one or many members, in closed form."""

    name = "closed form"

    def _joined(self) -> tuple[str, ...]:
        return (self._experiment.layer_names[0],)

    def _bind(self) -> None:
        super()._bind()
        self._residual = residual_of(self._experiment.loss)
        self._sigma = [elementwise(layer.activation) for layer in self._experiment.layers]
        if not self.members:
            return
        own = [self._datasets[member] for member in (self.members[:1] if self._shared else self.members)]
        # (1 or S, I + 1, N) and (1 or S, D, N)
        self._inputs = torch.stack([self._rows(dataset.input) for dataset in own])
        self._targets = torch.stack([dataset.target.T for dataset in own]).contiguous()
        batch = self._experiment.optimizer.batch or self._inputs.shape[2]
        widest = max(layer.width for layer in self._experiment.layers)
        self._at_once = max(1, CACHE_BYTES // (widest * batch * self._weights.element_size()))
        self._names = self._experiment.layer_names
        self._parts = []
        for first in range(0, len(self.members), self._at_once):
            part = slice(first, first + self._at_once)
            stacked, slopes = (
                {name: value[part] for name, value in of.items()} for of in (self._stacked, self._slopes)
            )
            self._parts.append((part, stacked, slopes))

    def _rows(self, input_: Tensor) -> Tensor:
        rows_IN = input_.flatten(1).T
        if not self._experiment.layers[0].bias:
            return rows_IN.contiguous()
        return torch.cat([rows_IN, torch.ones_like(rows_IN[:1])])

    def _differentiate(self) -> None:
        inputs, targets = self._samples()
        several = len(inputs) > 1
        self._outputs = [
            self._both_ways(weight, slope, inputs[part] if several else inputs, targets[part] if several else targets)
            for part, weight, slope in self._parts
        ]

    def _found(self, row: int) -> Known:
        output_DN = self._outputs[row // self._at_once][row % self._at_once]
        return Known(output_DN.T, self._by_name(self._slopes, row))

    def _samples(self) -> tuple[Tensor, Tensor]:
        if self._experiment.optimizer.batch is None:
            return self._inputs, self._targets
        chosen = [index for member in self.members if (index := self._batch(member)) is not None]
        rows = [0] * len(chosen) if self._shared else range(len(chosen))
        return (
            torch.stack([self._inputs[row][:, index] for row, index in zip(rows, chosen, strict=True)]),
            torch.stack([self._targets[row][:, index] for row, index in zip(rows, chosen, strict=True)]),
        )

    def _both_ways(self, weight: Stacked, slope: Stacked, input_: Tensor, target: Tensor) -> Tensor:
        """Outputs (S, D, N) of some members, and their gradients written to their place."""
        names, residual = self._names, self._experiment.residual
        samples = input_.shape[2]
        hidden: list[Tensor] = []
        saved: list[Saved] = []
        for depth, (name, sigma) in enumerate(zip(names, self._sigma, strict=True)):
            z = _first(weight[f"{name}.kernels"], input_) if depth == 0 else _affine(weight, name, hidden[-1])
            value, kept = sigma.forward(z)
            hidden.append(value + hidden[-1] if residual and depth else value)
            saved.append(kept)
        output = _affine(weight, "output", hidden[-1])
        error = self._residual(output, target).div_(samples)
        back = _grow(slope, weight, "output", error, hidden[-1])
        for depth in range(len(names) - 1, 0, -1):
            inner = self._sigma[depth].backward(back, saved[depth])
            below = _grow(slope, weight, names[depth], inner, hidden[depth - 1])
            back = below.add_(back) if residual else below
        _grow_first(slope[f"{names[0]}.kernels"], self._sigma[0].backward(back, saved[0]), input_)
        return output


def _first(kernels_SMI: Tensor, input_: Tensor) -> Tensor:
    members, width, entries = kernels_SMI.shape
    if len(input_) > 1:
        return torch.bmm(kernels_SMI, input_)
    # all members' kernels are the rows of one matrix
    return torch.mm(kernels_SMI.reshape(members * width, entries), input_[0]).view(members, width, -1)


def _grow_first(slope_SMI: Tensor, back_SMN: Tensor, input_: Tensor) -> None:
    members, width, entries = slope_SMI.shape
    if len(input_) > 1:
        torch.bmm(back_SMN, input_.transpose(1, 2), out=slope_SMI)
    else:
        rows = slope_SMI.view(members * width, entries)
        torch.mm(back_SMN.reshape(members * width, -1), input_[0].T, out=rows)


def _affine(weight: dict[str, Tensor], name: str, below_SMN: Tensor) -> Tensor:
    bias = weight.get(f"{name}.bias")
    product = torch.bmm(weight[f"{name}.weight"], below_SMN)
    return product if bias is None else product.add_(bias[:, :, None])


def _grow(
    slope: dict[str, Tensor], weight: dict[str, Tensor], name: str, back_SDN: Tensor, below_SMN: Tensor
) -> Tensor:
    """Gradients of a layer given those of its outputs; gives those of its inputs (S, M, N)."""
    torch.bmm(back_SDN, below_SMN.transpose(1, 2), out=slope[f"{name}.weight"])
    if f"{name}.bias" in slope:
        torch.sum(back_SDN, 2, out=slope[f"{name}.bias"])
    weight_SMD = weight[f"{name}.weight"].transpose(1, 2)
    if back_SDN.shape[1] == 1:
        return weight_SMD * back_SDN
    return torch.bmm(weight_SMD, back_SDN)
