"""What a way to find gradients is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.measured import MeasuredNetwork
from condense_core.engine.steppers.drawn import Masks
from condense_core.engine.steppers.optimisers import Optimiser
from condense_core.engine.steppers.parameters import Parameters
from condense_core.scenario.experiment import Experiment


class GradientMethod(Protocol):
    """Forward and backward pass of the members in training. Rows are these members, in their order."""

    def __init__(
        self, experiment: Experiment, networks: Sequence[MeasuredNetwork], datasets: Sequence[Dataset], *, shared: bool
    ) -> None:
        """A network and a sample for each row; `shared` where all members of the scenario have one sample."""

    @property
    def name(self) -> str:
        """Which way this is, for the run's record."""

    @property
    def parameters(self) -> Parameters:
        """The networks' parameters, and where their gradients are written."""

    def forward_backward(self, batch: Sequence[Tensor] | None, masks: Masks | None = None) -> None:
        """Find outputs and gradients of each member on the samples with the numbers in `batch`, a tensor for each row;
        on the whole sample where that is None. `masks` are those of dropout, where `gradient_method` chose one that
        knows them."""

    def output(self, row: int) -> Tensor:
        """What `forward_backward` found last: outputs (N, D) of the member in that row."""

    def outputs(self) -> Tensor:
        """The same of all rows, (S, N, D), contiguous."""


@runtime_checkable
class SteppingMethod(GradientMethod, Protocol):
    """One that takes steps itself, many of them in one call; its parameters are one group."""

    @property
    def block(self) -> int:
        """Steps that are best asked for at a time. Every number of them gives the same bits."""

    def rehearse(self) -> None:
        """Do most of a block's work and change nothing, to see how long it takes."""

    def train(
        self,
        steps: int,
        optimiser: Optimiser,
        batches: Tensor | None,
        shares: Sequence[float] | None = None,
        *,
        goes_on: bool = False,
    ) -> None:
        """Take that many steps at the optimiser's rate, or at `shares` of it, one for each step; with the optimiser's
        moments, and count them there. `batches` (S, steps, B) has the numbers of the samples of each, None where a
        step sees them all. `goes_on`: the first step's gradients are those that `forward_backward` has just found."""
