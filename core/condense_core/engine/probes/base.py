"""What a probe is, and what it finds.   # S members"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from condense_core.engine.probes.members import MemberViews, NumpyArray
from condense_core.engine.probes.view import View
from condense_core.runfile import frames
from condense_core.runfile.frames import Frame
from condense_core.runfile.places import place
from condense_core.runfile.precision import DOUBLE, SINGLE, round_array, rounded
from condense_core.runfile.reader import RunReader
from condense_core.runfile.stacks import Stack
from condense_core.scalar_names import split


class ScalarTable(NamedTuple):
    """Scalars of each member: their names, and the values of each in a row (…, S), rounded."""

    names: tuple[str, ...]
    values: NumpyArray


class Measurement:
    """What was measured at one step of one member or more: scalars by name, frames and events; probes add to it.

    What takes long and needs nothing but what was measured, a probe leaves for `later`: it is worked out before the
    first of them is read, by whoever reads it.
    """

    def __init__(self, step: int, numbers: Sequence[int] = (0,), *, ensemble: bool = False) -> None:
        """`numbers` are those of the members among all of the scenario, `ensemble` whether it has more than one."""
        self.step = step
        self.numbers = tuple(numbers)
        self._row_of = {number: row for row, number in enumerate(self.numbers)}
        self.member_events: list[tuple[int, str, str]] = []
        """Events with the number of the member that each is of."""
        self._ensemble = ensemble or len(self.numbers) > 1
        self._columns: dict[str, tuple[NumpyArray, int]] = {}
        self._of_all: list[tuple[str, float]] = []
        self._frames: list[tuple[str, int, Frame | Stack]] = []
        self._later: list[Callable[[], None]] = []

    def scalar(self, name: str, value: float | NumpyArray, bits: int = SINGLE, *, known: bool = False) -> None:
        """Add a scalar of each member, (S,) or one for all, of so many significant bits; NaN where it has no value. One
        that is there already is replaced. `known`: not where no member has a value."""
        values = np.full(len(self.numbers), value, np.float64)
        if known and np.isnan(values).all():
            return
        self.__dict__.pop("_table", None)
        self._columns[name] = values, bits

    def of_all(self, name: str, value: float, bits: int = SINGLE) -> None:
        """Add a scalar that is not any member's own."""
        self._of_all.append((name, rounded(value, bits)))

    def frame(self, layer: str, frame: Frame, number: int = 0, at: int = 0) -> None:
        """Add one frame of a layer of the member with that number, at one of the `instants`."""
        self._frames.append((layer, number, frame))

    def stack(self, layer: str, stack: Stack, at: int | None = None) -> None:
        """Add frames of a layer of several members; `at` is which of the `instants` they are of, without it of all."""
        self._frames.append((layer, 0, stack))

    def event(self, kind: str, text: str, number: int = 0, at: int = 0) -> None:
        """Add one event of the member with that number, at one of the `instants`."""
        self.member_events.append((number, kind, text))

    def later(self, call: Callable[[], None]) -> None:
        """Have `call`, which adds to this, called before any of it is read."""
        self._later.append(call)

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left for later."""
        return not self._later

    def finish(self) -> None:
        """Work out what was left for later."""
        calls, self._later = self._later, []
        for call in calls:
            call()

    def add(self, part: Measurement) -> None:
        """Add what was found of some of the members."""
        if part._later:
            self.later(lambda: self._add(part))
        else:
            self._add(part)

    def take(self, found: Measurement) -> None:
        """Add the frames and events that were found of the same members."""
        self._frames += found._frames
        self.member_events += found.member_events

    def fill(self, table: ScalarTable) -> None:
        """Have these scalars and no others."""
        self._table = table

    @property
    def columns(self) -> Mapping[str, tuple[NumpyArray, int]]:
        """Each scalar's values (S,), and how many bits of them are kept."""
        return self._columns

    def _add(self, part: Measurement) -> None:
        part.finish()
        rows = [self._row_of[number] for number in part.numbers]
        for name, (values, bits) in part._columns.items():
            column, _ = self._columns.setdefault(name, (np.full(len(self.numbers), math.nan), bits))
            column[rows] = values
        self.take(part)

    @property
    def scalars(self) -> list[tuple[str, float]]:
        """What the run file has as its own: of an ensemble, means of the members that have a value."""
        self.finish()
        return [*self._own(), *self._of_all]

    @property
    def frames(self) -> list[tuple[str, Frame]]:
        """All frames one by one, under the names that the run file has for each member's, with the scalars of an
        ensemble member by member."""
        found: list[tuple[str, Frame]] = []
        for layer, frame in self.records:
            if isinstance(frame, Stack):
                found += [(place(layer, number), own) for number, own in frame.each_member()]
            else:
                found.append((layer, frame))
        return found

    @property
    def records(self) -> list[tuple[str, Frame | Stack]]:
        """`frames` as they are handed over to be written: of several members together where they were found so."""
        self.finish()
        found: list[tuple[str, Frame | Stack]] = []
        for layer, number, frame in self._frames:
            if not isinstance(frame, Stack):
                found.append((place(layer, number), frame))
            elif len(frame.members) == 1:
                (only,) = frame.members
                found.append((place(layer, only), frame.of_member(only)))
            else:
                found.append((layer, frame))
        if not self._ensemble:
            return found
        names, values = self._table
        parts: list[slice] = [slice(0, len(names))]
        if values.size > frames.MOST_OF_MEMBERS:
            # all that a probe finds of a layer in one frame: whoever reads the newest finds them together
            layers = [split(name)[0] for name in names]
            ends = [at for at in range(1, len(names)) if layers[at] != layers[at - 1]] + [len(names)]
            parts = list(map(slice, [0, *ends[:-1]], ends))
        own = [
            frames.Members(names=names[part], members=self.numbers, values=frames.Array.of(values[part], "f8"))
            for part in parts
        ]
        return [*(("", frame) for frame in own), *found]

    @property
    def events(self) -> list[tuple[str, str]]:
        """All events, whichever member they are of."""
        self.finish()
        return [(kind, text) for _, kind, text in self.member_events]

    @cached_property
    def _table(self) -> ScalarTable:
        """The scalars; nothing is added any more."""
        values = np.array([column for column, _ in self._columns.values()], np.float64)
        values = values.reshape(len(self._columns), len(self.numbers))
        bits = np.array([bits for _, bits in self._columns.values()])
        for each in set(bits.tolist()) - {DOUBLE}:
            values[bits == each] = round_array(values[bits == each], each)
        return ScalarTable(tuple(self._columns), values)

    def _own(self) -> list[tuple[str, float]]:
        names, values = self._table
        if not self._ensemble:
            return list(zip(names, values[:, 0].tolist(), strict=True))
        known = ~np.isnan(values)
        if known.all():
            means = values.mean(axis=1)
        else:
            count = known.sum(axis=1)
            means = np.where(known, values, 0.0).sum(axis=1) / np.maximum(1, count)
            means[count == 0] = math.nan
        return list(zip(names, means.tolist(), strict=True))


class Probe(Protocol):
    """An observer. What it remembers between steps only steers how results are shown, never what they are.

    One that has `takes_several_steps = True` also measures members at several steps in one call (`SeveralSteps`): it
    takes each row for itself, goes by `instants` where one step builds on the one before, and asks no view.
    """

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        """Measure the members, or the only one, and add the results."""

    def resume(self, run: RunReader, number: int = 0) -> None:
        """Take up where the recording of the member with that number stops, in a resumed run."""
