"""Run files read as the runs of their members, one after the other."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from condense_core.errors import RunFileError
from condense_core.runfile.reader import RunReader


@contextlib.contextmanager
def open_member(place: Path, number: int = 0) -> Iterator[RunReader]:
    """A run file, read as the run of one of its members; of a run of a single seed, member 0 is all of it."""
    with RunReader(place) as run:
        try:
            member = run.member(number)
        except ValueError as error:
            raise RunFileError(f"{place}: {error}") from None
        yield member


class MemberFiles:
    """Members of runs that are read one after the other: a file stays open, with what was read of all its members,
    while the next that is asked for is in it too. Use it as a context."""

    def __init__(self) -> None:
        self._open: RunReader | None = None
        self._place: Path | None = None

    def member(self, place: Path, number: int = 0) -> RunReader:
        """What `open_member` opens, until another file is asked for."""
        try:
            return self.whole(place).member(number)
        except ValueError as error:
            raise RunFileError(f"{place}: {error}") from None

    def whole(self, place: Path) -> RunReader:
        """The run of all members."""
        if self._open is None or place != self._place:
            self.close()
            self._open, self._place = RunReader(place), place
        return self._open

    def close(self) -> None:
        """Close what is open."""
        if self._open is not None:
            self._open.close()
        self._open = None

    def __enter__(self) -> MemberFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
