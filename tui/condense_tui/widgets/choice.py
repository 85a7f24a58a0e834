"""One line that offers words, of which one is chosen: with the arrow keys, or a click."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message

from condense_tui.draw.line import Line
from condense_tui.widgets.lines import Lines

_REVERSE = Style(reverse=True)
LABEL_WIDTH = 9


class Choice(Lines, can_focus=True):
    """A label and its options, on as many lines as they take; the chosen one is reversed, so colour is not needed."""

    DEFAULT_CSS = "Choice { height: auto; background: $surface; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "previous option", show=False),
        Binding("right", "move(1)", "next option", show=False),
    ]

    class Changed(Message):
        """Another option was chosen."""

    def __init__(self, label: str, options: tuple[str, ...], *, id: str, at: int = 0) -> None:
        """`at` is the option that is chosen first."""
        super().__init__(id=id)
        self._label, self._options = label, options
        self._at = at
        self._places: list[tuple[int, int, int]] = []

    @property
    def number(self) -> int:
        """Which option is chosen, from 0."""
        return self._at

    @property
    def value(self) -> str:
        """The option that is chosen."""
        return self._options[self._at]

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        mark = ("▌" if self.ability.unicode else ">") if self.has_focus else " "
        lines: list[Line] = [[(mark, look.accent), (self._label.ljust(LABEL_WIDTH - 1), look.muted)]]
        self._places = []
        at = LABEL_WIDTH
        for index, option in enumerate(self._options):
            text = f" {option} "
            if at + cell_len(text) > width and at > LABEL_WIDTH:
                lines.append([(" " * LABEL_WIDTH, look.muted)])
                at = LABEL_WIDTH
            style = look.chosen + _REVERSE if index == self._at else look.text if not self.disabled else look.faint
            lines[-1].append((text, style if not self.disabled else look.faint))
            self._places.append((len(lines) - 1, at, at + cell_len(text)))
            at += cell_len(text)
        return lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.build(width, viewport.height))

    def action_move(self, by: int) -> None:
        """Choose the next or the previous option."""
        self._choose((self._at + by) % len(self._options))

    def on_click(self, event: events.Click) -> None:
        for index, (line, start, stop) in enumerate(self._places):
            if event.y == line and start <= event.x < stop:
                self._choose(index)

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        self.rebuild()

    def watch_disabled(self, disabled: bool) -> None:
        super().watch_disabled(disabled)
        self.rebuild()

    def _choose(self, index: int) -> None:
        if index != self._at:
            self._at = index
            self.rebuild()
            self.post_message(self.Changed())


class OneOfMany(Choice):
    """A choice among more options than a line can show: the chosen one, between arrows that can be clicked."""

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        mark = ("▌" if self.ability.unicode else ">") if self.has_focus else " "
        before, behind = ("‹", "›") if self.ability.unicode else ("<", ">")
        style = look.faint if self.disabled else look.chosen + _REVERSE
        return [
            [
                (mark, look.accent),
                (self._label.ljust(LABEL_WIDTH - 1), look.muted),
                (f"{before} ", look.muted),
                (f" {self.value} ", style),
                (f" {behind}", look.muted),
            ]
        ]

    def on_click(self, event: events.Click) -> None:
        if event.x >= LABEL_WIDTH:
            self.action_move(-1 if event.x < LABEL_WIDTH + 2 else 1)
