"""The base of our widgets: plain lines built from plain data, of which only those that changed are drawn again."""

from __future__ import annotations

import textwrap
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from condense_tui.draw.line import Line
from condense_tui.terminal import look

if TYPE_CHECKING:
    from condense_tui.draw.ability import Ability
    from condense_tui.terminal.shell import Shell


class Lines(Widget):
    """Subclasses give their lines in `build`; `rebuild` puts them on the screen."""

    DEFAULT_CSS = "Lines { height: 1fr; }"
    app: Shell

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self._base: Style | None = None

    @property
    def look(self) -> look.Look:
        """Styles of the current theme."""
        return look.of(self.app.current_theme)

    @property
    def ability(self) -> Ability:
        """What the terminal can show."""
        return self.app.ability

    @abstractmethod
    def build(self, width: int, height: int) -> list[Line]:
        """The lines to show in an area of that size: at most `height`, cut or filled to `width` by the caller."""

    def rebuild(self) -> None:
        """Build the lines again and draw those that differ."""
        width, height = self.content_size
        if not (width and height):
            return
        new = self.build(width, height)[:height]
        old = self._lines
        self._lines = new
        rows = range(max(len(new), len(old)))
        changed = [y for y in rows if y >= len(new) or y >= len(old) or new[y] != old[y]]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_lines(self, crop: Region) -> list[Strip]:
        self._base = None
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        # the same for every line, and expensive: Textual asks every ancestor for its background
        base = self._base = self._base or self.rich_style
        if y >= len(self._lines):
            return Strip.blank(width, base)
        return Strip(fitted(self._lines[y], width, base), width)

    def on_resize(self, event: events.Resize) -> None:
        self._lines = []
        self.rebuild()
        # Textual has drawn the old lines at the new size meanwhile, and keeps them: also those below the last new one
        self.refresh()

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.rebuild())


def fitted(line: Line, width: int, base: Style) -> list[Segment]:
    """Segments of exactly `width` cells; a cut is marked by an ellipsis."""
    segments: list[Segment] = []
    room = width
    for text, style in line:
        length = cell_len(text)
        if length > room:
            if room > 0:
                cut = set_cell_size(text, room - 1) + "…" if room > 1 else "…"
                segments.append(Segment(cut, base + style))
            room = 0
            break
        if text:
            segments.append(Segment(text, base + style))
        room -= length
    if room:
        segments.append(Segment(" " * room, base))
    return segments


def length(line: Sequence[tuple[str, Style]]) -> int:
    """Cells that a line takes."""
    return sum(cell_len(text) for text, _ in line)


def justified(left: Line, right: Line, width: int, filler: Style) -> Line:
    """`left` at the left and `right` at the right; what is on the right goes where both do not fit."""
    gap = width - length(left) - length(right)
    return [*left, (" " * gap, filler), *right] if gap >= 1 else left


def wrapped(text: str, style: Style, width: int, most: int | None = None) -> list[Line]:
    """A paragraph as lines of at most `width` cells; what it is indented by stays. One that goes on after `most` lines
    ends with an ellipsis."""
    indent = text[: len(text) - len(text.lstrip())]
    parts = textwrap.wrap(text, max(8, width), subsequent_indent=indent, max_lines=most, placeholder="…") or [""]
    return [[(part, style)] for part in parts]


def centred(text: str, style: Style, width: int, height: int) -> list[Line]:
    """A text in the middle of an area, in as many lines as it needs."""
    parts = textwrap.wrap(text, max(8, width)) or [""]
    blank: Line = [("", style)]
    said: list[Line] = [[(" " * max(0, (width - cell_len(part)) // 2) + part, style)] for part in parts]
    return [blank] * max(0, (height - len(said)) // 2) + said
