"""Text that grows at its end: it is followed until somebody scrolls back, and words are looked for in it.

Only what is visible is drawn: a script may print for days.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import ClassVar, NamedTuple

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType

from condense_tui.draw import numbers
from condense_tui.draw.line import Line
from condense_tui.widgets.caption import Captioned
from condense_tui.widgets.lines import Lines, wrapped

_REVERSE = Style(reverse=True)
# Lines that one turn of the wheel goes.
WHEEL = 3


class _Place(NamedTuple):
    """A line by its number since the beginning, and which of the rows that it takes."""

    line: int
    row: int


class LogView(Captioned, Lines, can_focus=True):
    """A panel of entries, each of one row or more. Subclasses give an entry's text, and its rows at a width."""

    DEFAULT_CSS = "LogView { height: 1fr; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", "up", show=False),
        Binding("down,j", "scroll(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home", "first", "first", show=False),
        Binding("end", "follow", "follow", show=False),
    ]

    def __init__(self, title: str, empty: str, *, id: str) -> None:
        """`empty` are the words where there is nothing."""
        super().__init__(id=id, classes="panel")
        self._title, self.empty = title, empty
        self._before = self._count = 0
        self._top: _Place | None = None
        self._words: re.Pattern[str] | None = None
        self._found: list[int] = []
        self._current: int | None = None
        self._active = False

    def text_of(self, index: int) -> str:
        """What is searched of an entry, from 0."""
        raise NotImplementedError

    def rows_of(self, index: int, width: int) -> list[Line]:
        """An entry as it is drawn."""
        raise NotImplementedError

    def rows_in(self, index: int, width: int) -> int:
        """How many rows it takes."""
        return len(self.rows_of(index, width))

    def changed(self, count: int, before: int, *, active: bool) -> None:
        """There are `count` entries now, behind `before` that were left out; while `active`, more may come."""
        self._count, self._before, self._active = count, before, active
        self._search()
        self.rebuild()

    @property
    def following(self) -> bool:
        """What comes is shown as it comes."""
        return self._top is None

    @property
    def found(self) -> int:
        """In how many entries the words that are looked for stand."""
        return len(self._found)

    def look_for(self, words: str) -> None:
        """Mark these words, and go to the newest entry that has them."""
        self._words = re.compile(re.escape(words), re.IGNORECASE) if words else None
        self._current = None
        self._search()
        if self._found:
            self._go_to(self._found[-1])
        self.rebuild()

    def next_match(self, by: int) -> None:
        """Go to the next or the previous entry that has the words; behind the last comes the first."""
        if not self._found:
            return
        if self._current in self._found:
            at = (self._found.index(self._current) + by) % len(self._found)
        else:
            at = 0 if by > 0 else -1
        self._go_to(self._found[at])
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        if not self._count:
            self._say(0)
            return wrapped(self.empty, self.look.muted, width)
        starts = self._starts(width)
        top = self._row_of_top(starts, height)
        if self._top is not None and top >= starts[-1] - height and self._current is None:
            # scrolled down to the end
            self._top = None
        self._say(self._count - bisect_right(starts, top + height - 1))
        lines: list[Line] = []
        index = bisect_right(starts, top) - 1
        skip = top - starts[index]
        while index < self._count and len(lines) < height:
            rows = self.rows_of(index, width)[skip:]
            lines += [self._marked(row, index) for row in rows]
            index, skip = index + 1, 0
        return lines[:height]

    def _starts(self, width: int) -> list[int]:
        """At which row each entry begins, and at last how many rows there are."""
        return [0, *accumulate(self.rows_in(index, width) for index in range(self._count))]

    def _row_of_top(self, starts: Sequence[int], height: int) -> int:
        last = max(0, starts[-1] - height)
        if self._top is None:
            return last
        index = self._top.line - self._before
        if index < 0:
            return 0
        return min(last, starts[min(index, self._count)] + self._top.row)

    def _marked(self, row: Line, index: int) -> Line:
        """A row with the words marked that are looked for; of the match that was gone to, otherwise than of others."""
        if self._words is None:
            return row
        here = self._before + index == self._current
        found: Line = []
        for text, style in row:
            at = 0
            for match in self._words.finditer(text):
                marked = (self.look.playhead if here else style) + _REVERSE
                found += [(text[at : match.start()], style), (match[0], marked)]
                at = match.end()
            found.append((text[at:], style))
        return [(piece, style) for piece, style in found if piece]

    def _search(self) -> None:
        words = self._words
        self._found = (
            []
            if words is None
            else [self._before + index for index in range(self._count) if words.search(self.text_of(index))]
        )

    def _go_to(self, line: int) -> None:
        """Show a line in the middle."""
        self._current = line
        width, height = self.content_size
        if not (width and height and self._count):
            return
        starts = self._starts(width)
        row = min(max(0, starts[-1] - height), max(0, starts[line - self._before] - height // 2))
        self._stand_at(row, starts)

    def _stand_at(self, row: int, starts: Sequence[int]) -> None:
        index = min(bisect_right(starts, row) - 1, self._count - 1)
        self._top = _Place(self._before + index, row - starts[index])

    def _say(self, below: int) -> None:
        """Under the panel: where one stands, what goes on, and which key goes back."""
        words = []
        if self._words is not None:
            at = self._found.index(self._current) + 1 if self._current in self._found else 0
            count = numbers.step(len(self._found))
            words.append(f"{numbers.step(at)} of {count} · n N" if self._found else "found nowhere")
        if self._top is not None:
            words.append(f"{numbers.step(below)} more below · end {'follows' if self._active else 'goes there'}")
        elif self._active and self._count:
            words.append("following")
        room = self.size.width - 4
        title = self._title if not self._before else f"{self._title} · the last {numbers.step(self._count)}"
        said = " · ".join(words)
        self.caption(title, said if len(said) <= room else words[0])

    def action_scroll(self, by: int) -> None:
        """Go up or down by rows; to the end is to follow."""
        width, height = self.content_size
        if not (width and height and self._count):
            return
        starts = self._starts(width)
        row = self._row_of_top(starts, height) + by
        last = max(0, starts[-1] - height)
        self._current = self._current if row < last else None
        if row >= last:
            self._top = None
        else:
            self._stand_at(max(0, row), starts)
        self.rebuild()

    def action_page(self, by: int) -> None:
        """Go up or down by what is visible."""
        self.action_scroll(by * max(1, self.content_size.height - 1))

    def action_first(self) -> None:
        """Go to the first entry that is kept."""
        self.action_scroll(-(10**9))

    def action_follow(self) -> None:
        """Go to the end, and stay there."""
        self._top = self._current = None
        self.rebuild()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_scroll(-WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_scroll(WHEEL)
