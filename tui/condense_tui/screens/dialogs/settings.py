"""All settings of a run; words that are typed narrow them down."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from rich.cells import cell_len, chop_cells
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.geometry import Size
from textual.widgets import Input

from condense_tui.draw.layer_names import fitted
from condense_tui.draw.line import Line
from condense_tui.snapshots.settings import RunSettings
from condense_tui.terminal.dialog import Dialog
from condense_tui.widgets.lines import Lines


class RunSettingsScreen(Dialog[None]):
    """A line for each setting, more where its value is long."""

    DEFAULT_CSS = """
    RunSettingsScreen { align: center middle; }
    RunSettingsScreen > Vertical {
        width: 100; max-width: 100%; height: auto; max-height: 90%; background: $surface; border: round $frame-focus;
        border-title-color: $title; border-subtitle-color: $title;
    }
    RunSettingsScreen VerticalScroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1; padding: 0 1; }
    RunSettingsScreen Input { height: 1; border: none; padding: 0 1; background: $panel; }
    RunSettingsScreen Input:focus { border: none; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "dismiss", "close", show=False),
        Binding("up", "scroll(-1)", "up", show=False),
        Binding("down", "scroll(1)", "down", show=False),
        Binding("pageup", "scroll(-10)", "page up", show=False),
        Binding("pagedown", "scroll(10)", "page down", show=False),
    ]

    def __init__(self, run: RunSettings) -> None:
        super().__init__()
        self._run = run
        self._words = Input(placeholder="words to look for: lr, config, layers …", compact=True)
        self._table = SettingsLines()
        self._frame = VerticalScroll(self._table, can_focus=False)
        self._box = Vertical(self._words, self._frame)

    def compose(self) -> ComposeResult:
        self._box.border_title = f"settings of {self._run.name}"
        yield self._box

    def on_mount(self) -> None:
        self._words.focus()
        self._show()

    def on_input_changed(self) -> None:
        """Narrow the list down."""
        self._show()
        self._frame.scroll_home(animate=False)

    def on_input_submitted(self) -> None:
        """Enter closes, as in every list that only shows."""
        self.dismiss()

    def action_scroll(self, by: int) -> None:
        """Scroll while words are typed."""
        self._frame.scroll_relative(y=by, animate=False)

    def _show(self) -> None:
        words = self._words.value.casefold().split()
        every = self._run.settings
        found = [pair for pair in every if all(word in " ".join(pair).casefold() for word in words)]
        self._box.border_subtitle = (
            f"{len(found)} of {len(every)} · esc closes" if words else f"{len(every)} · esc closes"
        )
        self._table.show(found)


class SettingsLines(Lines):
    """Names and values in two columns."""

    DEFAULT_CSS = "SettingsLines { height: auto; background: $surface; }"

    def __init__(self) -> None:
        super().__init__()
        self._settings: list[tuple[str, str]] = []

    def show(self, settings: list[tuple[str, str]]) -> None:
        """Show these."""
        self._settings = settings
        self.refresh(layout=True)
        self.rebuild()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self.build(width, viewport.height)))

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        if not self._settings:
            return [[("no setting has these words", look.muted)]]
        names = min(max(cell_len(name) for name, _ in self._settings), width // 2)
        lines: list[Line] = []
        for name, value in self._settings:
            room = max(8, width - names - 2)
            # between words where there are any, and where a word is too long wherever it has to be
            words = textwrap.wrap(value, room, break_on_hyphens=False, break_long_words=False)
            first, *more = [part for line in words for part in chop_cells(line, room)] or [""]
            short = fitted(name, names)
            head = short + " " * (names - cell_len(short) + 2)
            lines.append([(head, look.muted), (first, look.text)])
            lines += [[(" " * (names + 2), look.muted), (part, look.text)] for part in more]
        return lines
