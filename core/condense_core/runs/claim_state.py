"""What is said of how a claim stands. Without NumPy: lists that were read before need nothing more."""

from __future__ import annotations

from typing import Literal

import msgspec

from condense_core.runs.over_seeds import OverSeeds
from condense_core.thresholds import Cut

ClaimState = Literal["holds", "does not hold", "met so far", "not met so far", "not decided"]


# Python searches thousands of things in a list for cycles, in a quarter of the time that reading them from a cache
# takes: structs that cannot have any say so, here and in what else a list has of a run.
class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was measured for one requirement in one layer, or in the network where `layer` is empty.

    `at` is the step that the requirement names; `missed_in` the number of draws that are not in the range it asks for.
    """

    layer: str
    measure: str
    at: int | None
    wanted: str
    values: OverSeeds
    missed_in: int

    @property
    def met(self) -> bool:
        """In the range in every draw."""
        return self.missed_in == 0


class Standing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The claim and how it stands at `step`, the newest that was measured unless an earlier one was asked for.

    It holds in `holds_in` of the `of` draws that the run trains, and must hold in `wanted_in`; before the end these are
    the draws in which everything would hold if the run ended there. `why` says what `state` does not.
    """

    text: str
    state: ClaimState
    step: int | None
    holds_in: int
    of: int
    wanted_in: int
    findings: tuple[Finding, ...]
    cut: Cut
    why: str = ""

    @property
    def of_damaged(self) -> Standing:
        """The same of a run of which something was left out because it is damaged: nothing is decided without it."""
        return msgspec.structs.replace(self, state="not decided", why="the run is damaged")

    @property
    def holds(self) -> bool | None:
        """The verdict; None while there is none."""
        return {"holds": True, "does not hold": False}.get(self.state)

    @property
    def missed(self) -> tuple[Finding, ...]:
        """The requirements that are not met in every draw, the most often missed first."""
        return tuple(sorted((found for found in self.findings if not found.met), key=lambda found: -found.missed_in))

    @property
    def deciding(self) -> Finding | None:
        """The requirement on which it hangs: the one that most draws miss, the first where all are met."""
        return max(self.findings, key=lambda found: found.missed_in, default=None)
