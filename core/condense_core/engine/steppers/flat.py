"""The weights of all members in one block of memory, so that an optimiser step is one kernel.   # S members"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from condense_core.engine.steppers.base import ByName, Stepper, uniform
from condense_core.engine.steppers.graphs import BLOCK, Block
from condense_core.engine.steppers.optimisers import Optimiser

Stacked = dict[str, Tensor]


class FlatStepper(Stepper):
    """Keeps every tensor of the networks stacked over members, (S, …), all of them one after the other in `_weights`.

    The members' own networks read and write the same memory. `_gradients` is laid out the same way. A layer that is
    `_joined` is a single tensor `LAYER.kernels` (S, M, K + 1) of weights and, where it has one, the bias.
    """

    _graph: Block | None = None
    _tried = False

    @property
    def block(self) -> int:  # type: ignore[override]
        """On a GPU, as many steps as one graph takes; a schedule of rates or batches changes from step to step."""
        optimizer = self._experiment.optimizer
        fixed = optimizer.batch is None and not optimizer.later_lr
        return BLOCK if fixed and self._weights.device.type == "cuda" else 1

    def advance(self, steps: int = 1) -> None:
        """Take that many steps, as many of them as can be in blocks."""
        if steps >= self.block > 1:
            if not self._tried:
                self._try_graph()
            while self._graph is not None and steps >= BLOCK:
                self._graph.replay()
                self._differentiated = False
                self.step += BLOCK
                steps -= BLOCK
        super().advance(steps)

    def _try_graph(self) -> None:
        self._tried = True
        assert self._optimiser is not None
        moments = [value for values in self._optimiser.moments.values() for value in values]
        try:
            self._graph = Block(self._step, [self._weights, *moments, *self._optimiser.counters])
        except RuntimeError as error:
            self.remarks.append(f"steps are taken one by one: {error}")
        else:
            self.remarks.append(f"CUDA graph of {BLOCK} steps")

    def _step(self) -> None:
        self._differentiate()
        self._update()

    def _joined(self) -> tuple[str, ...]:
        return ()

    def _bind(self) -> None:
        self._graph, self._tried = None, False
        self._optimiser: Optimiser | None = None
        networks = [self._networks[member] for member in self.members]
        if not networks:
            return
        parameters = [dict(network.named_parameters()) for network in networks]
        self._shapes = self._layout(parameters[0])
        some = next(iter(parameters[0].values()))
        total = len(networks) * sum(shape.numel() for shape in self._shapes.values())
        self._weights = torch.empty(total, dtype=some.dtype, device=some.device)
        self._gradients = torch.zeros_like(self._weights)
        self._stacked, self._slopes = self._stack(self._weights), self._stack(self._gradients)
        for row, own in enumerate(parameters):
            for name, place in self._by_name(self._stacked, row).items():
                place.copy_(own[name].detach())
                own[name].data = place
        self._optimiser = self._make_optimiser([self._weights], self._rates())

    def _layout(self, parameters: dict[str, nn.Parameter]) -> dict[str, torch.Size]:
        joined = self._joined()
        shapes: dict[str, torch.Size] = {}
        self._shape_of = {name: value.shape for name, value in parameters.items()}
        for name, value in parameters.items():
            layer, _, kind = name.partition(".")
            if layer not in joined:
                shapes[name] = value.shape
            elif kind == "weight":
                entries = value[0].numel() + (f"{layer}.bias" in parameters)
                shapes[f"{layer}.kernels"] = torch.Size((len(value), entries))
        return shapes

    def _stack(self, flat: Tensor) -> Stacked:
        """Views of `flat` by name, (S, …) each."""
        rows = len(self.members)
        parts = torch.split(flat, [rows * shape.numel() for shape in self._shapes.values()])
        return {name: part.view(rows, *shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=True)}

    def _by_name(self, stacked: Stacked, row: int) -> ByName:
        """One member's part of `stacked`, by the names that its network has for it."""
        found: ByName = {}
        for name, value in stacked.items():
            layer, _, kind = name.partition(".")
            if kind != "kernels":
                found[name] = value[row]
                continue
            shape = self._shape_of[f"{layer}.weight"]
            entries = shape[1:].numel()
            found[f"{layer}.weight"] = value[row][:, :entries].view(shape)
            if value.shape[2] > entries:
                found[f"{layer}.bias"] = value[row][:, entries]
        return found

    def _rates(self) -> float | Tensor:
        rates = [self._lr[member] for member in self.members]
        if uniform(rates):
            return rates[0]
        rate_S = torch.tensor(rates, dtype=self._weights.dtype, device=self._weights.device)
        return torch.cat([rate_S.repeat_interleave(shape.numel()) for shape in self._shapes.values()])

    def _update(self) -> None:
        assert self._optimiser is not None
        self._optimiser.update([self._gradients])

    def _optimisers(self) -> list[Optimiser]:
        return [] if self._optimiser is None else [self._optimiser]

    def _moments(self, row: int) -> ByName:
        if self._optimiser is None:
            return {}
        return {
            f"{kind}.{name}": value
            for kind, (flat,) in self._optimiser.moments.items()
            for name, value in self._by_name(self._stack(flat), row).items()
        }
