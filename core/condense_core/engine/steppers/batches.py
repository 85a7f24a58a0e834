"""The samples of each step, where a step does not see all of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from condense_core.engine.data.datasets import Dataset
from condense_core.scenario.experiment import Experiment


class Batches:
    """The next batch of an epoch's permutation, for each member.

    A permutation is a function of the seed and the epoch alone, so a resumed run needs no random state.
    """

    def __init__(self, experiment: Experiment, datasets: Sequence[Dataset]) -> None:
        """`datasets` has a sample for each of `experiment.members`."""
        self._size = experiment.optimizer.batch
        self._seeds = [member.seed for member in experiment.members]
        self._datasets = datasets
        self._permutations: dict[int, tuple[int, Tensor]] = {}

    def at(self, step: int, members: Sequence[int]) -> list[Tensor] | None:
        """Numbers of the samples of that step, a tensor for each of these members; None where a step sees them all."""
        if self._size is None:
            return None
        return [self._of_member(member, step, self._size) for member in members]

    def _of_member(self, member: int, step: int, size: int) -> Tensor:
        dataset = self._datasets[member]
        epoch, place = divmod(step, len(dataset) // size)
        known = self._permutations.get(member)
        if known is None or known[0] != epoch:
            generator = torch.Generator().manual_seed((self._seeds[member] * 1_000_003 + epoch) % 2**63)
            order = torch.randperm(len(dataset), generator=generator).to(dataset.input.device)
            known = self._permutations[member] = epoch, order
        return known[1][place * size : (place + 1) * size]
