"""The bottom line of every screen: its keys."""

from __future__ import annotations

from collections.abc import Mapping

from condense_tui.actions import Place, footer_hints
from condense_tui.widgets.lines import Line, Lines, justified, length

# Narrower than this, more keys are worth more than air between them.
ROOMY = 100
# Who knows these two finds everything else, and the way out.
ALWAYS = frozenset({"?", "q"})


class Footer(Lines):
    """Keys that matter most, as many as fit; those for help and for leaving always."""

    DEFAULT_CSS = "Footer { height: 1; background: $panel; padding: 0 1; }"

    def __init__(self, place: Place = "run") -> None:
        super().__init__(id="footer")
        self._place: Place = place
        self._without: frozenset[str] = frozenset()
        self._called: Mapping[str, str] = {}

    def show(
        self, place: Place, without: frozenset[str] = frozenset(), called: Mapping[str, str] | None = None
    ) -> None:
        """Show the keys of a place, but those that do nothing now, and some by other words."""
        wanted = place, without, called or {}
        if wanted != (self._place, self._without, self._called):
            self._place, self._without, self._called = wanted
            self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        gap = 3 if width >= ROOMY else 2
        hints = footer_hints(self.ability.unicode, self._place, self._without, self._called)
        always: Line = []
        line: Line = []
        for key, words in hints:
            if key in ALWAYS:
                always += [(" " * gap, look.muted), (key, look.key), (f" {words}", look.muted)]
        for key, words in hints:
            part: Line = [(" " * gap if line else "", look.muted), (key, look.key), (f" {words}", look.muted)]
            if key not in ALWAYS:
                if length(line) + length(part) + length(always) >= width:
                    break
                line += part
        return [justified(line, always, width, look.muted)]
