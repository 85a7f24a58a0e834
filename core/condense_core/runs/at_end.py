"""What a claim asks of a run, from a file that a list has open: its newest values, without NumPy where it is of one
draw."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from condense_core.runfile.damage import Damage
from condense_core.runfile.frame_table import LOST, FrameTable
from condense_core.runfile.info import RunInfo
from condense_core.runfile.open_file import OpenFile
from condense_core.runfile.rows import Point, number
from condense_core.runfile.schema import reading
from condense_core.scenario.claims import Claim

if TYPE_CHECKING:
    from condense_core.runfile.curves import Points
    from condense_core.runfile.frames import Members, Spectrum
    from condense_core.runfile.reader import RunReader

# Frames of seeds that are looked at, from the end on, and values in them: 16 MB, a bound on hostile files.
MOST_FRAMES, MOST_VALUES = 200, 2_000_000


class AtEnd:
    """What `standing.JudgedRun` asks, as a RunReader would answer; RunFileError for what is damaged. What few claims
    are about, as values of an earlier step, a spectrum, or seeds that ended long before the others, a RunReader
    answers."""

    member_number: int | None = None

    def __init__(self, folder: Path, file: OpenFile, members: int, claim: Claim) -> None:
        """`members` and `claim` are the run's, of which `file` is still."""
        self.members = members
        self.claim: Claim | None = claim
        self._folder, self._file = folder, file
        self.damage = Damage()
        self._known: list[Members] = []

    def info(self) -> RunInfo:
        """The run's row."""
        return self._file.info

    def member(self, number: int) -> AtEnd | RunReader:
        """The run of one member."""
        return self if self.members == 1 else self._whole.member(number)

    @functools.cached_property
    def layers(self) -> tuple[str, ...]:
        """As of a RunReader."""
        with reading(self._folder):
            return self._frames.measured_layers()

    @property
    def newest_step(self) -> int | None:
        """The last step that was measured, None where there is none."""
        newest = self._newest("loss")
        return None if newest is None else newest.step

    def last(self, name: str, at: int | None = None) -> float:
        """The newest value of a scalar, at or before step `at` where given; NaN if there is none."""
        if at is not None:
            return self._whole.last(name, at)
        newest = self._newest(name)
        return number(None if newest is None else newest.value)

    def of_draws(self, name: str, at: int | None = None) -> list[float]:
        """The same of each draw."""
        if self.members == 1:
            return [self.last(name, at)]
        found = self._of_members(name) if at is None else None
        return self._whole.of_draws(name, at) if found is None else found

    def curve(self, name: str) -> Points:
        """As of a RunReader."""
        return self._whole.curve(name)

    def spectrum(self, layer: str, step: int | None = None) -> Spectrum | None:
        """As of a RunReader."""
        return self._whole.spectrum(layer, step)

    def _newest(self, name: str) -> Point | None:
        scalars = self._file.scalars
        with reading(self._folder):
            found = scalars.newest(name)
            if scalars.wrong:
                self.damage.of_scalars(scalars.wrong)
        return found

    def _of_members(self, name: str) -> list[float] | None:
        """Each member's newest value, from as many of the newest frames as are needed; None where these are too many.

        That a member has diverged is the last that is recorded of it: the newest frame that has a member says whether.
        """
        found: dict[int, float] = {}
        for frame in self._back():
            if name in frame.names:
                values = frame.numpy()[frame.names.index(name)].tolist()
                for member, value in zip(frame.members, values, strict=True):
                    found.setdefault(member, value)
            elif name == "diverged":
                for member in frame.members:
                    found.setdefault(member, math.nan)
            if len(found) == self.members:
                return [found[member] for member in range(self.members)]
        return None

    def _back(self) -> Iterator[Members]:
        """Frames of seeds, the newest first."""
        yield from self._known
        while (frame := next(self._rest, None)) is not None:
            self._known.append(frame)
            yield frame

    @functools.cached_property
    def _rest(self) -> Iterator[Members]:
        return self._read_back()

    def _read_back(self) -> Iterator[Members]:
        from condense_core.runfile import frames
        from condense_core.runfile.curves import check_members

        values = 0
        with reading(self._folder):
            for row in self._frames.back("members", "", 0, None, MOST_FRAMES):
                if row.blob == LOST:
                    self.damage.of_checksum(f"members at step {row.step}")
                frame = frames.decode(row.blob)
                if not isinstance(frame, frames.Members):
                    # a reader says what is wrong with it
                    return
                values += len(frame.names) * len(frame.members)
                if values > MOST_VALUES:
                    return
                check_members(frame, self.members)
                yield frame

    @functools.cached_property
    def _frames(self) -> FrameTable:
        return FrameTable(self._file.connection)

    @functools.cached_property
    def _whole(self) -> RunReader:
        # imports NumPy
        from condense_core.runfile.reader import RunReader

        return RunReader(self._folder, opened=self._file)
