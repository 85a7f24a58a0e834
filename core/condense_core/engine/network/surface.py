"""The loss as a function of the weights, near where they are: products with its Hessian, and the tangent kernel.

All in float64, since curvatures of opposite signs cancel.   # N samples, n of them, D outputs, P parameters
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network import losses
from condense_core.engine.network.measured import MeasuredNetwork
from condense_core.measures.curvature import FloatVector

# Samples whose graph is kept from one product to the next; of more, each product makes it anew, so many at a time.
CHUNK = 1_000


class LossSurface:
    """Reads a network and changes nothing of it; to be used before the next step is taken."""

    def __init__(self, loss: str, network: MeasuredNetwork, dataset: Dataset) -> None:
        """`loss` is the scenario's name for it."""
        self._loss = loss
        self._network = network
        self._dataset = dataset
        self._weights = {name: value.detach().double().requires_grad_() for name, value in network.named_parameters()}
        self._buffers = {
            name: value.double() if value.is_floating_point() else value for name, value in network.named_buffers()
        }
        self._gradients: list[list[Tensor]] | None = None

    @property
    def size(self) -> int:
        """P."""
        return sum(value.numel() for value in self._weights.values())

    def hessian_product(self, vector: FloatVector) -> FloatVector:
        """The Hessian of the loss on the whole sample, times a vector (P,), entries in the order of the parameters."""
        parts = torch.from_numpy(np.ascontiguousarray(vector)).to(next(iter(self._weights.values())).device)
        along = [
            part.view_as(value)
            for part, value in zip(
                torch.split(parts, [value.numel() for value in self._weights.values()]),
                self._weights.values(),
                strict=True,
            )
        ]
        if self._gradients is None and len(self._dataset) <= CHUNK:
            self._gradients = [self._gradient(slice(None))]
        kept = self._gradients is not None
        total = torch.zeros_like(parts)
        for chunk in self._gradients if self._gradients is not None else self._gradients_one_by_one():
            slope = torch.stack([(grad * part).sum() for grad, part in zip(chunk, along, strict=True)]).sum()
            found = torch.autograd.grad(slope, list(self._weights.values()), retain_graph=kept, materialize_grads=True)
            total += torch.cat([each.flatten() for each in found])
        return total.cpu().numpy()

    def tangent_kernel(self, samples: Sequence[int]) -> Tensor:
        """J Jᵀ, (n·D, n·D), J the Jacobian of the outputs on these samples by all parameters."""
        inputs = self._dataset.input[list(samples)].double()

        def output(weights: dict[str, Tensor], sample: Tensor) -> Tensor:
            return self._output(weights, sample[None])[0]

        weights = {name: value.detach() for name, value in self._weights.items()}
        with self._network.measuring():
            jacobian = torch.func.vmap(torch.func.jacrev(output), in_dims=(None, 0))(weights, inputs)
        rows = [each.reshape(-1, self._weights[name].numel()) for name, each in jacobian.items()]
        return torch.stack([row @ row.T for row in rows]).sum(0)

    def _gradients_one_by_one(self) -> Iterator[list[Tensor]]:
        for first in range(0, len(self._dataset), CHUNK):
            yield self._gradient(slice(first, first + CHUNK))

    def _gradient(self, part: slice) -> list[Tensor]:
        """These samples' share of the gradient, with the graph to differentiate it again."""
        input_, target = self._dataset.input[part].double(), self._dataset.target[part].double()
        with torch.enable_grad(), self._network.measuring():
            error = losses.loss(self._loss, self._output(self._weights, input_), target)
            share = len(input_) / len(self._dataset)
            return list(torch.autograd.grad(share * error, list(self._weights.values()), create_graph=True))

    def _output(self, weights: dict[str, Tensor], input_: Tensor) -> Tensor:
        found: Tensor = functional_call(self._network, {**weights, **self._buffers}, (input_,))
        return found
