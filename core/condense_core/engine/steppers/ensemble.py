"""What the training loop knows: members of one scenario, made from their seeds, that take their steps together.

An ensemble is weights, optimiser and state; how gradients are found is a method that it is given, and neither the loop
nor probes nor checkpoints see which.   # S members
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

import torch
from torch import Tensor

from condense_core.engine.checkpoint import State, prefix
from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.make import make_network
from condense_core.engine.network.observation import Observation, OutputAndGradient
from condense_core.engine.network.stacked import Computed, NamedGradients, Stacked
from condense_core.engine.steppers.batches import Batches
from condense_core.engine.steppers.drawn import Dropout, GradientNoise
from condense_core.engine.steppers.gradients.method import GradientMethod, SteppingMethod
from condense_core.engine.steppers.graphs import BLOCK, CapturedBlock, repay
from condense_core.engine.steppers.optimisers import optimiser
from condense_core.engine.steppers.parameters import ByName
from condense_core.engine.steppers.state import copy_from, does_not_fit, number_in
from condense_core.scenario.experiment import Experiment
from condense_core.text import short

# Weights that are no larger do not make a loss overflow: four layers of x²tanh(x) and of 50 kernels are far from it.
# Of steps that diverge they are larger long before.
MODERATE = 10.0


class TrainingEnsemble:
    """The members of one experiment, all at gradient step `step`, each equal to the same seed trained alone.

    A member that is dropped takes no further step; its weights stay in the state.
    """

    def __init__(
        self, experiment: Experiment, datasets: Sequence[Dataset], device: torch.device, method: type[GradientMethod]
    ) -> None:
        """`datasets` has a sample for each of `experiment.members`, the same object where they share one."""
        self.step = 0
        self.members = list(range(experiment.ensemble.members))
        """Numbers of those that still train."""
        self.notes: list[str] = []
        """What people should know of how steps are taken; whoever reads them empties the list."""
        self._device = device
        self._experiment = experiment
        self._experiments = experiment.members
        dtype: torch.dtype = getattr(torch, experiment.dtype)
        placed = {id(dataset): dataset.to(device, dtype) for dataset in datasets}
        self._datasets = [placed[id(dataset)] for dataset in datasets]
        self._shared = len(placed) == 1
        self._batches = Batches(experiment, self._datasets)
        self._noise = GradientNoise(experiment)
        self._dropout = Dropout(experiment)
        self._networks = [
            make_network(alone, dataset.input_shape, dataset.outputs).to(device)
            for alone, dataset in zip(self._experiments, datasets, strict=True)
        ]
        self._normalises = experiment.batch_norm
        self._full_lr = [self._rate(member) for member in self.members]
        self._ended: dict[int, ByName] = {}
        self._method_type = method
        self._bind()
        # a schedule of rates and what is drawn change from step to step
        same = experiment.optimizer.constant_lr and not (self._noise or self._dropout)
        graphs = same and device.type == "cuda" and repay(experiment, datasets, self._parameters)
        self.block = self._stepping.block if self._stepping is not None else BLOCK if graphs else 1
        """Steps that are best asked for at a time: those of one graph on a GPU, or of one call of compiled code."""

    @property
    def name(self) -> str:
        """How gradients are found, for the run's record."""
        return self._gradients.name

    @property
    def shares_out_members(self) -> bool:
        """Whether threads get members of their own, which changes no bit; else they share a step's products."""
        return self._stepping is not None

    def advance(self, steps: int = 1) -> None:
        """Take that many optimiser steps, as many of them as can be in blocks."""
        if self._stepping is not None:
            self._take(self._stepping, steps)
            return
        if steps >= self.block > 1:
            if not self._tried_graph:
                self._try_graph()
            while self._graph is not None and steps >= BLOCK:
                self._graph.replay(self._batches.span(self.step, BLOCK, self.members))
                self._has_gradients = False
                self.step += BLOCK
                steps -= BLOCK
        for _ in range(steps):
            self._train_step()

    def _take(self, method: SteppingMethod, steps: int) -> None:
        settings = self._experiment.optimizer
        while steps:
            self._set_rates()
            changes = [step - self.step for step, _ in settings.later_lr if step > self.step]
            count = min([steps, *changes])
            (optimiser_,) = self._optimisers
            shares = None
            if settings.warmup or settings.decay != "none":
                # of the full rate, so that where a block begins changes no bit
                (optimiser_.lr,) = self._full_rates
                shares = [settings.lr_share(self.step + number, self._experiment.steps) for number in range(count)]
            batches = self._batches.span(self.step, count, self.members)
            method.train(count, optimiser_, batches, shares, goes_on=self._has_gradients)
            self._has_gradients = False
            self.step += count
            steps -= count

    def _train_step(self) -> None:
        self._set_rates()
        # what an observation has asked for already is not computed again
        if not self._has_gradients:
            self._forward_backward()
        self._update()
        self._has_gradients = False
        self.step += 1

    def prepare(self) -> None:
        """Do the part of the next step that observations need, and wait for it and all steps before: their work is
        training's, and not that of whoever measures next."""
        self._prepare()
        self.settle()

    def _prepare(self) -> None:
        if self._whole_sample and not self._has_gradients:
            self._forward_backward()
            self._has_gradients = True

    def settle(self) -> None:
        """Return when the device has done all that it was given; a GPU is told of steps long before it takes them."""
        if self._device.type == "cuda":
            done = torch.cuda.Event()  # type: ignore[no-untyped-call]
            done.record(torch.cuda.current_stream(self._device))
            done.synchronize()

    def is_moderate(self) -> bool:
        """Whether every weight in training is finite, and so small that no loss can have left float32's range."""
        weights = [value.detach() for group in self._parameters.groups for value in group.params]
        # a tenth of the time of the norm that is the largest size
        ends = torch.stack([end for value in weights for end in torch.aminmax(value)])
        # NaN is not
        return bool(ends.abs().amax() <= MODERATE)

    def warm_up(self) -> None:
        """Do most of a step's work, or a block's, and change nothing, to see how long it takes."""
        if self._stepping is not None:
            self._stepping.rehearse()
            self._has_gradients = False
            return
        # batch normalisation counts what passes through it
        counted = [buffer for network in self._networks for buffer in network.buffers()]
        before = [buffer.clone() for buffer in counted]
        self._forward_backward()
        self._has_gradients = False
        for buffer, value in zip(counted, before, strict=True):
            buffer.copy_(value)

    def observe(self) -> Sequence[Observation]:
        """Each member in training as it is now, to be measured; reading changes nothing."""

        def observed(member: int) -> Observation:
            return Observation(
                self._experiments[member],
                self._networks[member],
                self._datasets[member],
                step,
                self._lr(member, step),
                computed=self._computed(member) if self._whole_sample else None,
            )

        step = self.step
        return _Observations(self.members, observed)

    def stacked(self) -> Stacked:
        """All members in training as they are now, side by side; to be read before the next step."""

        def outputs() -> Tensor:
            self._prepare()
            return self._gradients.outputs()

        def gradients() -> NamedGradients:
            self._prepare()
            return self._parameters.of_rows([group.grads for group in self._parameters.groups])

        return Stacked(
            self._experiment,
            self._datasets[0] if self._shared else None,
            lambda: self._parameters.of_rows([group.params for group in self._parameters.groups]),
            Computed(outputs, gradients) if self._whole_sample else None,
            memory=self._parameters,
            network=self._networks[self.members[0]],
        )

    def drop(self, members: Sequence[int]) -> None:
        """Take members out of training, as they are now; at least one must stay."""
        before = {member: self._moments(row) for row, member in enumerate(self.members)}
        for member in members:
            self._ended[member] = {
                name: value.detach().clone() for name, value in self._networks[member].state_dict().items()
            }
            self.members.remove(member)
        steps = self._optimisers[0].steps
        self._bind()
        for row, member in enumerate(self.members):
            copy_from(before[member], "", self._moments(row))
        self._set_optimiser_steps(steps)

    def state_dict(self) -> State:
        """All that an ensemble of the same experiment needs to go on from here, bit for bit."""
        state: State = {
            "step": torch.tensor(self.step),
            "optimiser.steps": torch.tensor(self._optimisers[0].steps),
        }
        params = [group.params for group in self._parameters.groups]
        for row, member in enumerate(self.members):
            start, network = prefix(member), self._networks[member]
            # a network's own takes as long as all the rest, and has no more than these where it has no buffers
            whole = next(network.buffers(), None) is None
            for name, value in (self._parameters.of_row(row, params) if whole else network.state_dict()).items():
                state[f"{start}network.{name}"] = value.detach()
            for name, value in self._moments(row).items():
                state[f"{start}optimiser.{name}"] = value
        for member, weights in self._ended.items():
            state |= {f"{prefix(member)}network.{name}": value for name, value in weights.items()}
        if self._ended:
            state["ended"] = torch.tensor(sorted(self._ended))
        return state

    def load_state_dict(self, state: State) -> None:
        """Continue from `state_dict()` of another; RunFileError where it is of another network."""
        every = range(len(self._experiments))
        ended = state["ended"].flatten().tolist() if "ended" in state else []
        if not (all(type(member) is int for member in ended) and set(ended) < set(every)):
            raise does_not_fit(f"members {short(ended)} of {len(every)} have ended")
        step = number_in(state, "step")
        if step not in range(self._experiment.steps + 1):
            raise does_not_fit(f"it is at step {step:g} of {self._experiment.steps}")
        self.step = int(step)
        self.members = [member for member in every if member not in ended]
        for member in every:
            copy_from(state, f"{prefix(member)}network.", self._networks[member].state_dict())
        self._ended = {member: dict(self._networks[member].state_dict()) for member in ended}
        self._bind()
        for row, member in enumerate(self.members):
            copy_from(state, f"{prefix(member)}optimiser.", self._moments(row))
        steps = number_in(state, "optimiser.steps")
        if not 0 <= steps <= self.step:
            raise does_not_fit(f"its optimiser has taken {steps:g} steps of {self.step}")
        self._set_optimiser_steps(steps)

    def _bind(self) -> None:
        """Make ready for the members that still train, from the weights in their networks."""
        self._gradients = self._method_type(
            self._experiment,
            [self._networks[member] for member in self.members],
            [self._datasets[member] for member in self.members],
            shared=self._shared,
        )
        self._stepping = self._gradients if isinstance(self._gradients, SteppingMethod) else None
        self._parameters = self._gradients.parameters
        rates = self._parameters.rates([self._full_lr[member] for member in self.members])
        self._full_rates = rates
        self._optimisers = [
            optimiser(self._experiment.optimizer, group.params, lr=rate)
            for group, rate in zip(self._parameters.groups, rates, strict=True)
        ]
        self._updates = list(zip(self._optimisers, self._parameters.groups, strict=True))
        self._graph: CapturedBlock | None = None
        self._tried_graph = False
        self._has_gradients = False

    def _forward_backward(self) -> None:
        """Find outputs and gradients of each member on the samples of this step."""
        batch = self._batches.at(self.step, self.members)
        self._gradients.forward_backward(batch, self._dropout.at(self.step, self.members))

    def _update(self) -> None:
        """Move the weights along the gradients that were found last."""
        if self._noise:
            grads = [group.grads for group in self._parameters.groups]
            for row, member in enumerate(self.members):
                self._noise.add(self.step, member, self._parameters.of_row(row, grads))
        for each, group in self._updates:
            each.update(group.grads)
        if self._normalises:
            for norm in (norm for member in self.members for norm in self._networks[member].batch_norms):
                norm.count()

    def _try_graph(self) -> None:
        def step(batch: Sequence[Tensor] | None) -> None:
            self._gradients.forward_backward(batch)
            self._update()

        self._tried_graph = True
        memory = [value.detach() for group in self._parameters.groups for value in group.params]
        for each in self._optimisers:
            memory += [value for values in each.moments.values() for value in values]
            memory += each.counters
        memory += [value for member in self.members for value in self._networks[member].buffers()]
        # outputs and gradients that were found before are of other weights after the trial
        self._has_gradients = False
        try:
            self._graph = CapturedBlock(step, memory, self._batches.span(self.step, BLOCK, self.members))
        except RuntimeError as error:
            self.notes.append(f"no CUDA graph, steps are taken one by one: {error}")
        else:
            self.notes.append(f"steps are taken in CUDA graphs of {BLOCK}")

    @property
    def _whole_sample(self) -> bool:
        """Whether a step sees the whole sample and network, so that its outputs and gradient are those measured."""
        whole = self._experiment.optimizer.batch is None and not self._dropout
        return whole and self._experiment.trunk is None

    def _computed(self, member: int) -> Callable[[], OutputAndGradient]:
        def compute() -> OutputAndGradient:
            self._prepare()
            # not before it is asked for: a member that was dropped meanwhile has moved the rows of the others
            row = self.members.index(member)
            grads = self._parameters.of_row(row, [group.grads for group in self._parameters.groups])
            return OutputAndGradient(self._gradients.output(row), grads)

        return compute

    def _rate(self, member: int) -> float:
        name, value = self._experiment.optimizer.rate
        if name == "lr":
            return value
        start = Observation(self._experiments[member], self._networks[member], self._datasets[member], 0)
        return start.learning_rate()

    def _lr(self, member: int, step: int) -> float:
        """The rate of the step after that one."""
        optimizer = self._experiment.optimizer
        later = [lr for since, lr in optimizer.later_lr if since <= step]
        return later[-1] if later else self._full_lr[member] * optimizer.lr_share(step, self._experiment.steps)

    def _set_rates(self) -> None:
        """The rates of this step; a function of the step alone, so that a resumed run needs no memory of them."""
        optimizer = self._experiment.optimizer
        if optimizer.constant_lr:
            return
        later = any(step <= self.step for step, _ in optimizer.later_lr)
        share = optimizer.lr_share(self.step, self._experiment.steps)
        for each, full in zip(self._optimisers, self._full_rates, strict=True):
            each.lr = self._lr(self.members[0], self.step) if later else full * share

    def _moments(self, row: int) -> ByName:
        """What the optimiser remembers of the member in that row, by `mean.PARAMETER` and `square.PARAMETER`."""
        return {
            f"{kind}.{name}": value
            for kind in self._optimisers[0].moments
            for name, value in self._parameters.of_row(row, [each.moments[kind] for each in self._optimisers]).items()
        }

    def _set_optimiser_steps(self, steps: float) -> None:
        for each in self._optimisers:
            each.steps = steps


class _Observations(Sequence[Observation]):
    """One of each member, made when it is asked for: of many that are measured together hardly any is."""

    def __init__(self, members: Sequence[int], observed: Callable[[int], Observation]) -> None:
        self._members = tuple(members)
        self._observed = observed
        self._made: dict[int, Observation] = {}

    def __len__(self) -> int:
        return len(self._members)

    @overload
    def __getitem__(self, row: int) -> Observation: ...
    @overload
    def __getitem__(self, row: slice) -> list[Observation]: ...
    def __getitem__(self, row: int | slice) -> Observation | list[Observation]:
        members = self._members[row]
        if isinstance(members, tuple):
            return [self._of(member) for member in members]
        return self._of(members)

    def _of(self, member: int) -> Observation:
        if member not in self._made:
            self._made[member] = self._observed(member)
        return self._made[member]
