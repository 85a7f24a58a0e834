"""The scenario's optimiser: PyTorch's own update rules, called as functions.

Not `torch.optim`'s classes: their first step imports the whole of torch's compiler, which takes as long as torch itself
and is never used here, and every step pays for hooks that nobody hangs anything on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from condense_core.scenario.optimizers import GD, Adam, AdamW, Optimizer


class Optimiser(Protocol):
    """Moves its values in place, one step for every call of `update`."""

    lr: float | Tensor
    """The learning rate of the next update, one for all entries or one for each; may be set between two."""
    steps: float
    """Updates made so far, as far as the rule depends on them; settable, to go on from a checkpoint."""
    counters: list[Tensor]
    """Where the steps are counted, on the device."""
    moments: dict[str, list[Tensor]]
    """What is remembered between steps, by name, in the order of the values; empty for plain gradient descent."""

    def update(self, gradients: Sequence[Tensor]) -> None:
        """One step along the gradients, given in the order of the values."""


def optimiser(settings: Optimizer, values: Sequence[Tensor], *, lr: float | Tensor) -> Optimiser:
    """Gradient descent, Adam or AdamW as the scenario says.

    `lr` is a number, or a tensor with a rate for every entry where `values` is a single tensor. Elementwise kernels
    only, so one machine gives the same bits every time.
    """
    own = [value.detach() for value in values]
    return _Descent(own, lr, settings) if isinstance(settings, GD) else _Adam(own, lr, settings)


class _Descent:
    def __init__(self, values: list[Tensor], lr: float | Tensor, settings: GD) -> None:
        self.lr = lr
        self.steps = 0.0
        self.counters: list[Tensor] = []
        self.moments: dict[str, list[Tensor]] = {}
        if settings.momentum:
            # at 0 the first step's is its gradient, as PyTorch has it
            self.moments["momentum"] = [torch.zeros_like(value) for value in values]
        self._values = values
        self._settings = settings
        self._momentum: list[Tensor | None] = [*self.moments.get("momentum", [None] * len(values))]

    def update(self, gradients: Sequence[Tensor]) -> None:
        if isinstance(self.lr, Tensor):
            # the step is linear in the rate: one of rate 1 from 0, then each entry at its own
            step = torch.zeros_like(self._values[0])
            decay = self._settings.weight_decay
            gradient = gradients[0].add(self._values[0], alpha=decay) if decay else gradients[0]
            self._step([step], [gradient], 1.0, 0.0)
            self._values[0].addcmul_(self.lr, step)
        else:
            self._step(self._values, gradients, self.lr, self._settings.weight_decay)

    def _step(self, values: list[Tensor], gradients: Sequence[Tensor], lr: float, weight_decay: float) -> None:
        sgd(
            values,
            list(gradients),
            self._momentum,
            foreach=True,
            lr=lr,
            weight_decay=weight_decay,
            momentum=self._settings.momentum,
            dampening=0.0,
            nesterov=self._settings.nesterov,
            maximize=False,
        )


class _Adam:
    def __init__(self, values: list[Tensor], lr: float | Tensor, settings: Adam | AdamW) -> None:
        self.lr = lr
        self._settings = settings
        self._values = values
        self.moments = {name: [torch.zeros_like(value) for value in values] for name in ("mean", "square")}
        self.counters = [torch.zeros((), dtype=torch.float32, device=value.device) for value in values]

    @property
    def steps(self) -> float:
        return float(self.counters[0])

    @steps.setter
    def steps(self, steps: float) -> None:
        for counter in self.counters:
            counter.fill_(steps)

    def update(self, gradients: Sequence[Tensor]) -> None:
        if isinstance(self.lr, Tensor):
            # as in gradient descent
            step = torch.zeros_like(self._values[0])
            coupled = self._coupled_decay
            gradient = gradients[0].add(self._values[0], alpha=coupled) if coupled else gradients[0]
            self._decay_weights(self.lr)
            self._step([step], [gradient], 1.0, 0.0)
            self._values[0].addcmul_(self.lr, step)
        else:
            self._decay_weights(self.lr)
            self._step(self._values, gradients, self.lr, self._coupled_decay)

    @property
    def _coupled_decay(self) -> float:
        """What is added to the gradient, times the weights."""
        return self._settings.weight_decay if isinstance(self._settings, Adam) else 0.0

    def _decay_weights(self, lr: float | Tensor) -> None:
        """AdamW's part of a step that the gradient has no say in."""
        if isinstance(self._settings, AdamW) and self._settings.weight_decay:
            for value in self._values:
                value.mul_(1 - lr * self._settings.weight_decay)

    def _step(self, values: list[Tensor], gradients: Sequence[Tensor], lr: float, weight_decay: float) -> None:
        adam(
            values,
            [_laid_out_as(value, gradient) for value, gradient in zip(values, gradients, strict=True)],
            self.moments["mean"],
            self.moments["square"],
            [],
            self.counters,
            # one kernel for all values: on a small network most of a step is Python
            fused=True,
            amsgrad=False,
            beta1=self._settings.betas[0],
            beta2=self._settings.betas[1],
            lr=lr,
            weight_decay=weight_decay,
            eps=self._settings.eps,
            maximize=False,
        )


def _laid_out_as(value: Tensor, gradient: Tensor) -> Tensor:
    """The gradient, entry for entry where the value's are in memory: a convolution's may come in the order of its
    images, and the fused kernel goes through memory side by side, on a processor without a word."""
    return gradient if gradient.stride() == value.stride() else torch.empty_like(value).copy_(gradient)
