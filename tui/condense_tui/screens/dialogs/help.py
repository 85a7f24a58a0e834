"""The two small screens over the run screen: help, made from the table of actions, and a question."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.geometry import Size

from condense_tui.actions import ALSO, ALSO_IN_A_RUN, Action, Place, actions_on
from condense_tui.glossary import AT_HOME, IN_A_RUN, Words
from condense_tui.terminal.dialog import Dialog
from condense_tui.widgets.lines import Line, Lines, justified

# Room for the longest of them, `shift ← shift →`, and some air.
KEYS_WIDTH = 17


class Help(Dialog[None]):
    """Every key and what it does."""

    DEFAULT_CSS = """
    Help { align: center middle; }
    Help > VerticalScroll {
        width: 92; max-width: 100%; height: auto; max-height: 95%; scrollbar-size-vertical: 1;
        background: $surface; border: round $frame-focus; border-title-color: $title; padding: 0 2;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "dismiss", "close", show=False)]

    def __init__(self, places: tuple[Place, ...]) -> None:
        """`places` are those of the screen that help is asked for."""
        super().__init__()
        self._actions = actions_on(*places)
        in_a_run = bool({"run", "compare"} & set(places))
        self._also: Words = ALSO_IN_A_RUN if in_a_run else ALSO
        self._words: Words = IN_A_RUN if in_a_run else AT_HOME

    def on_screen_resume(self) -> None:
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = "keys, and what is shown"
            box.border_subtitle = "esc closes"
            yield HelpLines(self._actions, self._also, self._words)


class HelpLines(Lines):
    """The table of actions, by group, and a table of words."""

    DEFAULT_CSS = "HelpLines { height: auto; background: $surface; }"

    def __init__(self, actions: list[Action], also: Words, words: Words) -> None:
        super().__init__()
        self._actions, self._also, self._words = actions, also, words

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.build(width, viewport.height))

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        rows: list[Line] = []
        for group in dict.fromkeys(action.group for action in self._actions):
            rows.append([(group, look.chosen)])
            # two ways of one thing, as one frame back and one frame on, are one line
            things: dict[tuple[str, str], list[Action]] = {}
            for action in self._actions:
                if action.group == group:
                    things.setdefault((action.words, action.call.partition("(")[0]), []).append(action)
            for actions in things.values():
                shown = " ".join(self._key(action) for action in actions)
                rows += self._row(shown, " · ".join(action.help for action in actions), width)
        for key, words in self._also:
            rows += self._row(key, words, width)
        rows.append([("What is shown", look.chosen)])
        for word, meaning in self._words:
            rows += self._row(word, meaning, width)
        return rows

    def _key(self, action: Action) -> str:
        return action.shown if self.ability.unicode or not action.plain else action.plain

    def _row(self, key: str, words: str, width: int) -> list[Line]:
        first, *more = textwrap.wrap(words, max(20, width - 2 - KEYS_WIDTH))
        head: Line = [(f"  {key}{' ' * max(1, KEYS_WIDTH - cell_len(key))}", self.look.key), (first, self.look.text)]
        return [head, *([(" " * (2 + KEYS_WIDTH) + text, self.look.text)] for text in more)]


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
    """The question, what follows from it, and the two answers."""

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
