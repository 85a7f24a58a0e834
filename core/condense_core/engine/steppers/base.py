"""What the training loop knows: members of one scenario, made from their seeds, that can go one step further together.

Each way to step is another subclass; probes, recording and commands do not see the difference.   # S members
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from condense_core.engine.checkpoint import State, prefix
from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.network import Network
from condense_core.engine.network.observation import Known, View
from condense_core.engine.steppers.optimisers import Optimiser, optimiser
from condense_core.errors import RunFileError
from condense_core.scenario.experiment import Experiment

ByName = dict[str, Tensor]


class Stepper(ABC):
    """The members of one experiment, all at gradient step `step`, each equal to the same seed trained alone.

    A member that is dropped takes no further step; its weights stay in the state.
    """

    name: str
    """Which way of stepping this is, for the run's record."""
    block = 1
    """Steps that are best asked for at a time."""

    def __init__(self, experiment: Experiment, datasets: Sequence[Dataset], device: torch.device) -> None:
        """`datasets` has a sample for each of `experiment.members`, the same object where they share one."""
        self.step = 0
        self.members = list(range(len(experiment.members)))
        """Numbers of those that still train."""
        self._experiment = experiment
        self._experiments = experiment.members
        dtype: torch.dtype = getattr(torch, experiment.dtype)
        placed = {id(dataset): dataset.to(device, dtype) for dataset in datasets}
        self._datasets = [placed[id(dataset)] for dataset in datasets]
        self._shared = len(placed) == 1
        self._networks = [
            Network(alone, dataset.input_shape, dataset.outputs).to(device)
            for alone, dataset in zip(self._experiments, datasets, strict=True)
        ]
        self._lr = self._first_lr = [self._rate(member) for member in self.members]
        self.remarks: list[str] = []
        """What people should know of how steps are taken; whoever reads them empties the list."""
        self._ended: dict[int, ByName] = {}
        self._epochs: dict[int, tuple[int, Tensor]] = {}
        self._differentiated = False
        self._bind()

    def advance(self, steps: int = 1) -> None:
        """Take that many optimiser steps."""
        for _ in range(steps):
            self._advance()

    def _advance(self) -> None:
        self._set_rates()
        # what a view has looked at already is not computed again
        if not self._differentiated:
            self._differentiate()
        self._update()
        self._differentiated = False
        self.step += 1

    def prepare(self) -> None:
        """Do the part of the next step that views show: its work is the step's, not the measurement's."""
        if self._sees_all and not self._differentiated:
            self._differentiate()
            self._differentiated = True

    def rehearse(self) -> None:
        """Do most of a step's work and change nothing, to see how long it takes."""
        # batch normalisation counts what passes through it
        counted = [buffer for network in self._networks for buffer in network.buffers()]
        before = [buffer.clone() for buffer in counted]
        self._differentiate()
        self._differentiated = False
        for buffer, value in zip(counted, before, strict=True):
            buffer.copy_(value)

    def views(self) -> list[View]:
        """Each member in training as it is now, to be measured; reading changes nothing."""
        return [
            View(
                self._experiments[member],
                self._networks[member],
                self._datasets[member],
                self.step,
                self._lr[member],
                known=self._look_up(member) if self._sees_all else None,
            )
            for member in self.members
        ]

    def drop(self, members: Sequence[int]) -> None:
        """Take members out of training, as they are now."""
        before = {member: self._moments(row) for row, member in enumerate(self.members)}
        for member in members:
            self._ended[member] = {
                name: value.detach().clone() for name, value in self._networks[member].state_dict().items()
            }
            self.members.remove(member)
        steps = self._steps_taken()
        self._differentiated = False
        self._bind()
        self._recall({member: before[member] for member in self.members}, steps)

    def state(self) -> State:
        """All that a stepper of the same experiment needs to go on from here, bit for bit."""
        state: State = {"step": torch.tensor(self.step), "optimiser.steps": torch.tensor(self._steps_taken())}
        for row, member in enumerate(self.members):
            own = {f"network.{name}": value.detach() for name, value in self._networks[member].state_dict().items()}
            own |= {f"optimiser.{name}": value for name, value in self._moments(row).items()}
            state |= {f"{prefix(member)}{name}": value for name, value in own.items()}
        for member, weights in self._ended.items():
            state |= {f"{prefix(member)}network.{name}": value for name, value in weights.items()}
        if self._ended:
            state["ended"] = torch.tensor(sorted(self._ended))
        return state

    def restore(self, state: State) -> None:
        """Continue from `state()` of another; RunFileError where it is of another network."""
        try:
            self._restore(state)
        except (KeyError, RuntimeError) as error:
            raise RunFileError(
                f"the checkpoint does not fit this scenario ({error}); remove it to train anew"
            ) from None

    def _restore(self, state: State) -> None:
        self.step = int(state["step"])
        self._differentiated = False
        self._epochs.clear()
        every = range(len(self._experiments))
        ended = [int(member) for member in state.get("ended", torch.empty(0))]
        self.members = [member for member in every if member not in ended]
        with torch.no_grad():
            for member in every:
                for name, value in self._networks[member].state_dict().items():
                    value.copy_(state[f"{prefix(member)}network.{name}"])
        self._ended = {member: dict(self._networks[member].state_dict()) for member in ended}
        self._bind()
        moments = {}
        for member in self.members:
            start = f"{prefix(member)}optimiser."
            moments[member] = {
                name.removeprefix(start): value for name, value in state.items() if name.startswith(start)
            }
        self._recall(moments, float(state["optimiser.steps"]))

    # what a way to step defines

    @abstractmethod
    def _bind(self) -> None:
        """Make ready for the members that still train, from the weights in their networks."""

    @abstractmethod
    def _differentiate(self) -> None:
        """Find outputs and gradients of each member on the samples of this step."""

    @abstractmethod
    def _found(self, row: int) -> Known:
        """What `_differentiate` found last for the member in that row."""

    @abstractmethod
    def _update(self) -> None:
        """Move the weights along what `_differentiate` found last."""

    @abstractmethod
    def _optimisers(self) -> list[Optimiser]:
        """Every optimiser in use, to set the learning rate of a schedule and to ask how many steps were taken."""

    @abstractmethod
    def _moments(self, row: int) -> ByName:
        """What the optimiser remembers of the member in that row, by `mean.PARAMETER` and `square.PARAMETER`."""

    # what they share

    @property
    def _sees_all(self) -> bool:
        """Whether a step sees the whole sample, so that its outputs and gradient are those that are measured."""
        return self._experiment.optimizer.batch is None and self._experiment.trunk is None

    def _look_up(self, member: int) -> Callable[[], Known]:
        def known() -> Known:
            self.prepare()
            # not before it is asked for: a member that was dropped meanwhile has moved the rows of the others
            return self._found(self.members.index(member))

        return known

    def _rate(self, member: int) -> float:
        settings = self._experiment.optimizer
        if settings.lr is not None:
            return settings.lr
        assert settings.lr_lambda1 is not None
        start = View(self._experiments[member], self._networks[member], self._datasets[member], 0)
        return settings.lr_lambda1 / start.signal_strength()

    def _set_rates(self) -> None:
        """The rates of this step; a function of the step alone, so that a resumed run needs no memory of them."""
        schedule = self._experiment.optimizer.later_lr
        if not schedule:
            return
        later = [lr for step, lr in schedule if step <= self.step]
        self._lr = [later[-1]] * len(self._experiments) if later else self._first_lr
        if later:
            for each in self._optimisers():
                each.lr = later[-1]

    def _steps_taken(self) -> float:
        optimisers = self._optimisers()
        return optimisers[0].steps if optimisers else 0.0

    def _recall(self, moments: Mapping[int, ByName], steps: float) -> None:
        for row, member in enumerate(self.members):
            for name, value in self._moments(row).items():
                value.copy_(moments[member][name])
        for each in self._optimisers():
            each.steps = steps

    def _make_optimiser(self, values: Sequence[Tensor], lr: float | Tensor) -> Optimiser:
        return optimiser(self._experiment.optimizer, values, lr=lr)

    def _batch(self, member: int) -> Tensor | None:
        """Numbers of the samples of this step: the next of an epoch's permutation; None for all of them.

        The permutation is a function of the seed and the epoch alone, so a resumed run needs no random state.
        """
        size = self._experiment.optimizer.batch
        if size is None:
            return None
        dataset = self._datasets[member]
        epoch, place = divmod(self.step, len(dataset) // size)
        known = self._epochs.get(member)
        if known is None or known[0] != epoch:
            generator = torch.Generator().manual_seed((self._experiments[member].seed * 1_000_003 + epoch) % 2**63)
            order = torch.randperm(len(dataset), generator=generator).to(dataset.input.device)
            known = self._epochs[member] = epoch, order
        return known[1][place * size : (place + 1) * size]


def uniform(rates: Sequence[float]) -> bool:
    """Whether all members have one learning rate."""
    return len(set(rates)) <= 1 or all(math.isnan(rate) for rate in rates)
