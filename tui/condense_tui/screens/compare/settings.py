"""The settings of compared runs as a table: those that differ, and after a key those that are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.geometry import Size

from condense_core.text import printable
from condense_tui.draw import numbers
from condense_tui.draw.layer_names import fitted
from condense_tui.draw.line import Line
from condense_tui.draw.numbers import UNKNOWN
from condense_tui.snapshots.comparison import Comparison, Setting
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
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,i,enter", "dismiss", "close", show=False),
        Binding("a", "all", "all settings", show=False),
    ]

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self._comparison = comparison

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = "settings that differ"
            box.border_subtitle = f"a shows {numbers.step(len(self._comparison.alike))} alike · esc closes"
            yield SettingsTable(self._comparison)

    def action_all(self) -> None:
        """Show those that are the same too, or not."""
        self.query_one(SettingsTable).toggle()


class SettingsTable(Lines):
    """The table itself."""

    DEFAULT_CSS = "SettingsTable { height: auto; background: $surface; }"

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self._comparison = comparison
        self._all = False

    def toggle(self) -> None:
        """Show those that are the same too, or not."""
        self._all = not self._all
        self.refresh(layout=True)
        self.call_after_refresh(self.rebuild)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.build(width, viewport.height))

    def build(self, width: int, height: int) -> list[Line]:
        look, found = self.look, self._comparison
        lines: list[Line] = []
        for number, side in enumerate(found.sides):
            style = look.curves[number % len(look.curves)]
            lines.append([(f"{side.letter} ", style), (side.name, look.text)])
        alike = found.alike if self._all else ()
        if not found.settings:
            lines += [[("", look.text)], [("all settings are the same", look.muted)]]
        if not found.settings and not alike:
            return lines
        names = min(width // 2, max(cell_len(setting.name) for setting in (*found.settings, *alike)))
        room = max(6, (width - names) // max(1, len(found.sides)) - 2)
        wide = min(LONGEST, room)
        head: Line = [(" " * names, look.text)]
        for number, side in enumerate(found.sides):
            head.append((f"  {side.letter.ljust(wide)}", look.curves[number % len(look.curves)]))
        lines += [[("", look.text)], head]
        lines += [self._row(setting, setting.values, names, wide, look.text) for setting in found.settings]
        if alike:
            lines += [[("", look.text)], [("the same in all", look.muted)]]
            lines += [self._row(setting, setting.values[:1], names, width - names - 2, look.muted) for setting in alike]
        return lines

    def _row(self, setting: Setting, values: Sequence[str | None], names: int, wide: int, style: Style) -> Line:
        name = fitted(printable(setting.name), names)
        line: Line = [(name + " " * (names - cell_len(name)), self.look.muted)]
        for value in values:
            text = UNKNOWN if value is None else printable(value)
            text = text if cell_len(text) <= wide else set_cell_size(text, wide - 1) + "…"
            line.append((f"  {set_cell_size(text, wide)}", style))
        return line
