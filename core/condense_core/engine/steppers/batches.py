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

    def span(self, step: int, count: int, members: Sequence[int]) -> Tensor | None:
        """Those of `count` steps from `step` on, (S, count, B) for these members."""
        if self._size is None:
            return None
        return torch.stack([self._span_of_member(member, step, count, self._size) for member in members])

    def _span_of_member(self, member: int, step: int, count: int, size: int) -> Tensor:
        per_epoch = len(self._datasets[member]) // size
        found, last = [], step + count
        while step < last:
            place = step % per_epoch
            steps = min(last - step, per_epoch - place)
            order = self._permutation(member, step // per_epoch)
            found.append(order[place * size : (place + steps) * size].view(steps, size))
            step += steps
        return torch.cat(found)

    def _of_member(self, member: int, step: int, size: int) -> Tensor:
        epoch, place = divmod(step, len(self._datasets[member]) // size)
        return self._permutation(member, epoch)[place * size : (place + 1) * size]

    def _permutation(self, member: int, epoch: int) -> Tensor:
        known = self._permutations.get(member)
        if known is None or known[0] != epoch:
            dataset = self._datasets[member]
            generator = torch.Generator().manual_seed((self._seeds[member] * 1_000_003 + epoch) % 2**63)
            order = torch.randperm(len(dataset), generator=generator).to(dataset.input.device)
            known = self._permutations[member] = epoch, order
        return known[1]
