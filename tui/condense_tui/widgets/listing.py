"""A list to choose from: entries of one or more lines, headings between them, and a cursor. Draws only what is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from condense_tui.draw.line import Line
from condense_tui.widgets.lines import Lines

Item = TypeVar("Item")


@dataclass(frozen=True)
class Entry(Generic[Item]):
    """One entry of the list. `key` identifies it while the list changes; without an item, it is a heading."""

    key: str
    item: Item | None
    heading: str = ""


class Listing(Lines, Generic[Item], can_focus=True):
    """`draw(item, width, marked)` gives the lines of an item, always `tall` of them."""

    DEFAULT_CSS = "Listing { height: 1fr; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "go(-1)", "up", show=False),
        Binding("down,j", "go(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home", "go(-100000)", "first", show=False),
        Binding("end", "go(100000)", "last", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor is on another entry."""

        listing: Listing  # type: ignore[type-arg]

    @dataclass
    class Opened(Message):
        """The entry under the cursor was clicked once more."""

        listing: Listing  # type: ignore[type-arg]

    def __init__(self, draw: Callable[[Item, int, bool], list[Line]], tall: int, empty: str, *, id: str) -> None:
        super().__init__(id=id)
        self._draw, self._tall, self.empty = draw, tall, empty
        self._entries: Sequence[Entry[Item]] = ()
        self.marked: set[str] = set()
        self._at = 0
        self._first = 0
        self._shown: list[int] = []

    def show(self, entries: Sequence[Entry[Item]]) -> None:
        """Show these entries; the cursor stays on its entry, or where that was."""
        key = self._entries[self._at].key if self._at < len(self._entries) else None
        self._entries = entries
        same = next((index for index, entry in enumerate(entries) if entry.key == key and entry.item is not None), None)
        self._at = same if same is not None else min(self._at, max(0, len(entries) - 1))
        self._off_heading(1)
        self.rebuild()
        self.post_message(self.Moved(self))

    def choose(self, key: str) -> None:
        """Put the cursor on an entry."""
        for index, entry in enumerate(self._entries):
            if entry.key == key:
                self._at = index
                self.rebuild()
                self.post_message(self.Moved(self))

    @property
    def entries(self) -> Sequence[Entry[Item]]:
        """What is listed."""
        return self._entries

    @property
    def chosen(self) -> Item | None:
        """What the cursor is on."""
        return self._entries[self._at].item if self._at < len(self._entries) else None

    @property
    def chosen_key(self) -> str | None:
        """Key of the entry that the cursor is on."""
        return self._entries[self._at].key if self.chosen is not None else None

    def build(self, width: int, height: int) -> list[Line]:
        self._shown = []
        if not any(entry.item is not None for entry in self._entries):
            return [[(text, self.look.muted)] for text in self.empty.splitlines()]
        self._scroll(height)
        lines: list[Line] = []
        for index in range(self._first, len(self._entries)):
            if len(lines) >= height:
                break
            block = self._block(index, width)
            lines += block
            self._shown += [index] * len(block)
        return lines

    def _block(self, index: int, width: int) -> list[Line]:
        entry, look = self._entries[index], self.look
        if entry.item is None:
            return [[(entry.heading, look.muted)]]
        on = index == self._at
        edge = ("▌" if self.ability.unicode else ">") if on else " "
        style = look.accent if self.has_focus else look.muted
        lines = self._draw(entry.item, width - 1, entry.key in self.marked)
        if on and self.has_focus:
            lines = [_bold(line) for line in lines]
        return [[(edge, style), *line] for line in lines]

    def _scroll(self, height: int) -> None:
        """Change what is at the top as little as shows the whole entry under the cursor."""

        self._first = min(self._first, self._at, max(0, len(self._entries) - 1))
        if self._at and self._first == self._at and self._entries[self._at - 1].item is None:
            self._first -= 1
        # thousands of entries: from the cursor on upwards, as far as there is room
        first, room = self._at, height - self._height(self._at)
        while first > self._first and room >= self._height(first - 1):
            first -= 1
            room -= self._height(first)
        self._first = first
        # no empty lines under the last entry while there is something above the first
        room, at = height, self._first
        while at < len(self._entries) and room >= 0:
            room -= self._height(at)
            at += 1
        while self._first and room >= self._height(self._first - 1):
            self._first -= 1
            room -= self._height(self._first)

    def _height(self, index: int) -> int:
        return self._tall if self._entries[index].item is not None else 1

    def action_go(self, by: int) -> None:
        """Move the cursor by entries."""
        if not self._entries:
            return
        self._at = min(len(self._entries) - 1, max(0, self._at + by))
        self._off_heading(1 if by > 0 else -1)
        self.rebuild()
        self.post_message(self.Moved(self))

    def action_page(self, by: int) -> None:
        """Move the cursor by what fits on the screen."""
        self.action_go(by * max(1, self.content_size.height // self._tall - 1))

    def _off_heading(self, way: int) -> None:
        for _ in range(2):
            while 0 <= self._at < len(self._entries) and self._entries[self._at].item is None:
                self._at += way
            if 0 <= self._at < len(self._entries):
                return
            way = -way
            self._at = min(max(0, self._at), max(0, len(self._entries) - 1))

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        self.rebuild()

    def on_click(self, event: events.Click) -> None:
        if 0 <= event.y < len(self._shown):
            index = self._shown[event.y]
            if self._entries[index].item is None:
                return
            again = index == self._at and self.has_focus and event.chain > 1
            self._at = index
            self.focus()
            self.rebuild()
            self.post_message(self.Moved(self))
            if again:
                self.post_message(self.Opened(self))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.action_go(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.action_go(-1)


_BOLD = Style(bold=True)


def _bold(line: Line) -> Line:
    return [(text, style + _BOLD) for text, style in line]
