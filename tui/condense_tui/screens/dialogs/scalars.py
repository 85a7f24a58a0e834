"""Choosing recorded scalars to draw: type to narrow the list down, enter marks, esc takes over what is marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from condense_core.measure_table import MEASURES
from condense_core.scalar_names import label_of, layer_in_words, split
from condense_tui.draw import numbers
from condense_tui.draw.layer_names import fitted, shared
from condense_tui.draw.line import Line
from condense_tui.terminal.dialog import Dialog
from condense_tui.widgets.listing import Entry, Listing

# As many as there are colours for curves.
MOST = 6
NAME_WIDTH = 30
_DIGITS = re.compile(r"([0-9]{1,9})")


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
        self._most = most
        self._scalars = in_order(names)
        self._begin = shared([scalar.layer for scalar in self._scalars if scalar.layer])
        self._chosen = [name for name in chosen if name in names]
        self._words = Input(placeholder="words to look for: lines, conv1, eigenvalue …", id="words", compact=True)
        self._listing: Listing[Scalar] = Listing(self._lines, 1, "  no scalar has these words", id="scalars")
        self._listing.can_focus = False
        self._listing.marked = set(self._chosen)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
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
        text = self._words.value.casefold().strip()
        words = text.split()
        found = [scalar for scalar in self._scalars if all(word in scalar.searched for word in words)]
        # those marked stay at hand, then the one whose name was typed
        ordered = sorted(found, key=lambda scalar: (scalar.name not in self._chosen, scalar.name.casefold() != text))
        self._listing.show([Entry(scalar.name, scalar) for scalar in ordered])
        some = f"{numbers.step(len(found))} of " if words else ""
        self.query_one(Vertical).border_title = f"curves · {some}{numbers.step(len(self._scalars))}"

    def _count(self) -> str:
        return f"{len(self._chosen)} of {self._most} · enter marks · ctrl+n none · esc closes"

    def _lines(self, scalar: Scalar, width: int, marked: bool) -> list[Line]:
        """Its name, and what it is called where that says more; both without what all layers' names begin with."""
        look = self._listing.look
        mark = ("✓ " if self._listing.ability.unicode else "+ ") if marked else "  "
        name = scalar.name.removeprefix(self._begin) if scalar.layer else scalar.name
        label = label_of(scalar.name).removeprefix(f"{layer_in_words(scalar.layer)}: ")
        # what was logged has no other name than its own
        label = "" if label.replace(" ", "_") == name.replace(" ", "_") else label
        room = max(8, width - 4 - max(cell_len(label), width - 4 - NAME_WIDTH if label else 0))
        short = fitted(name, room)
        return [[(mark, look.warn), (short, look.strong), (" " * (room - cell_len(short) + 1) + label, look.muted)]]


class Scalar(NamedTuple):
    """A recorded scalar: the layer that it is of, empty for the network's and for what was logged, and what is searched
    for words."""

    name: str
    layer: str
    searched: str


def in_order(names: Sequence[str]) -> list[Scalar]:
    """What was logged first, then what is recorded of the network, then layer by layer; numbers in names by their
    size."""
    scalars = [Scalar(name, split(name)[0], f"{name} {label_of(name)}".casefold()) for name in names]
    return sorted(
        scalars, key=lambda scalar: (bool(scalar.layer), split(scalar.name)[1] in MEASURES, _natural(scalar.name))
    )


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(name)]
