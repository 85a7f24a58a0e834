"""The bottom line of every screen: its keys."""

from __future__ import annotations

from condense_tui.actions import Place, footer_hints
from condense_tui.widgets.lines import Line, Lines, length

# Narrower than this, more keys are worth more than air between them.
ROOMY = 100


class Footer(Lines):
    """Keys that matter most, as many as fit."""

    DEFAULT_CSS = "Footer { height: 1; background: $panel; padding: 0 1; }"

    def __init__(self, place: Place = "run") -> None:
        super().__init__(id="footer")
        self._place: Place = place

    def show(self, place: Place) -> None:
        """Show the keys of another place."""
        if place != self._place:
            self._place = place
            self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        line: Line = []
        gap = 3 if width >= ROOMY else 2
        for key, words in footer_hints(self.ability.unicode, self._place):
            part: Line = [(key, look.key), (f" {words}{' ' * gap}", look.muted)]
            if length(line) + length(part) > width + gap:
                break
            line += part
        if line:
            # no gap behind the last
            line[-1] = (line[-1][0].rstrip(), line[-1][1])
        return [line]
