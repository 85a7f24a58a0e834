"""The bottom line of every screen: its keys."""

from __future__ import annotations

from collections.abc import Mapping

from condense_tui.actions import Place
from condense_tui.draw.line import Line
from condense_tui.keys import footer_hints
from condense_tui.widgets.keys import Key, KeyLine
from condense_tui.widgets.lines import justified, length

# Narrower than this, showing more keys is worth more than space between them.
ROOMY = 100
# With these two keys a person finds everything else, and the way out.
ALWAYS = frozenset({"app.help", "app.leave"})


class Footer(KeyLine):
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
        self.begin()
        gap = 3 if width >= ROOMY else 2
        found = footer_hints(self.ability.unicode, self._place, self._without, self._called, self.app.keys)
        keys = [Key(*hint) for hint in found]
        always: Line = [piece for key in keys if ALWAYS & set(key.calls) for piece in self.part(key, gap)]
        line: Line = []
        for key in keys:
            if ALWAYS & set(key.calls):
                continue
            before = gap if line else 0
            if length(line) + length(self.part(key, before)) + length(always) >= width:
                continue
            self.place(key, line, before)
            line += self.part(key, before)
        whole = justified(line, always, width, self.look.muted)
        at = whole[: len(whole) - len(always)]
        for key in (key for key in keys if ALWAYS & set(key.calls)):
            self.place(key, at, gap)
            at = [*at, *self.part(key, gap)]
        return [whole]
