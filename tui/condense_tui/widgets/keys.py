"""A line of keys and what they do, each of which can be clicked instead."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len
from textual import events

from condense_tui.draw.line import Line
from condense_tui.widgets.lines import Lines, length


class Key(NamedTuple):
    """Keys as they are shown, what they do in short, and the actions that they call: one, or one for each key."""

    keys: str
    words: str
    calls: tuple[str, ...]


class KeyLine(Lines):
    """Subclasses give their line in `build`, put together with `part`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places: list[tuple[int, int, Key]] = []

    def begin(self) -> None:
        """A line is built again."""
        self._places = []

    def part(self, key: Key, gap: int) -> Line:
        """A key and its words behind a gap."""
        look = self.look
        return [(" " * gap, look.muted), (key.keys, look.key), (f" {key.words}", look.muted)]

    def place(self, key: Key, before: Line, gap: int) -> None:
        """Remember where a part that stands behind `before` can be clicked."""
        start = length(before) + gap
        self._places.append((start, start + cell_len(f"{key.keys} {key.words}"), key))

    async def on_click(self, event: events.Click) -> None:
        """Do what the key does; of two keys in one, as of left and right, the half that was clicked."""
        x = event.x - self.styles.padding.left
        for start, stop, key in self._places:
            if start <= x < stop and key.calls:
                which = 0 if x < start + (stop - start) / 2 else len(key.calls) - 1
                await self.app.run_action(key.calls[which], self.screen)
