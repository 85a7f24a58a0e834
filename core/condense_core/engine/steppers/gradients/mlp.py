"""Fully connected networks by formulas of their own: forward and backward in as few kernels as they need.

Samples are the last dimension throughout, so that the first layer of all members is one product with the shared
samples, and a bias there is one more row of ones.   # S members, N samples, D outputs, M kernels, I inputs
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.derivatives import Saved, Tanh, elementwise
from condense_core.engine.network.losses import residual_of
from condense_core.engine.network.measured import Mask
from condense_core.engine.network.network import Network
from condense_core.engine.steppers.drawn import Masks
from condense_core.engine.steppers.parameters import ByName, FlatParameters
from condense_core.scenario.experiment import Dense, Experiment

# Activations that are worked on at a time: what stays in a core's own cache, with its saved values and gradients. A GPU
# is the faster the more there is to do at once, and has memory for a layer's values of all depths.
CACHE_BYTES, GPU_BYTES = 512 * 1024, 256 * 1024**2


def applies(experiment: Experiment) -> bool:
    """Whether these formulas are the scenario's: dense layers only, with or without skip connections."""
    return experiment.trunk is None and all(isinstance(layer, Dense) for layer in experiment.layers)


class MlpGradients:
    """Dense layers of any depth, one or many members, in closed form."""

    name = "closed form"
    tanh: Tanh = staticmethod(torch.tanh_)

    def __init__(
        self, experiment: Experiment, networks: Sequence[Network], datasets: Sequence[Dataset], *, shared: bool
    ) -> None:
        self._names = experiment.layer_names
        self.parameters = FlatParameters(networks, joined=self._names[:1])
        self._skips = experiment.residual
        self._shared = shared
        self._residual = residual_of(experiment.loss)
        self._sigma = [elementwise(layer.activation, self.tanh) for layer in experiment.layers]
        own = datasets[:1] if shared else datasets
        with_bias = experiment.layers[0].bias
        # (1 or S, I + 1, N) and (1 or S, D, N)
        self._inputs = torch.stack([columns(dataset.input, with_bias=with_bias) for dataset in own])
        self._targets = torch.stack([dataset.target.T for dataset in own]).contiguous()
        samples = experiment.optimizer.batch or self._inputs.shape[2]
        widest = max(layer.width for layer in experiment.layers)
        bytes_ = CACHE_BYTES if self._inputs.device.type == "cpu" else GPU_BYTES
        self._at_once = max(1, bytes_ // (widest * samples * self._inputs.element_size()))
        self._parts: list[tuple[slice, ByName, ByName]] = []
        for first in range(0, len(networks), self._at_once):
            part = slice(first, first + self._at_once)
            stacked, grads = (
                {name: value[part] for name, value in of.items()}
                for of in (self.parameters.stacked, self.parameters.grads)
            )
            self._parts.append((part, stacked, grads))
        self._outputs: list[Tensor] = []

    def forward_backward(self, batch: Sequence[Tensor] | None, masks: Masks | None = None) -> None:
        inputs, targets = self._samples(batch)
        several = len(inputs) > 1
        self._outputs = [
            self._of_part(
                weight,
                grad,
                inputs[part] if several else inputs,
                targets[part] if several else targets,
                None if masks is None else functools.partial(_of_members, masks, part.start),
            )
            for part, weight, grad in self._parts
        ]

    def output(self, row: int) -> Tensor:
        return self._outputs[row // self._at_once][row % self._at_once].T

    def outputs(self) -> Tensor:
        return torch.cat(self._outputs).mT.contiguous()

    def _samples(self, batch: Sequence[Tensor] | None) -> tuple[Tensor, Tensor]:
        if batch is None:
            return self._inputs, self._targets
        rows = [0] * len(batch) if self._shared else range(len(batch))
        return (
            torch.stack([self._inputs[row][:, index] for row, index in zip(rows, batch, strict=True)]),
            torch.stack([self._targets[row][:, index] for row, index in zip(rows, batch, strict=True)]),
        )

    def _of_part(
        self, weight: ByName, grad: ByName, input_: Tensor, target: Tensor, mask: Mask | None = None
    ) -> Tensor:
        """Outputs (S, D, N) of some members, and their gradients written to their place."""
        names = self._names
        samples = input_.shape[2]
        hidden: list[Tensor] = []
        saved: list[Saved] = []
        dropped: list[Tensor | None] = []
        for depth, (name, sigma) in enumerate(zip(names, self._sigma, strict=True)):
            z = _first(weight[f"{name}.kernels"], input_) if depth == 0 else _affine(weight, name, hidden[-1])
            value, kept = sigma.forward(z)
            dropped.append(None if mask is None else mask(depth, value))
            if (drop := dropped[-1]) is not None:
                # not in place: what the way back needs may be the value
                value = value * drop
            hidden.append(value + hidden[-1] if self._skips and depth else value)
            saved.append(kept)
        output = _affine(weight, "output", hidden[-1])
        error = self._residual(output, target).div_(samples)
        back = _affine_backward(grad, weight, "output", error, hidden[-1])
        for depth in range(len(names) - 1, 0, -1):
            inner = self._sigma[depth].backward(_masked(back, dropped[depth]), saved[depth])
            below = _affine_backward(grad, weight, names[depth], inner, hidden[depth - 1])
            back = below.add_(back) if self._skips else below
        _first_backward(
            grad[f"{names[0]}.kernels"], self._sigma[0].backward(_masked(back, dropped[0]), saved[0]), input_
        )
        return output


def _of_members(masks: Masks, first: int, depth: int, value_SMN: Tensor) -> Tensor | None:
    """Those of the members whose values these are, the first of them in row `first`."""
    found = [masks.of(first + row, depth, value_MN.T) for row, value_MN in enumerate(value_SMN)]
    drawn = [mask_NM.T for mask_NM in found if mask_NM is not None]
    return torch.stack(drawn) if drawn else None


def _masked(back: Tensor, dropped: Tensor | None) -> Tensor:
    return back if dropped is None else back * dropped


def columns(input_: Tensor, *, with_bias: bool) -> Tensor:
    """Samples as columns (I, N), with a last row of ones where the first layer has a bias."""
    column_IN = input_.flatten(1).T
    return torch.cat([column_IN, torch.ones_like(column_IN[:1])]) if with_bias else column_IN.contiguous()


def _first(kernels_SMI: Tensor, input_: Tensor) -> Tensor:
    members, width, entries = kernels_SMI.shape
    if len(input_) > 1:
        return torch.bmm(kernels_SMI, input_)
    # all members' kernels are the rows of one matrix
    return torch.mm(kernels_SMI.reshape(members * width, entries), input_[0]).view(members, width, -1)


def _first_backward(grad_SMI: Tensor, back_SMN: Tensor, input_: Tensor) -> None:
    members, width, entries = grad_SMI.shape
    if len(input_) > 1:
        torch.bmm(back_SMN, input_.transpose(1, 2), out=grad_SMI)
    else:
        rows = grad_SMI.view(members * width, entries)
        torch.mm(back_SMN.reshape(members * width, -1), input_[0].T, out=rows)


def _affine(weight: ByName, name: str, below_SMN: Tensor) -> Tensor:
    bias = weight.get(f"{name}.bias")
    product = torch.bmm(weight[f"{name}.weight"], below_SMN)
    return product if bias is None else product.add_(bias[:, :, None])


def _affine_backward(grad: ByName, weight: ByName, name: str, back_SDN: Tensor, below_SMN: Tensor) -> Tensor:
    """Gradients of a layer given those of its outputs; gives those of its inputs (S, M, N)."""
    torch.bmm(back_SDN, below_SMN.transpose(1, 2), out=grad[f"{name}.weight"])
    if f"{name}.bias" in grad:
        torch.sum(back_SDN, 2, out=grad[f"{name}.bias"])
    weight_SMD = weight[f"{name}.weight"].transpose(1, 2)
    if back_SDN.shape[1] == 1:
        return weight_SMD * back_SDN
    return torch.bmm(weight_SMD, back_SDN)
