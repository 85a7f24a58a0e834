"""All members of an ensemble at one step, side by side.   # S members, N samples, D outputs, M kernels, K entries"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network import losses
from condense_core.engine.network.measured import MeasuredNetwork
from condense_core.engine.network.observation import signal_of
from condense_core.measures.sample import drawn_kernels
from condense_core.scenario.experiment import Experiment

NamedGradients = Mapping[str, Tensor]
Copy = tuple[Sequence[Tensor], Sequence[Tensor]]
"""Weights and gradients of all members at one step, as they lie in memory."""

# Outputs of all members that are turned to losses at once: of more, sums over samples are split among threads, and one
# member alone would be added up in another order.
MOST_OUTPUTS = 32_768


class Memory(Protocol):
    """Where the members' weights and gradients are."""

    def copy(self) -> Copy:
        """Both as they are now, in memory that no step writes to."""

    def joined(self, copies: Sequence[Copy]) -> tuple[NamedGradients, NamedGradients]:
        """Weights and gradients of several steps, (B·S, …) by parameter name: the members of the second copy after
        those of the first."""


class Computed(NamedTuple):
    """What the coming step is made of: outputs (S, N, D) on the whole sample, and gradients as it needs them."""

    outputs: Callable[[], Tensor]
    gradients: Callable[[], NamedGradients]


class KeptStack(NamedTuple):
    """What of one step is kept until it is measured."""

    stacked: Stacked
    output_SND: Tensor
    copy: Copy


class Stacked:
    """What the members have in common memory, (S, …) each; to be read before the ensemble takes its next step."""

    def __init__(
        self,
        experiment: Experiment,
        dataset: Dataset | None,
        weights: Callable[[], NamedGradients],
        computed: Computed | None,
        *,
        memory: Memory,
        network: MeasuredNetwork,
    ) -> None:
        """`dataset` is the sample, None where each member has its own; nothing is `computed` where the coming step does
        not see the whole sample; `network` is any member's."""
        self.experiment = experiment
        self._dataset = dataset
        self._weights = weights
        self._computed = computed
        self._memory = memory
        self._network = network
        # of several steps, how many members each has
        self._members: int | None = None
        # of a thousand members a few are measured at a time, and each time those of all would be put together
        self._known: dict[tuple[str, str], Tensor] = {}

    @classmethod
    def joined(cls, kept: Sequence[KeptStack]) -> Stacked:
        """What was kept of one ensemble at several steps, the members of the second after those of the first."""
        first = kept[0].stacked
        weights, gradients = first._memory.joined([each.copy for each in kept])
        output_RND = torch.cat([each.output_SND for each in kept])
        joined = cls(
            first.experiment,
            first._dataset,
            lambda: weights,
            Computed(lambda: output_RND, lambda: gradients),
            memory=first._memory,
            network=first._network,
        )
        joined._members = len(kept[0].output_SND)
        return joined

    @property
    def bytes_kept(self) -> int:
        """How much memory `kept` takes, about."""
        weights = sum(value.nbytes for value in self._weights().values())
        return 2 * weights + self._outputs.nbytes

    def kept(self) -> KeptStack:
        """This step, for `joined`."""
        # gradients are there once outputs are
        return KeptStack(self, self._outputs.clone(), self._memory.copy())

    @property
    def has_gradient(self) -> bool:
        """Whether outputs and gradients are there without being worked out."""
        return self._computed is not None

    @property
    def has_outputs(self) -> bool:
        """Whether losses and signals are found of all members at once, with the bits of one alone."""
        return self.has_gradient and self._dataset is not None and self._dataset.target.numel() <= MOST_OUTPUTS

    def weights(self) -> NamedGradients:
        """All parameters by name, in the network's order."""
        return {name: value.detach() for name, value in self._weights().items()}

    def kernels(self, layer: str) -> Tensor:
        """The layers' kernels (S, M, K), to be read only."""
        return self._once("kernels", layer, self._weights)

    def gradient(self) -> NamedGradients:
        """Gradients by parameter name."""
        return self._gradients

    def kernel_gradient(self, layer: str) -> Tensor:
        """Gradients by the layers' kernels (S, M, K)."""
        return self._once("gradient", layer, self.gradient)

    @cached_property
    def loss_S(self) -> Tensor:
        """The loss on the whole sample."""
        return losses.losses(self.experiment.loss, self._outputs, self._shared.target)

    @property
    def has_finite_losses(self) -> bool:
        """Whether `loss_S` is finite of all members."""
        surely = losses.are_surely_finite(self._outputs, self._shared.largest_target)
        return surely or bool(self.loss_S.isfinite().all())

    @cached_property
    def signal_SRK(self) -> Tensor:
        """The signal matrix of the only hidden layer, from the current residuals."""
        outputs, target_ND = self._outputs, self._shared.target
        members, (samples, count) = self._members or len(outputs), target_ND.shape
        # samples of all members at all steps are those of one network
        residual_nd = losses.residual(
            self.experiment.loss, outputs.reshape(-1, count), target_ND.repeat(len(outputs), 1)
        )
        # and outputs of all members at one step, too; one product of all steps would have other last bits, as many rows
        # are worked on in another way than a few
        residual_BNd = (
            residual_nd.view(-1, members, samples, count).transpose(1, 2).reshape(-1, samples, members * count)
        )
        layer = self.experiment.layers[0]
        signal_BdK = torch.stack([signal_of(layer, residual_Nd, self._shared) for residual_Nd in residual_BNd])
        return signal_BdK.reshape(len(outputs), -1, signal_BdK.shape[2])

    @property
    def _shared(self) -> Dataset:
        assert self._dataset is not None
        return self._dataset

    @cached_property
    def _outputs(self) -> Tensor:
        assert self._computed is not None
        return self._computed.outputs()

    @cached_property
    def _gradients(self) -> NamedGradients:
        assert self._computed is not None
        return self._computed.gradients()

    def _once(self, what: str, layer: str, values: Callable[[], NamedGradients]) -> Tensor:
        if (what, layer) not in self._known:
            self._known[what, layer] = self._rows(layer, values())
        return self._known[what, layer]

    def _rows(self, layer: str, values: NamedGradients) -> Tensor:
        rows_SMK = self._network.rows(layer, values, members=1).detach()
        sample = drawn_kernels(layer, rows_SMK.shape[1])
        return rows_SMK if sample is None else rows_SMK[:, sample.to(rows_SMK.device)]
