"""The caption of a tour: what to look at now, and how to go on."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from condense_tui.draw.line import Line
from condense_tui.widgets.lines import Lines


class Caption(NamedTuple):
    """Words about one panel, which `where` names."""

    where: str
    text: str


class Guide(Lines):
    """One caption of several; as high as the longest of them, so that panels stay in their places."""

    DEFAULT_CSS = "Guide { height: 1; padding: 0 1; background: $panel; }"

    def __init__(self, captions: Sequence[Caption]) -> None:
        super().__init__(id="guide")
        self._captions = captions
        self._at = -1

    def show(self, at: int) -> None:
        """Show the caption of that number."""
        self._at = at
        self.rebuild()

    def lines_for(self, width: int) -> int:
        """Lines that it takes on a screen of that width."""
        return 1 + max(len(_wrapped(caption.text, width - 2)) for caption in self._captions)

    def build(self, width: int, height: int) -> list[Line]:
        if self._at < 0:
            # nothing is there yet that it could be about
            return []
        look, caption = self.look, self._captions[self._at]
        back, on = ("←", "→") if self.ability.unicode else ("left", "right")
        first: Line = [
            (f"{self._at + 1}/{len(self._captions)}  ", look.muted),
            (caption.where, look.strong),
            (f"   space {on} next · {back} back · esc ends", look.muted),
        ]
        return [first, *([(text, look.text)] for text in _wrapped(caption.text, width))]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(20, width))
