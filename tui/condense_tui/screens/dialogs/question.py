"""A question over a screen, with one key for yes."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size

from condense_tui.draw.line import Line
from condense_tui.terminal.dialog import Dialog
from condense_tui.widgets.lines import Lines, justified


class Question(Dialog[bool]):
    """A question with one key for yes; everything else is no."""

    DEFAULT_CSS = """
    Question { align: center middle; }
    Question > Vertical {
        width: 64; max-width: 95%; height: auto; background: $surface; border: round $warning; padding: 1 2;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes", show=False),
        Binding("n,escape,q,enter", "answer(False)", "no", show=False),
    ]

    def __init__(self, question: str, consequence: str, yes: str, no: str) -> None:
        super().__init__()
        self._texts = question, consequence, yes, no

    def compose(self) -> ComposeResult:
        with Vertical():
            yield QuestionLines(*self._texts)

    def action_answer(self, answer: bool) -> None:
        """Close with the answer."""
        self.dismiss(answer)


class QuestionLines(Lines):
    """The question, its consequences, and the two answers."""

    DEFAULT_CSS = "QuestionLines { height: auto; background: $surface; }"

    def __init__(self, question: str, consequence: str, yes: str, no: str) -> None:
        super().__init__()
        self._question, self._consequence, self._yes, self._no = question, consequence, yes, no

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        blank: Line = [("", Style.null())]
        answers = justified(
            [("y ", look.key), (self._yes, look.warn)], [("n ", look.key), (self._no, look.text)], width, look.text
        )
        consequence: list[Line] = [[(text, look.muted)] for text in textwrap.wrap(self._consequence, width)]
        return [[(self._question, look.strong)], blank, *consequence, blank, answers]

    def on_click(self, event: events.Click) -> None:
        """The answers, at the two ends of the last line, can be clicked."""
        if event.y == self.size.height - 1 and isinstance(self.screen, Question):
            if event.x < cell_len(f"y {self._yes}"):
                self.screen.action_answer(True)
            elif event.x >= self.size.width - cell_len(f"n {self._no}"):
                self.screen.action_answer(False)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.build(width, viewport.height))
