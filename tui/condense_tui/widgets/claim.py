"""The claim and how it stands, always in sight: under the header of a run."""

from __future__ import annotations

from rich.style import Style

from condense_core.runs.claim_state import Standing
from condense_tui.draw.line import Line
from condense_tui.draw.verdict import parts
from condense_tui.snapshots.snapshot import Snapshot
from condense_tui.widgets.lines import Lines, length

# A screen of so many lines has one for the claim's own words; in one of 40, 32 kernels have just the room to be drawn
# in two columns each.
TALL = 50
# Less of the claim than this says nothing.
LEAST_WORDS = 24


class ClaimLine(Lines):
    """How the claim stands, and on a tall screen the claim above it; takes no room where there is none."""

    DEFAULT_CSS = "ClaimLine { height: 1; padding: 0 1; display: none; }"

    def __init__(self) -> None:
        super().__init__(id="claim")
        self._claims: tuple[Standing | None, Standing | None] = (None, None)

    def show(self, snapshot: Snapshot) -> None:
        """Show how the claim of a run stands where the playhead is."""
        self._claims = snapshot.claim, snapshot.claim_at_end
        self.rebuild()

    def make_room(self, lines: int) -> None:
        """Take that many lines of the screen."""
        self.display = lines > 0
        self.styles.height = max(1, lines)

    def build(self, width: int, height: int) -> list[Line]:
        claim, at_end = self._claims
        if claim is None:
            return []
        line, own = self._line(claim, at_end, short=False)
        # the value that decides is worth more than a word that the sign says too
        if length(line[:3]) > width:
            line, own = self._line(claim, at_end, short=True)
        if height > 1:
            return [[own], line]
        there_is_room = length(line) + 2 + min(LEAST_WORDS, length([own])) <= width
        return [[*line, ("  ", self.look.text), own] if there_is_room else line]

    def _line(self, claim: Standing, at_end: Standing | None, *, short: bool) -> tuple[Line, tuple[str, Style]]:
        """What is said, and the claim in its own words."""
        found = parts(claim, at_end, short=short)
        *said, own = [(text, getattr(self.look, style)) for text, style in found]
        line: Line = []
        for part in said:
            line += [("  ", self.look.text), part] if line else [part]
        return line, own


def lines_for(snapshot: Snapshot | None, height: int) -> int:
    """Lines that the claim of this run takes on a screen of that height."""
    if snapshot is None or snapshot.claim is None:
        return 0
    return 2 if height >= TALL else 1
