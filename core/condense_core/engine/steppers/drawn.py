"""What a step draws at random besides its batch: noise of the gradient, and which neurons drop out.

Each draw is a function of the seed, the step and what it is for, never of a draw before: a resumed run needs no random
state, and a member of an ensemble draws what it would draw alone.   # N samples
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from condense_core.scenario.experiment import Experiment

# Any numbers will do: they keep these draws apart from each other, from batches and from initial weights.
NOISE_STREAM = 0x6E6F_6973
DROPOUT_STREAM = 0x6472_6F70


def _generator(stream: int, seed: int, step: int, part: int = 0) -> torch.Generator:
    mixed = ((seed * 1_000_003 + step) * 1_000_003 + part) ^ (stream << 24)
    return torch.Generator().manual_seed(mixed % 2**63)


class GradientNoise:
    """Normal numbers added to every entry of the gradient; false where there are none."""

    def __init__(self, experiment: Experiment) -> None:
        self._std = experiment.optimizer.noise
        self._seeds = [member.seed for member in experiment.members]

    def __bool__(self) -> bool:
        return self._std > 0

    def add(self, step: int, member: int, gradient: Mapping[str, Tensor]) -> None:
        """Add those of that step to the member's gradient, by parameter name, in place."""
        generator = _generator(NOISE_STREAM, self._seeds[member], step)
        for grad in gradient.values():
            drawn = torch.randn(grad.shape, dtype=grad.dtype, generator=generator)
            grad.add_(drawn.to(grad.device), alpha=self._std)


class Dropout:
    """Which outputs of hidden layers are left out; false where all stay."""

    def __init__(self, experiment: Experiment) -> None:
        self._shares = [layer.dropout for layer in experiment.layers]
        self._seeds = [member.seed for member in experiment.members]

    def __bool__(self) -> bool:
        return any(self._shares)

    def at(self, step: int, members: Sequence[int]) -> Masks | None:
        """Those of that step, a row for each of these members; None where all stay."""
        return Masks(self._shares, [self._seeds[member] for member in members], step) if self else None


class Masks:
    """What the outputs of hidden layers are multiplied by in one step."""

    def __init__(self, shares: Sequence[float], seeds: Sequence[int], step: int) -> None:
        self._shares = shares
        self._seeds = seeds
        self._step = step

    def of(self, row: int, depth: int, like: Tensor, part: int = 0) -> Tensor | None:
        """0 for what drops out and 1/(1 - share) for the rest, of the shape of `like` (N, …), in hidden layer `depth`
        of the member in that row; None where all stay. `part` numbers parts of a sample that pass one after another."""
        share = self._shares[depth]
        if not share:
            return None
        # 64 layers at most
        generator = _generator(DROPOUT_STREAM, self._seeds[row], self._step, part * 64 + depth)
        drawn = torch.rand(like.shape, dtype=like.dtype, generator=generator)
        return ((drawn >= share).to(like.dtype) / (1 - share)).to(like.device)
