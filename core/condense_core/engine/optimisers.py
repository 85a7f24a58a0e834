"""The scenario's optimiser: PyTorch's own update rules, called as functions.

Not `torch.optim`'s classes: their first step imports the whole of torch's compiler, which takes as long as torch itself
and is never used here, and every step pays for hooks that nobody hangs anything on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from condense_core.errors import ScenarioError
from condense_core.experiment import GD, Adam, Optimizer


class Optimiser(Protocol):
    """Moves its parameters in place, one step for every call of `update`."""

    lr: float
    """The learning rate of the next update; may be set between two."""

    def update(self, gradients: Sequence[Tensor]) -> None:
        """One step along the gradients, given in the order of the parameters."""

    def state(self) -> dict[str, Tensor]:
        """What the optimiser remembers between steps; empty for plain gradient descent."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from `state()` of another."""


def optimiser(settings: Optimizer, parameters: Sequence[Tensor], *, lr: float | None = None) -> Optimiser:
    """Plain gradient descent, or Adam with the scenario's betas and eps; `lr` stands in for a scenario's `lr_lambda1`.

    Elementwise kernels only, so one machine gives the same bits every time, also after a `state` round trip.
    ScenarioError where the learning rate is given neither way.
    """
    rate = settings.lr if settings.lr is not None else lr
    if rate is None:
        raise ScenarioError("optimizer.lr_lambda1: λ1 of the signal matrix is needed to find lr; or give optimizer.lr")
    values = [parameter.detach() for parameter in parameters]
    return _Descent(values, rate) if isinstance(settings, GD) else _Adam(values, rate, settings)


class _Descent:
    def __init__(self, values: list[Tensor], lr: float) -> None:
        self.lr = lr
        self._values = values
        self._no_momentum: list[Tensor | None] = [None] * len(values)

    def update(self, gradients: Sequence[Tensor]) -> None:
        sgd(
            self._values,
            list(gradients),
            self._no_momentum,
            foreach=True,
            lr=self.lr,
            weight_decay=0.0,
            momentum=0.0,
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )

    def state(self) -> dict[str, Tensor]:
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Nothing is remembered."""


class _Adam:
    def __init__(self, values: list[Tensor], lr: float, settings: Adam) -> None:
        self.lr = lr
        self._settings = settings
        self._values = values
        self._mean = [torch.zeros_like(value) for value in values]
        self._square = [torch.zeros_like(value) for value in values]
        self._steps = [torch.zeros((), dtype=torch.float32, device=value.device) for value in values]

    def update(self, gradients: Sequence[Tensor]) -> None:
        adam(
            self._values,
            list(gradients),
            self._mean,
            self._square,
            [],
            self._steps,
            # one kernel for all parameters: on a small network most of a step is Python
            fused=True,
            amsgrad=False,
            beta1=self._settings.betas[0],
            beta2=self._settings.betas[1],
            lr=self.lr,
            weight_decay=0.0,
            eps=self._settings.eps,
            maximize=False,
        )

    def state(self) -> dict[str, Tensor]:
        moments = {"mean": self._mean, "square": self._square, "steps": self._steps}
        return {f"{name}.{index}": value for name, values in moments.items() for index, value in enumerate(values)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        for name, value in self.state().items():
            value.copy_(state[name])
