"""The only thing the training loop knows: a state made from a seed that can go one step further.

Faster ways to step (many seeds as one, closed-form gradients, a captured graph) are other steppers behind the same
protocol; probes, recording and commands do not see the difference.
"""

from __future__ import annotations

import math
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from condense_core.engine.datasets import Dataset
from condense_core.engine.losses import loss
from condense_core.engine.model import Network
from condense_core.engine.optimisers import optimiser
from condense_core.engine.view import View
from condense_core.experiment import Experiment

State = dict[str, Tensor]


class Stepper(Protocol):
    """A network in training at gradient step `step`."""

    step: int
    name: str
    """Which way of stepping this is, for the run's record."""

    def advance(self) -> None:
        """Take one optimiser step."""

    def view(self) -> View:
        """The network as it is now, to be measured; reading it changes nothing."""

    def state(self) -> State:
        """All that a stepper of the same experiment needs to go on from here, bit for bit."""

    def restore(self, state: State) -> None:
        """Continue from `state()` of another."""


class EagerStepper:
    """PyTorch's own forward, backward and optimiser step, one at a time."""

    name = "eager"

    def __init__(self, experiment: Experiment, dataset: Dataset, device: torch.device) -> None:
        dtype = torch.float64 if experiment.dtype == "float64" else torch.float32
        self.step = 0
        self._order: Tensor | None = None
        self._experiment = experiment
        self._dataset = dataset.to(device, dtype)
        self._network = Network(experiment, dataset.input_shape, dataset.outputs).to(device)
        self._lr = math.nan
        if experiment.optimizer.lr_lambda1 is not None:
            self._lr = experiment.optimizer.lr_lambda1 / self.view().signal_strength()
        self._parameters = list(self._network.parameters())
        self._optimiser = optimiser(experiment.optimizer, self._parameters, lr=self._lr)
        self._lr = self._optimiser.lr
        self._first_lr = self._lr

    def advance(self) -> None:
        input_, target_ND = self._batch()
        self._optimiser.lr = self._lr = self._learning_rate()
        error = loss(self._experiment.loss, self._network(input_), target_ND)
        self._optimiser.update(torch.autograd.grad(error, self._parameters))
        self.step += 1

    def view(self) -> View:
        return View(self._experiment, self._network, self._dataset, self.step, self._lr)

    def state(self) -> State:
        state = {f"network.{name}": value.detach() for name, value in self._network.state_dict().items()}
        state |= {f"optimiser.{name}": value for name, value in self._optimiser.state().items()}
        return state | {"step": torch.tensor(self.step)}

    def restore(self, state: State) -> None:
        self.step = int(state["step"])
        self._order = None
        with torch.no_grad():
            for name, value in self._network.state_dict().items():
                value.copy_(state[f"network.{name}"])
        of_optimiser = {key: value for key, value in state.items() if key.startswith("optimiser.")}
        self._optimiser.restore({key.removeprefix("optimiser."): value for key, value in of_optimiser.items()})

    def _learning_rate(self) -> float:
        """The rate of this step; a function of the step alone, so that a resumed run needs no memory of it."""
        later = [lr for step, lr in self._experiment.optimizer.later_lr if step <= self.step]
        return later[-1] if later else self._first_lr

    def _batch(self) -> tuple[Tensor, Tensor]:
        """The samples of this step: all, or the next of an epoch's permutation.

        The permutation is a function of the seed and the epoch alone, so a resumed run needs no random state.
        """
        input_, target_ND = self._dataset.input, self._dataset.target
        size = self._experiment.optimizer.batch
        if size is None:
            return input_, target_ND
        epoch, place = divmod(self.step, len(input_) // size)
        if self._order is None or place == 0:
            generator = torch.Generator().manual_seed((self._experiment.seed * 1_000_003 + epoch) % 2**63)
            self._order = torch.randperm(len(input_), generator=generator).to(input_.device)
        chosen = self._order[place * size : (place + 1) * size]
        return input_[chosen], target_ND[chosen]


def multiplications(experiment: Experiment, dataset: Dataset) -> float:
    """Multiplications of one forward pass over the samples of a step: the measure of how much work a step is."""
    network = Network(experiment, dataset.input_shape, dataset.outputs).eval()
    total = 0

    def count(layer: nn.Module, _: object, output: Tensor) -> None:
        nonlocal total
        weight = cast(Tensor, layer.weight)
        total += weight.numel() * (output.numel() // len(weight))

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(dataset.input[:1].to(next(network.parameters()).dtype))
    return float(total) * (experiment.optimizer.batch or len(dataset))
