"""Choosing recorded scalars to draw: type to narrow the list down, enter marks, esc takes over what is marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from condense_core.measure_table import label_of
from condense_tui.draw.line import Line
from condense_tui.terminal.dialog import Dialog
from condense_tui.widgets.listing import Entry, Listing

# As many as there are colours for curves.
MOST = 6
NAME_WIDTH = 30


class ScalarPicker(Dialog[tuple[str, ...]]):
    """All scalars by name, those that are marked first."""

    DEFAULT_CSS = """
    ScalarPicker { align: center middle; }
    ScalarPicker > Vertical {
        width: 78; max-width: 100%; height: 80%; background: $surface; border: round $frame-focus;
        border-title-color: $title; border-subtitle-color: $title;
    }
    ScalarPicker Input { height: 1; border: none; padding: 0 1; background: $panel; }
    ScalarPicker Input:focus { border: none; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "done", "done", show=False),
        Binding("up", "go(-1)", "up", show=False),
        Binding("down", "go(1)", "down", show=False),
        Binding("pageup", "go(-10)", "page up", show=False),
        Binding("pagedown", "go(10)", "page down", show=False),
        Binding("ctrl+n", "none", "none", show=False),
    ]

    def __init__(self, names: Sequence[str], chosen: Sequence[str], most: int = MOST) -> None:
        """`names` are all there are; with `most` of one, the marked one is the choice at once."""
        super().__init__()
        self._names, self._most = tuple(names), most
        self._chosen = [name for name in chosen if name in names]
        self._words = Input(placeholder="words to look for: lines, conv1, eigenvalue …", id="words", compact=True)
        self._listing: Listing[str] = Listing(self._lines, 1, "  no scalar has these words", id="scalars")
        self._listing.can_focus = False
        self._listing.marked = set(self._chosen)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "curves"
            box.border_subtitle = "enter chooses · esc closes" if self._most == 1 else self._count()
            yield self._words
            yield self._listing

    def on_mount(self) -> None:
        self._words.focus()
        self._show()

    def on_input_changed(self) -> None:
        """Narrow the list down."""
        self._show()

    def on_input_submitted(self) -> None:
        """Mark, or take the mark away."""
        self._toggle()

    def on_listing_opened(self) -> None:
        """A second click marks too."""
        self._toggle()

    def action_go(self, by: int) -> None:
        """Move the cursor while words are typed."""
        self._listing.action_go(by)

    def action_none(self) -> None:
        """Take all marks away."""
        self._chosen.clear()
        self._marked()

    def action_done(self) -> None:
        """Close with what is marked."""
        self.dismiss(tuple(self._chosen))

    def _toggle(self) -> None:
        name = self._listing.chosen_key
        if name is None:
            return
        if name in self._chosen:
            self._chosen.remove(name)
        elif self._most == 1:
            self._chosen = [name]
        elif len(self._chosen) < self._most:
            self._chosen.append(name)
        else:
            self.notify(f"{self._most} curves are as many as can be told apart", timeout=3, markup=False)
        self._marked()
        if self._most == 1:
            self.action_done()

    def _marked(self) -> None:
        self._listing.marked = set(self._chosen)
        if self._most > 1:
            self.query_one(Vertical).border_subtitle = self._count()
        self._listing.rebuild()

    def _show(self) -> None:
        words = self._words.value.casefold().split()
        found = [name for name in self._names if all(word in f"{name} {label_of(name)}".casefold() for word in words)]
        # those marked stay at hand
        ordered = [name for name in found if name in self._chosen] + [
            name for name in found if name not in self._chosen
        ]
        self._listing.show([Entry(name, name) for name in ordered])

    def _count(self) -> str:
        return f"{len(self._chosen)} of {self._most} · enter marks · ctrl+n none · esc closes"

    def _lines(self, name: str, width: int, marked: bool) -> list[Line]:
        look = self._listing.look
        mark = ("✓ " if self._listing.ability.unicode else "+ ") if marked else "  "
        return [[(mark, look.warn), (name.ljust(NAME_WIDTH), look.strong), (f" {label_of(name)}", look.muted)]]
