"""What of a run file turned out to be damaged while it was read: refused, or left out by a viewer, which says so."""

from __future__ import annotations

from collections.abc import Mapping

from condense_core.errors import RunFileError
from condense_core.foreign import LONGEST_REASON
from condense_core.runfile.rows import DamagedError
from condense_core.text import printable

# More are counted, and not named.
MOST_NAMED = 1_000


class Damage:
    """Of one open run file. Whoever computes from a run is refused what is damaged: it would be missing from a result.
    A viewer goes on without it."""

    def __init__(self, *, left_out: bool = False) -> None:
        self.left_out = left_out
        """Whether reading goes on without what is damaged."""
        self.refused = False
        """Whether something was, for which leaving it out would have been a way."""
        self._named: dict[str, None] = {}
        self._steps = 0

    @property
    def named(self) -> tuple[str, ...]:
        """What was left out so far, each in a few words; no more than are named."""
        return tuple(self._named)

    @property
    def text(self) -> str:
        """What was left out so far, in one line; empty where nothing was."""
        if not self._named:
            return ""
        first, more = next(iter(self._named)), len(self._named) - 1
        return f"left out, since it is damaged: {first}{f' and {more:,} more' if more else ''}"

    def of_checksum(self, what: str) -> None:
        """Something has a wrong checksum; DamagedError where it is not left out."""
        if not self.left_out:
            self.refused = True
            raise DamagedError(f"{what}: wrong checksum")
        self._note(what)

    def of_frame(self, what: str, error: RunFileError) -> None:
        """A frame cannot be decoded; the error is raised where it is not left out."""
        if not self.left_out:
            self.refused = True
            raise error
        self._note(what)

    def of_scalars(self, wrong: Mapping[int, int]) -> None:
        """Rows of scalars with a wrong checksum, their steps by their numbers; as `of_checksum`."""
        if len(wrong) != self._steps:
            for step in list(wrong.values())[:MOST_NAMED]:
                self.of_checksum(f"scalars at step {step}")
            self._steps = len(wrong)

    def _note(self, what: str) -> None:
        if len(self._named) < MOST_NAMED:
            self._named[printable(what)[:LONGEST_REASON]] = None
