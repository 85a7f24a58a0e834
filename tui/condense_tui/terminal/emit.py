"""Codes that turn what a terminal shows on a stretch of a line into something else, cells that stay left out.

A live frame costs a tenth of the bytes that drawing the lines in full would, which is what a thin link can carry.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.style import Style
from textual.strip import Strip

from condense_tui.terminal.textual_internals import LazyStrip


class PictureRow(LazyStrip):
    """A row of cells of a picture, which are drawn by others in one go: making segments would cost more than all the
    rest of a frame."""

    __slots__ = ()
    ink: Hashable
    """What turns its cells into colours; rows of one ink and width are drawn together."""

    @staticmethod
    @abstractmethod
    def drawn_over(rows: Sequence[tuple[Any, Any]]) -> list[str]:
        """For each (row, the row that the terminal shows in its place), all of one ink and width: codes that bring the
        terminal up to date."""


def differences(pairs: Sequence[tuple[Strip, Strip | None]], console: Console, *, thrifty: bool = False) -> list[str]:
    """For each (strip, what the terminal shows in its place): codes that bring the terminal up to date from the first
    column on; the whole strip where nothing is known, empty if the two look the same. `thrifty`: a whole strip, too,
    is drawn with as few bytes as there can be, and not with those that Textual keeps ready."""
    system = COLOR_SYSTEMS[console.color_system or "truecolor"]
    codes = [""] * len(pairs)
    rows: dict[tuple[type[PictureRow], Hashable, int], list[tuple[int, PictureRow, PictureRow]]] = {}
    for at, (strip, before) in enumerate(pairs):
        if before is None:
            codes[at] = (
                _drawn(strip, system) if thrifty and not isinstance(strip, PictureRow) else strip.render(console)
            )
        elif isinstance(strip, PictureRow) and isinstance(before, type(strip)) and before.ink == strip.ink:
            rows.setdefault((type(strip), strip.ink, strip.cell_length), []).append((at, strip, before))
        else:
            codes[at] = _difference(strip, before, system)
    for (kind, _, _), group in rows.items():
        for (at, _, _), text in zip(group, kind.drawn_over([(now, then) for _, now, then in group]), strict=True):
            codes[at] = text
    return codes


class Pen(NamedTuple):
    """The style a terminal currently writes with, as parameters of SGR: attributes, foreground, background."""

    attributes: str = ""
    fore: str = ""
    back: str = ""

    def turned_to(self, pen: Pen) -> str:
        """The fewest codes after which the terminal writes with `pen`."""
        if pen == self:
            return ""
        lost = pen.attributes != self.attributes or (self.fore and not pen.fore) or (self.back and not pen.back)
        wanted = pen if lost else [new for new, old in zip(pen, self, strict=True) if new != old]
        said = ["0", *wanted] if lost and self != Pen() else wanted
        return f"\x1b[{';'.join([part for part in said if part])}m"


@lru_cache(maxsize=4096)
def _pen(style: Style, system: ColorSystem) -> Pen:
    fore, back = (
        ";".join(colour.downgrade(system).get_ansi_codes(foreground=front)) if colour is not None else ""
        for colour, front in ((style.color, True), (style.bgcolor, False))
    )
    plain = style.clear_meta_and_links().without_color
    return Pen(Strip.render_style(plain, "", system).removesuffix("\x1b[0m")[2:-1], fore, back)


def _drawn(strip: Strip, system: ColorSystem) -> str:
    """All of a strip."""
    return _written([(0, text, style) for text, style, _ in strip], system)


def _difference(strip: Strip, before: Strip, system: ColorSystem) -> str:
    """Escape codes that turn `before` into `strip` from its first column on; empty if they look the same."""
    if strip is before:
        return ""
    new, old = _cells(strip), _cells(before)
    if new is None or old is None:
        return _drawn(strip, system)
    cells = enumerate(zip(new, old, strict=True))
    return _written([(column, *now) for column, (now, then) in cells if now != then], system, steps=True)


def _written(texts: list[tuple[int, str, Style | None]], system: ColorSystem, *, steps: bool = False) -> str:
    """Texts one after the other, a style said only where it changes; with `steps` each at its column."""
    parts: list[str] = []
    pen, at = Pen(), 0
    for column, text, style in texts:
        if steps and column > at:
            parts.append(f"\x1b[{column - at}C")
        wanted = Pen() if style is None else _pen(style, system)
        parts += pen.turned_to(wanted), text
        pen, at = wanted, column + 1
    parts.append(pen.turned_to(Pen()))
    return "".join(parts)


def _cells(strip: Strip) -> list[tuple[str, Style | None]] | None:
    """A (character, style) a cell; None if some character is wider than one, which no step can land in."""
    cells = [(character, style) for text, style, _ in strip for character in text]
    return cells if len(cells) == strip.cell_length else None
