"""Asking for one line of text over a screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from condense_tui.draw.line import Line
from condense_tui.terminal.dialog import Dialog
from condense_tui.widgets.keys import Key, KeyLine
from condense_tui.widgets.lines import Lines, wrapped


class AskText(Dialog[str | None]):
    """A field with what is there already; enter takes it, esc closes with nothing."""

    DEFAULT_CSS = """
    AskText { align: center middle; }
    AskText > Vertical {
        width: 70; max-width: 95%; height: auto; background: $surface;
        border: round $frame-focus; border-title-color: $title; padding: 1 2;
    }
    AskText Input { height: 1; border: none; padding: 0; margin: 1 0; background: $panel; }
    AskText Input:focus { border: none; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "cancel", show=False)]

    def __init__(self, title: str, words: str, text: str = "", *, longest: int) -> None:
        """`words` say what is asked for, `text` is there to be changed, up to `longest` characters."""
        super().__init__()
        self._title, self._words = title, words
        self._field = Input(text, max_length=longest, compact=True, select_on_focus=False)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            yield AskedFor(self._words)
            yield self._field
            yield TextKeys()

    def on_mount(self) -> None:
        self._field.focus()

    def on_input_submitted(self) -> None:
        """Close with the text."""
        self.action_take()

    def action_take(self) -> None:
        """Close with the text."""
        self.dismiss(self._field.value.strip())


class AskedFor(Lines):
    """What is asked for."""

    DEFAULT_CSS = "AskedFor { height: auto; background: $surface; }"

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def build(self, width: int, height: int) -> list[Line]:
        return wrapped(self._words, self.look.muted, width)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self.build(width, 0))


class TextKeys(KeyLine):
    """The keys of the dialog."""

    DEFAULT_CSS = "TextKeys { height: 1; background: $surface; }"

    def build(self, width: int, height: int) -> list[Line]:
        self.begin()
        line: Line = []
        for key in (Key("enter", "take it", ("take",)), Key("esc", "cancel", ("dismiss(None)",))):
            gap = 3 if line else 0
            self.place(key, line, gap)
            line += self.part(key, gap)
        return [line]
