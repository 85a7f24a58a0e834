"""What a claim asks of a run of one draw, from a file that a list has open: its newest values, without NumPy."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from condense_core.runfile.damage import Damage
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.info import RunInfo
from condense_core.runfile.open_file import OpenFile
from condense_core.runfile.rows import Point, number
from condense_core.runfile.schema import reading
from condense_core.scenario.claims import Claim

if TYPE_CHECKING:
    from condense_core.runfile.curves import Points
    from condense_core.runfile.frames import Spectrum
    from condense_core.runfile.reader import RunReader


class AtEnd:
    """What `standing.Judged` asks, as a RunReader would answer; RunFileError for what is damaged. What few claims are
    about, as values of an earlier step or a spectrum, a RunReader answers, which imports NumPy."""

    members = 1
    member_number: int | None = None

    def __init__(self, folder: Path, file: OpenFile, claim: Claim) -> None:
        """`claim` is the run's, of which `file` is still."""
        self.claim: Claim | None = claim
        self._folder, self._file = folder, file
        self._damage = Damage()

    def info(self) -> RunInfo:
        """The run's row."""
        return self._file.info

    def member(self, number: int) -> AtEnd:
        """The run itself."""
        return self

    @functools.cached_property
    def layers(self) -> tuple[str, ...]:
        """As of a RunReader."""
        with reading(self._folder):
            return FrameTable(self._file.connection).measured_layers()

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
        """The same, of the one draw."""
        return [self.last(name, at)]

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
                self._damage.of_scalars(scalars.wrong)
        return found

    @functools.cached_property
    def _whole(self) -> RunReader:
        from condense_core.runfile.reader import RunReader

        return RunReader(self._folder, opened=self._file)
