"""A network whose parameters are spread over processes, as FSDP2 (`fully_shard`) does it.

Putting a parameter together takes all processes, so that all of them copy the same layers at the same steps, which
depend on nothing but the step; the first one records what it gets, and the others throw it away. One that did not take
part would have the others wait for ever: each says beforehand that it does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from condense_core.errors import CondenseError
from condense_core.watching.choice import Chosen
from condense_core.watching.copying import copy_layers, norm
from condense_core.watching.recording import WeightCopy
from condense_core.watching.schedule import is_due

_numbers = itertools.count()


class NotAllError(CondenseError):
    """Some of the processes do not watch."""

    def __init__(self) -> None:
        super().__init__("its parameters are spread over processes (FSDP), and not each of them has called watch()")


def is_sharded(model: nn.Module) -> bool:
    """Whether some of its parameters are spread over processes."""
    return any(hasattr(parameter, "full_tensor") for parameter in model.parameters())


class Shards:
    """One process's part: made in each of them by calls of `watch` in the same order."""

    def __init__(self, model: nn.Module, every: int | None, choose: Callable[[], Chosen]) -> None:
        """`choose` gives the layers that are copied, the same ones in each process."""
        self._model, self._every, self._choose = model, every, choose
        self._chosen: Chosen | None = None
        self._step = 0
        self._key = f"condense-tui/watch/{next(_numbers)}"
        self._ranks = 1
        self.off = False
        """Whether nothing is copied any more, in any of them."""
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            self._ranks = torch.distributed.get_world_size()
            _store().set(f"{self._key}/{torch.distributed.get_rank()}", "here")

    def chosen(self) -> Chosen:
        """The layers, looked for at the first step, and what is left out, in words. The list is the same each time."""
        if self._chosen is None:
            self._chosen = self._choose()
        return self._chosen

    def next_is_due(self) -> bool:
        """Whether the step that comes now is one at which all copy; each call is a step. NotAllError at the first one
        where some process does not take part."""
        if self.off:
            return False
        step, self._step = self._step, self._step + 1
        if step == 0 and self._ranks > 1:
            # making the first gradient all of them have met: who watches has said so before
            keys = [f"{self._key}/{rank}" for rank in range(self._ranks)]
            if not _store().check(keys):
                self.off = True
                raise NotAllError
        return is_due(step, self._every)

    def within(self, closure: Callable[[], Any]) -> Callable[[], Any]:
        """The closure, with this process's part once its first call has made the gradient."""
        waiting = [True]

        def made() -> Any:
            loss = closure()
            if waiting:
                waiting.clear()
                try:
                    self.take_part()
                except Exception:  # noqa: BLE001 - the process that records has met the same, and says it
                    self.off = True
            return loss

        return made

    def take_part(self) -> None:
        """What the process that records does at a measured step, as far as the others have to take part."""
        layers, _ = self.chosen()
        thrown = WeightCopy(step=0, seconds=0.0, probes=())
        norm(self._model.parameters())
        copy_layers(list(layers), thrown, with_gradient=True, left_out=lambda layer, _: layers.remove(layer))


def _store() -> Any:
    """Where the processes of a group say things to each other without waiting."""
    return torch.distributed.distributed_c10d._get_default_store()
