"""What of a run can be copied: the number under the cursor, its id, the command that makes it again."""

from __future__ import annotations

import textwrap
from typing import ClassVar, NamedTuple

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size

from condense_tui.draw.line import Line
from condense_tui.terminal.dialog import Dialog
from condense_tui.widgets.lines import Lines

_REVERSE = Style(reverse=True)
# Of a text that is copied so much is shown.
MOST_LINES = 6


class Copyable(NamedTuple):
    """A text that can be copied, and what it is."""

    what: str
    text: str


class CopyScreen(Dialog[Copyable | None]):
    """A few texts, of which one is chosen by its number, with the arrow keys, or by a click."""

    DEFAULT_CSS = """
    CopyScreen { align: center middle; }
    CopyScreen > Vertical {
        width: 84; max-width: 100%; height: auto; max-height: 100%; background: $surface; border: round $frame-focus;
        border-title-color: $title; border-subtitle-color: $title; padding: 0 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "back", show=False),
        Binding("up", "move(-1)", "previous", show=False),
        Binding("down,tab", "move(1)", "next", show=False),
        Binding("enter,y", "take", "copy", show=False),
        *(Binding(str(number), f"take({number})", "copy", show=False) for number in range(1, 10)),
    ]

    def __init__(self, texts: list[Copyable]) -> None:
        super().__init__()
        self._lines = CopyLines(texts)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "copy"
            box.border_subtitle = "enter or its number copies · esc goes back"
            yield self._lines

    def action_move(self, by: int) -> None:
        """Choose the text before or after."""
        self._lines.move(by)

    def action_take(self, number: int = 0) -> None:
        """Copy the text of that number, that which is chosen for 0."""
        found = self._lines.numbered(number)
        if found is not None:
            self.dismiss(found)


class CopyLines(Lines):
    """The texts by their numbers, the chosen one marked, without need of colour."""

    DEFAULT_CSS = "CopyLines { height: auto; background: $surface; }"

    def __init__(self, texts: list[Copyable]) -> None:
        super().__init__()
        self._texts = texts
        self._at = 0
        self._first_lines: list[int] = []

    def move(self, by: int) -> None:
        """Choose another text."""
        self._at = (self._at + by) % len(self._texts)
        self.rebuild()

    def numbered(self, number: int) -> Copyable | None:
        """The text of that number, from 1; the chosen one for 0, and None where there is none."""
        at = number - 1 if number else self._at
        return self._texts[at] if at < len(self._texts) else None

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        lines: list[Line] = []
        self._first_lines = []
        lead = max(len(each.what) for each in self._texts) + 5
        for at, each in enumerate(self._texts):
            self._first_lines.append(len(lines))
            rows = [row for text in each.text.splitlines() for row in textwrap.wrap(text, max(8, width - lead)) or [""]]
            if len(rows) > MOST_LINES:
                rows = [*rows[: MOST_LINES - 1], "…"]
            number = look.key + _REVERSE if at == self._at else look.key
            mark = ("▌" if self.ability.unicode else ">") if at == self._at else " "
            head: Line = [(mark, look.accent), (f"{at + 1} ", number), (f" {each.what}".ljust(lead - 3), look.muted)]
            for row in rows:
                lines.append([*head, (row, look.text)])
                head = [(" " * lead, look.muted)]
        return lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.build(width, viewport.height))

    def on_click(self, event: events.Click) -> None:
        """Copy what was clicked."""
        below = [at for at, first in enumerate(self._first_lines) if first <= event.y]
        if below and isinstance(self.screen, CopyScreen):
            self.screen.action_take(below[-1] + 1)
