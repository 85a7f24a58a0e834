"""In what the settings of compared runs differ, as a table."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.geometry import Size

from condense_core.text import printable
from condense_tui.draw.line import Line
from condense_tui.draw.numbers import UNKNOWN
from condense_tui.snapshots.comparison import Comparison
from condense_tui.terminal.dialog import Dialog
from condense_tui.widgets.lines import Lines

# A value longer than this is cut where several stand side by side.
LONGEST = 24


class SettingsScreen(Dialog[None]):
    """Rows of settings, a column for each run."""

    DEFAULT_CSS = """
    SettingsScreen { align: center middle; }
    SettingsScreen > VerticalScroll {
        width: 110; max-width: 100%; height: auto; max-height: 90%; scrollbar-size-vertical: 1; padding: 0 1;
        background: $surface; border: round $frame-focus; border-title-color: $title; border-subtitle-color: $title;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,i,enter", "dismiss", "close", show=False)]

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self._comparison = comparison

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = "settings that differ"
            box.border_subtitle = "esc closes"
            yield SettingsTable(self._comparison)


class SettingsTable(Lines):
    """The table itself."""

    DEFAULT_CSS = "SettingsTable { height: auto; background: $surface; }"

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self._comparison = comparison

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.build(width, viewport.height))

    def build(self, width: int, height: int) -> list[Line]:
        look, found = self.look, self._comparison
        lines: list[Line] = []
        for number, side in enumerate(found.sides):
            style = look.curves[number % len(look.curves)]
            lines.append([(f"{side.letter} ", style), (side.name, look.text)])
        if not found.settings:
            return [*lines, [("", look.text)], [("all settings are the same", look.muted)]]
        names = max(cell_len(setting.name) for setting in found.settings)
        room = max(6, (width - names) // max(1, len(found.sides)) - 2)
        wide = min(LONGEST, room)
        head: Line = [(" " * names, look.text)]
        for number, side in enumerate(found.sides):
            head.append((f"  {side.letter.ljust(wide)}", look.curves[number % len(look.curves)]))
        lines += [[("", look.text)], head]
        for setting in found.settings:
            line: Line = [(setting.name.ljust(names), look.muted)]
            for value in setting.values:
                text = UNKNOWN if value is None else printable(value)
                line.append((f"  {text if len(text) <= wide else text[: wide - 1] + '…'}".ljust(wide + 2), look.text))
            lines.append(line)
        return lines
