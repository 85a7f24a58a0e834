"""Names of panels, where the terminal shows one at a time."""

from __future__ import annotations

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

    def __init__(self, *names: str) -> None:
        super().__init__(id="tabs")
        self._names = names
        self._chosen = 1
        self._count = len(names)
        self._ends: list[int] = []

    @property
    def chosen(self) -> int:
        """Number of the panel that is shown."""
        return self._chosen

    def choose(self, number: int, count: int | None = None) -> None:
        """Mark a panel as shown, of the first `count`, or of all."""
        count = len(self._names) if count is None else count
        if (number, count) != (self._chosen, self._count):
            self._chosen, self._count = number, count
            self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        line: Line = []
        self._ends = []
        end = 0
        for number, words in enumerate(self._names[: self._count], start=1):
            chosen = number == self._chosen
            text = f" {number} {words} "
            line.append((text, look.chosen + _REVERSE if chosen else look.muted))
            line.append((" ", look.text))
            end += len(text) + 1
            self._ends.append(end)
        return [line]

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.styles.padding.left
        number = next((at for at, end in enumerate(self._ends, start=1) if x < end), None)
        if number is not None:
            self.post_message(self.Chosen(number))
