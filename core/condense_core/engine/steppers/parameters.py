"""The parameters of the members in training and their gradients: where they are in memory.   # S members"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from condense_core.engine.network.measured import MeasuredNetwork
from condense_core.engine.network.stacked import Copy

ByName = dict[str, Tensor]


@dataclass
class ParameterGroup:
    """Tensors that one optimiser moves together, and the gradient of each, in the same order."""

    params: list[Tensor]
    grads: Sequence[Tensor]


class Parameters(Protocol):
    """What an ensemble needs of them, however they lie in memory. Rows are members in training, in their order."""

    groups: list[ParameterGroup]

    def rates(self, rates: Sequence[float]) -> Sequence[float | Tensor]:
        """The learning rate of each group, given that of each row."""

    def of_row(self, row: int, values: Sequence[Sequence[Tensor]]) -> ByName:
        """One member's part, by parameter name, of `values`: tensors laid out as the `params` of each group are."""

    def of_rows(self, values: Sequence[Sequence[Tensor]]) -> ByName:
        """All members' parts, (S, …) by parameter name, as `of_row` has them; views where they lie side by side."""

    def copy(self) -> Copy:
        """Parameters and gradients of all members, in memory of their own."""

    def joined(self, copies: Sequence[Copy]) -> tuple[ByName, ByName]:
        """What was copied, (B·S, …) by parameter name: the members of the second after those of the first."""


class SeparateParameters:
    """Each tensor in memory of its own, a group for each member; whoever finds gradients puts them into the groups."""

    def __init__(self, networks: Sequence[MeasuredNetwork]) -> None:
        self.by_row = [dict(network.named_parameters()) for network in networks]
        self.groups = [ParameterGroup(list(own.values()), []) for own in self.by_row]

    def rates(self, rates: Sequence[float]) -> Sequence[float | Tensor]:
        return rates

    def of_row(self, row: int, values: Sequence[Sequence[Tensor]]) -> ByName:
        return dict(zip(self.by_row[row], values[row], strict=True))

    def of_rows(self, values: Sequence[Sequence[Tensor]]) -> ByName:
        return dict(zip(self.by_row[0], _side_by_side(values), strict=True))

    def copy(self) -> Copy:
        params, grads = zip(*((group.params, group.grads) for group in self.groups), strict=True)
        return _side_by_side(params), _side_by_side(grads)

    def joined(self, copies: Sequence[Copy]) -> tuple[ByName, ByName]:
        weights, gradients = zip(*copies, strict=True)
        return self._joined(weights), self._joined(gradients)

    def _joined(self, copies: Sequence[Sequence[Tensor]]) -> ByName:
        return dict(zip(self.by_row[0], map(torch.cat, zip(*copies, strict=True)), strict=True))


class FlatParameters:
    """All members in one block of memory, so that an optimiser step is one kernel.

    `stacked` has every tensor of the networks stacked over the members, (S, …), one after the other in that block; the
    members' own networks read and write the same memory. `grads` is laid out the same way, in a block of its own. A
    layer that is `joined` is a single tensor `LAYER.kernels` (S, M, K + 1) of weights and, where it has one, the bias.
    """

    def __init__(self, networks: Sequence[MeasuredNetwork], joined: Sequence[str] = ()) -> None:
        by_row = [dict(network.named_parameters()) for network in networks]
        self._rows = len(by_row)
        self._shape_of = {name: value.shape for name, value in by_row[0].items()}
        self._shapes = _joined_shapes(by_row[0], joined)
        some = next(iter(by_row[0].values()))
        total = len(networks) * sum(shape.numel() for shape in self._shapes.values())
        flat = torch.empty(total, dtype=some.dtype, device=some.device)
        self._flat_grad = torch.zeros_like(flat)
        self.groups = [ParameterGroup([flat], [self._flat_grad])]
        self.stacked, self.grads = (self._named(self._split(block)) for block in (flat, self._flat_grad))
        # of each block that was asked for; they stay where they are, and each step asks for them
        self._views: dict[Tensor, ByName] = {}
        for row, own in enumerate(by_row):
            for name, place in self.of_row(row, [[flat]]).items():
                place.copy_(own[name].detach())
                own[name].data = place

    def zero_grad(self) -> None:
        """Set all gradients to 0, for a method that adds to them."""
        self._flat_grad.zero_()

    def rates(self, rates: Sequence[float]) -> Sequence[float | Tensor]:
        """One number where all members have one rate, else a rate for every entry."""
        if len(set(rates)) <= 1 or all(math.isnan(rate) for rate in rates):
            return [rates[0]]
        (flat,) = self.groups[0].params
        rate_S = torch.tensor(rates, dtype=flat.dtype, device=flat.device)
        return [torch.cat([rate_S.repeat_interleave(shape.numel()) for shape in self._shapes.values()])]

    def of_row(self, row: int, values: Sequence[Sequence[Tensor]]) -> ByName:
        return {name: value[row] for name, value in self.of_rows(values).items()}

    def of_rows(self, values: Sequence[Sequence[Tensor]]) -> ByName:
        ((flat,),) = values
        if flat not in self._views:
            self._views[flat] = self._unstack(self._named(self._split(flat)))
        return self._views[flat]

    def copy(self) -> Copy:
        return [self.groups[0].params[0].clone()], [self._flat_grad.clone()]

    def joined(self, copies: Sequence[Copy]) -> tuple[ByName, ByName]:
        weights, gradients = zip(*copies, strict=True)
        return self._joined(weights), self._joined(gradients)

    def _joined(self, copies: Sequence[Sequence[Tensor]]) -> ByName:
        parts = zip(*(self._split(flat) for (flat,) in copies), strict=True)
        return self._unstack(self._named(map(torch.cat, parts)))

    def _split(self, flat: Tensor) -> Sequence[Tensor]:
        """The parts of a block that are of one tensor each."""
        return torch.split(flat, [self._rows * shape.numel() for shape in self._shapes.values()])

    def _named(self, parts: Iterable[Tensor]) -> ByName:
        """Such parts, of as many members as they have, (S, …) by name."""
        return {name: part.view(-1, *shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=True)}

    def _unstack(self, stacked: ByName) -> ByName:
        """`stacked` by the names that the members' networks have for its parts."""
        found: ByName = {}
        for name, value in stacked.items():
            layer, _, kind = name.partition(".")
            if kind != "kernels":
                found[name] = value
                continue
            shape = self._shape_of[f"{layer}.weight"]
            entries = shape[1:].numel()
            found[f"{layer}.weight"] = value[:, :, :entries].view(-1, *shape)
            if value.shape[2] > entries:
                found[f"{layer}.bias"] = value[:, :, entries]
        return found


def _side_by_side(values: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """What each member has of each parameter, (S, …)."""
    return [torch.stack(each).detach() for each in zip(*values, strict=True)]


def _joined_shapes(parameters: dict[str, nn.Parameter], joined: Sequence[str]) -> dict[str, torch.Size]:
    """Shapes of one member's parameters by name, weights and bias of a joined layer as one."""
    shapes: dict[str, torch.Size] = {}
    for name, value in parameters.items():
        layer, _, kind = name.partition(".")
        if layer not in joined:
            shapes[name] = value.shape
        elif kind == "weight":
            entries = value[0].numel() + (f"{layer}.bias" in parameters)
            shapes[f"{layer}.kernels"] = torch.Size((len(value), entries))
    return shapes
