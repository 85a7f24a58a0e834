"""Scalars as they are read from a run file: arrays that grow, of a run or of each member of an ensemble."""

from __future__ import annotations

import math
import mmap
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from condense_core.errors import RunFileError
from condense_core.runfile import frames
from condense_core.runfile.rows import Stretch

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
ScalarT = TypeVar("ScalarT", bound=np.generic)


Points = tuple[IntArray, FloatArray]
"""Steps (N,), ascending, and values (N,) of a scalar."""


def value_at(points: Points, step: int | None = None) -> float:
    """The newest value, at or before `step` where given; NaN if there is none."""
    steps, values = points
    end = len(steps) if step is None else int(np.searchsorted(steps, step, side="right"))
    return float(values[end - 1]) if end else math.nan


# From 32 kB on an array has pages of its own. What malloc gets back of one that a longer one has replaced stays with
# the process, in holes: a viewer of a long run would keep as much again as its curves.
OWN_PAGES = 4_096


def new_array(length: int, kind: np.dtype[ScalarT]) -> npt.NDArray[ScalarT]:
    """An array (length,) to be written to; of memory that is not written to yet nothing is taken yet."""
    if length < OWN_PAGES:
        return np.empty(length, kind)
    pages = mmap.mmap(-1, length * kind.itemsize, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.frombuffer(pages, kind)


class WholeCurve(NamedTuple):
    """The number of a curve's last row, its steps (N,) and its values (N,)."""

    seq: int
    steps: IntArray
    values: FloatArray


class Curve:
    """One scalar's steps and values in arrays that grow by doubling, so that appending stays cheap."""

    def __init__(self) -> None:
        self.seq = 0
        self._length = 0
        self._steps: IntArray = np.empty(64, np.int64)
        self._values: FloatArray = np.empty(64, np.float64)

    def append(self, found: Stretch) -> None:
        """Take in points that follow on the last."""
        length = self._length + len(found.steps)
        if length > len(self._steps):
            most = max(length, 2 * len(self._steps))
            steps, values = new_array(most, np.dtype(np.int64)), new_array(most, np.dtype(np.float64))
            steps[: self._length], values[: self._length] = self.steps, self.values
            self._steps, self._values = steps, values
        self._steps[self._length : length] = found.steps
        self._values[self._length : length] = found.values
        self._length = length
        self.seq = found.seq

    def take(self, found: WholeCurve) -> None:
        """Take in a whole curve where nothing was read yet, in arrays that others may share: nothing writes to them."""
        self.seq, self._steps, self._values = found
        self._length = len(self._steps)

    @property
    def steps(self) -> IntArray:
        """Steps (N,), ascending."""
        return self._steps[: self._length]

    @property
    def values(self) -> FloatArray:
        """Values (N,); NaN if there was none."""
        return self._values[: self._length]


# Values of all members together: 400 MB. A thousand members at 200 steps are a tenth of it.
MOST_VALUES = 50_000_000


class _OfMembers(NamedTuple):
    """A frame as it was read: scalars of the members that it has, (N, S), and where each name stands among them."""

    step: int
    places: dict[str, int]
    members: IntArray
    values: FloatArray


def check_members(frame: frames.Members, members: int) -> None:
    """RunFileError where a frame has members that a run of so many does not have, or one twice."""
    if len(set(frame.members)) != len(frame.members) or not all(0 <= member < members for member in frame.members):
        raise RunFileError("recorded values of seeds that the run does not have; the run file is damaged")


class Spreads:
    """Scalars of all members of an ensemble, as far as they were read."""

    def __init__(self, members: int) -> None:
        self.seq = 0
        self.last_step = 0
        self.members = members
        self._count = 0
        self._frames: list[_OfMembers] = []
        self._places: dict[tuple[str, ...], dict[str, int]] = {}
        self._arrays: dict[str, tuple[int, IntArray, FloatArray, npt.NDArray[np.bool_]]] = {}

    def append(self, seq: int, step: int, frame: frames.Members) -> None:
        """Take in the next frame; RunFileError if it is not of this run."""
        check_members(frame, self.members)
        self._count += len(frame.names) * self.members
        if self._count > MOST_VALUES:
            raise RunFileError(f"more than {MOST_VALUES:,} recorded values of seeds")
        places = self._places.get(frame.names)
        if places is None:
            # of a name that stands there twice, either value is a value of that step
            places = self._places[frame.names] = {name: place for place, name in enumerate(frame.names)}
        self._frames.append(_OfMembers(step, places, np.array(frame.members, np.int64), frame.numpy()))
        self.seq, self.last_step = seq, step

    def spread(self, name: str) -> tuple[IntArray, FloatArray]:
        """Steps (N,) and values (N, members) of a scalar, NaN if a member was not measured."""
        _, steps, values, _ = self._array(name)
        return steps, values

    def curve(self, name: str, member: int) -> tuple[IntArray, FloatArray]:
        """Steps and values of a scalar at which that member was measured."""
        _, steps, values, there = self._array(name)
        return steps[there[:, member]], values[there[:, member], member]

    def last(self, name: str, at: int | None = None) -> FloatArray:
        """Each member's newest value (members,) of a scalar, at or before step `at` where given; NaN if it has none."""
        _, steps, values, there = self._array(name)
        end = len(steps) if at is None else int(np.searchsorted(steps, at, side="right"))
        if end == 0:
            return np.full(self.members, np.nan)
        newest: FloatArray = values[end - 1]
        if there[end - 1].all():
            return newest
        # a member that ended before the others has its value where it ended
        row = end - 1 - np.argmax(there[:end][::-1], axis=0)
        return np.where(there[:end].any(axis=0), values[row, np.arange(self.members)], np.nan)

    def _array(self, name: str) -> tuple[int, IntArray, FloatArray, npt.NDArray[np.bool_]]:
        """How many frames were looked at, and what they have of a scalar as arrays; only what is new is turned into
        one."""
        looked, *before = self._arrays.get(name, (0,))
        if before and looked == len(self._frames):
            return self._arrays[name]
        new = [frame for frame in self._frames[looked:] if name in frame.places]
        steps = np.array([frame.step for frame in new], np.int64)
        values, there = np.full((len(new), self.members), np.nan), np.zeros((len(new), self.members), bool)
        for row, frame in enumerate(new):
            values[row, frame.members] = frame.values[frame.places[name]]
            there[row, frame.members] = True
        if before:
            steps, values, there = (np.concatenate(pair) for pair in zip(before, (steps, values, there), strict=True))
        found = self._arrays[name] = len(self._frames), steps, values, there
        return found
