"""Help: every key of a screen, from the table of actions, and what the words on the screen mean."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.geometry import Size

from condense_tui.actions import ALSO, ALSO_IN_A_RUN, Action, Place
from condense_tui.draw.line import Line
from condense_tui.glossary import AT_HOME, IN_A_RUN, Words
from condense_tui.keys import DEFAULT, Keys, actions_on
from condense_tui.terminal.dialog import Dialog
from condense_tui.widgets.lines import Lines

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

    def __init__(self, places: tuple[Place, ...], keys: Keys = DEFAULT) -> None:
        """`places` are those of the screen that help is asked for, `keys` those that somebody prefers."""
        super().__init__()
        self._actions = actions_on(*places, keys=keys)
        in_a_run = bool({"run", "compare"} & set(places))
        self._also: Words = ALSO_IN_A_RUN if in_a_run else ALSO
        self._words: Words = IN_A_RUN if in_a_run else AT_HOME

    def on_screen_resume(self) -> None:
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = "keys and terms"
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
            # two ways of one thing, as one frame back and one frame on, are one line where they fit
            things: dict[str, list[Action]] = {}
            for action in self._actions:
                if action.group == group:
                    things.setdefault(action.words, []).append(action)
            for actions in things.values():
                for some in _on_a_line(actions, width - 2 - KEYS_WIDTH):
                    shown = " ".join(self._key(action) for action in some)
                    rows += self._row(shown, " · ".join(action.help for action in some), width)
        for key, words in self._also:
            rows += self._row(key, words, width)
        rows.append([("Terms", look.chosen)])
        for word, meaning in self._words:
            rows += self._row(word, meaning, width)
        return rows

    def _key(self, action: Action) -> str:
        return action.shown if self.ability.unicode or not action.plain else action.plain

    def _row(self, key: str, words: str, width: int) -> list[Line]:
        first, *more = textwrap.wrap(words, max(20, width - 2 - KEYS_WIDTH))
        head: Line = [(f"  {key}{' ' * max(1, KEYS_WIDTH - cell_len(key))}", self.look.key), (first, self.look.text)]
        return [head, *([(" " * (2 + KEYS_WIDTH) + text, self.look.text)] for text in more)]


def _on_a_line(actions: list[Action], width: int) -> list[list[Action]]:
    """Actions together as long as their descriptions fit on one line."""
    found: list[list[Action]] = []
    for action in actions:
        if found and len(" · ".join(one.help for one in [*found[-1], action])) <= width:
            found[-1].append(action)
        else:
            found.append([action])
    return found
