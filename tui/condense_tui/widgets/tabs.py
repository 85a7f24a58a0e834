"""Names of panels, where the terminal shows one at a time."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual import events
from textual.message import Message

from condense_tui.draw.line import Line
from condense_tui.widgets.lines import Lines

_REVERSE = Style(reverse=True)


class Tabs(Lines):
    """One line; the chosen name is underlined and bright."""

    DEFAULT_CSS = "Tabs { height: 1; padding: 0 1; display: none; }"

    class Chosen(Message):
        """A name was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, names: Mapping[int, str]) -> None:
        """`names` are those of the panels by their number."""
        super().__init__(id="tabs")
        self._names = names
        self._chosen = 1
        self._without: frozenset[int] = frozenset()
        self._ends: list[tuple[int, int]] = []

    @property
    def chosen(self) -> int:
        """Number of the panel that is shown."""
        return self._chosen

    def choose(self, number: int, without: frozenset[int] = frozenset()) -> None:
        """Mark a panel as shown, of all but those numbers."""
        if (number, without) != (self._chosen, self._without):
            self._chosen, self._without = number, without
            self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        line: Line = []
        self._ends = []
        end = 0
        shown = [item for item in self._names.items() if item[0] not in self._without]
        # where not all of the names fit, those at the end are numbers
        room = sum(len(f" {number} {words} ") + 1 for number, words in shown) - 1
        for number, words in reversed(shown):
            if room > width and number != self._chosen:
                room -= len(words) + 1
                shown[shown.index((number, words))] = (number, "")
        for number, words in shown:
            chosen = number == self._chosen
            text = f" {number} {words} " if words else f" {number} "
            line.append((text, look.chosen + _REVERSE if chosen else look.muted))
            line.append((" ", look.text))
            end += len(text) + 1
            self._ends.append((number, end))
        return [line]

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.styles.padding.left
        number = next((at for at, end in self._ends if x < end), None)
        if number is not None:
            self.post_message(self.Chosen(number))
