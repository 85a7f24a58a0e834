"""A layer of any network: the rows that are measured, and how they are read.   # M kernels, K entries a kernel

A row is what one neuron, filter or gate reads with, its bias last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from condense_core.scenario.geometry import Geometry


class Parts(NamedTuple):
    """What a layer's rows are made of, and where their gradients are found."""

    weight: Tensor
    bias: Tensor | None


def whole(tensor: Tensor) -> Tensor:
    """A tensor that is spread over processes, put together, in which all of them take part; any other as it is."""
    put_together: Callable[[], Tensor] | None = getattr(tensor, "full_tensor", None)
    return tensor if put_together is None else put_together()


@dataclass(eq=False)
class FoundLayer:
    """One layer that can be measured.

    `whole` false: its rows are part of another layer's, as a head's are. `why_not` says why it is measured only where
    somebody asks for it by name; empty where it is measured anyway. `also` are other names of the same weights.
    """

    name: str
    geometry: Geometry
    parts: Callable[[], Parts]
    """The weight and the bias as they are now."""
    rows: Callable[[Tensor, Tensor | None], Tensor]
    """From a weight and a bias, or from their gradients, to rows (M, K)."""
    whole: bool = True
    why_not: str = ""
    also: tuple[str, ...] = ()
    sample: Tensor | None = None
    """Numbers of the rows that are measured, where that is not all of them."""

    def weight(self) -> Tensor:
        """The rows (M, K): a copy without history, where the network is."""
        with torch.no_grad():
            weight, bias = self.parts()
            return self._drawn(self.rows(whole(weight.detach()), None if bias is None else whole(bias.detach())))

    def gradient(self) -> Tensor | None:
        """The gradient by the rows (M, K); None where the network has none for them."""
        with torch.no_grad():
            weight, bias = self.parts()
            if not weight.is_leaf or weight.grad is None or weight.grad.is_sparse:
                return None
            if bias is None:
                return self._drawn(self.rows(whole(weight.grad.detach()), None))
            of_bias = bias.grad if bias.is_leaf and bias.grad is not None else torch.zeros_like(bias)
            return self._drawn(self.rows(whole(weight.grad.detach()), whole(of_bias)))

    def _drawn(self, rows_MK: Tensor) -> Tensor:
        if self.sample is not None:
            return rows_MK[self.sample.to(rows_MK.device)]
        # a layer without a bias is a view of the weight, which training goes on to change
        return rows_MK.clone()
