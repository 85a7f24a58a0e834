"""Several steps of one ensemble, measured in one call where a step is far cheaper than its measurement.

What a measurement takes is mostly some hundred calls of PyTorch and NumPy, however many rows they are given. So the
members of several steps are measured as if they were one ensemble of that many: what is found of a row does not depend
on the others. Of each step a copy is kept of what probes ask for (`KeptStep`); they see all of them as `SeveralSteps`,
and add to `SeveralMeasurements` what is then taken apart again, step by step.

# B steps, S members, R = B·S rows: the members of the first step, then those of the second, …
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from condense_core.engine.network.observation import Observation
from condense_core.engine.network.stacked import KeptStack, Stacked
from condense_core.engine.probes.base import Measurement, ScalarTable
from condense_core.engine.probes.ensemble_members import EnsembleMembers
from condense_core.engine.probes.members import Instant, NumpyArray
from condense_core.runfile.frames import Frame
from condense_core.runfile.precision import SINGLE
from condense_core.runfile.stacks import Stack

# Copies that are kept of what training has in memory, and pairs of kernels of the widest layer.
KEPT_BYTES = 4 * 2**20
PAIRS_BYTES = 12 * 2**20
# Beyond this, what goes step by step is nearly all that there is.
MOST_STEPS = 32


class KeptStep(NamedTuple):
    """What is measured of an ensemble at one step, kept until later; arrays are (S,)."""

    step: int
    seconds: float
    numbers: tuple[int, ...]
    first: Observation
    stacked: KeptStack
    accuracy_S: NumpyArray
    test_loss_S: NumpyArray
    test_accuracy_S: NumpyArray


def most_steps(members: EnsembleMembers) -> int:
    """How many steps of these members are measured at once; 1 where each has to be measured by itself."""
    if not members.can_be_kept:
        return 1
    widest = max(members.geometry(layer).kernels for layer in members.layers)
    pairs = PAIRS_BYTES // (8 * len(members.numbers) * widest**2)
    return max(1, min(MOST_STEPS, pairs, KEPT_BYTES // max(1, members.bytes_kept)))


def kept_step(members: EnsembleMembers) -> KeptStep:
    """The members as they are now."""
    first, stacked = members.views[0], members.kept_stack()
    assert isinstance(first, Observation)
    scores = members.accuracy(), members.test_loss(), members.test_accuracy()
    return KeptStep(members.step, members.seconds, members.numbers, first, stacked, *scores)


class SeveralSteps(EnsembleMembers):
    """The members of an ensemble at several steps, ascending, by what was kept of each."""

    def __init__(self, kept: Sequence[KeptStep]) -> None:
        first = kept[0]
        # what is asked of a view is the same at all steps
        super().__init__([first.first], first.numbers * len(kept), Stacked.joined([each.stacked for each in kept]))
        members = len(first.numbers)
        self._instants = [
            Instant(each.step, each.seconds, slice(at * members, (at + 1) * members)) for at, each in enumerate(kept)
        ]
        self._scores = [np.concatenate(each) for each in zip(*(each[5:] for each in kept), strict=True)]

    @property
    def instants(self) -> Sequence[Instant]:
        return self._instants

    def accuracy(self) -> NumpyArray:
        return self._scores[0]

    def test_loss(self) -> NumpyArray:
        return self._scores[1]

    def test_accuracy(self) -> NumpyArray:
        return self._scores[2]


class SeveralMeasurements(Measurement):
    """What is measured of `SeveralSteps`: a measurement of all rows, which is taken apart to one of each step."""

    def __init__(self, steps: Sequence[int], numbers: Sequence[int], *, ensemble: bool = False) -> None:
        """`numbers` are those of the members, the same at every step."""
        super().__init__(steps[0], tuple(numbers) * len(steps), ensemble=ensemble)
        self._parts = [Measurement(step, numbers, ensemble=ensemble) for step in steps]
        self._members = len(numbers)
        # of a scalar that not every step has, which ones have it (B,)
        self._known: dict[str, NumpyArray] = {}

    def scalar(self, name: str, value: float | NumpyArray, bits: int = SINGLE, *, known: bool = False) -> None:
        super().scalar(name, value, bits, known=known)
        if known and name in self._columns:
            values_R, _ = self._columns[name]
            self._known[name] = np.any(~np.isnan(values_R.reshape(-1, self._members)), axis=1)

    def frame(self, layer: str, frame: Frame, number: int = 0, at: int = 0) -> None:
        self._parts[at].frame(layer, frame, number)

    def stack(self, layer: str, stack: Stack, at: int | None = None) -> None:
        if at is not None:
            self._parts[at].stack(layer, stack)
            return
        for part, own in zip(self._parts, stack.split(len(self._parts)), strict=True):
            part.stack(layer, own)

    def event(self, kind: str, text: str, number: int = 0, at: int = 0) -> None:
        self._parts[at].event(kind, text, number)

    def add_of(self, probe: Sequence[Measurement]) -> None:
        """Add what one probe found at each step by itself."""
        self._add_scalars(probe)
        if all(found.is_whole for found in probe):
            self._take_each(probe)
        else:
            self.later(lambda: self._finish_each(probe))

    def each_step(self) -> list[Measurement]:
        """What was measured at each step; nothing is added any more."""
        self.finish()
        names, values_CR = self._table
        values_CBS = values_CR.reshape(len(names), len(self._parts), self._members)
        for at, part in enumerate(self._parts):
            there = [row for row, name in enumerate(names) if name not in self._known or self._known[name][at]]
            if len(there) == len(names):
                part.fill(ScalarTable(names, values_CBS[:, at]))
            else:
                part.fill(ScalarTable(tuple(names[row] for row in there), values_CBS[there, at]))
        return self._parts

    def _finish_each(self, probe: Sequence[Measurement]) -> None:
        for found in probe:
            found.finish()
        self._add_scalars(probe)
        self._take_each(probe)

    def _take_each(self, probe: Sequence[Measurement]) -> None:
        for part, found in zip(self._parts, probe, strict=True):
            part.take(found)

    def _add_scalars(self, probe: Sequence[Measurement]) -> None:
        for at, found in enumerate(probe):
            rows = slice(at * self._members, (at + 1) * self._members)
            for name, (values, bits) in found.columns.items():
                if name not in self._columns:
                    super().scalar(name, np.nan, bits)
                    self._known[name] = np.zeros(len(self._parts), bool)
                self._columns[name][0][rows] = values
                self._known[name][at] = True
