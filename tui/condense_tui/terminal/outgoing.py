"""What the terminal shows, and what waits to be shown there.

Textual draws every dirty line of a widget in full. Its updates are looked at here at the moment at which they go out,
and become pieces: a stretch of a line, and the codes that turn what the terminal shows there into what it is to show.
A piece that finds no room waits; a newer one takes its place, so what goes out is never old, and what has not gone out
yet still comes. A difference taken earlier, when data is set, would leave holes under a dialog that has closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from rich.console import Console
from textual.geometry import Region
from textual.strip import Strip

from condense_tui.terminal.emit import PictureRow, differences
from condense_tui.terminal.textual_internals import ChopsUpdate, CompositorUpdate, LayoutUpdate

# What a key changes on a line, a mark or some figures, takes less; what takes more is a picture and waits its turn.
SMALL = 400
# So little of a picture's line is the cursor in it.
TINY = 64


@dataclass(frozen=True)
class ScreenPiece:
    """A stretch of line `y` from column `x` on, and what brings it to the terminal; pieces never overlap."""

    y: int
    x: int
    strip: Strip
    codes: str
    """Changes from the stretch's first column on."""
    since: int
    """When this place began to wait; a piece that replaces another one waits no longer for that."""
    whole: bool = False
    """Part of a screen that is drawn again, of which no part is news."""

    @cached_property
    def written(self) -> bytes:
        """Codes wherever the terminal's cursor stands."""
        return f"\x1b[{self.y + 1};{self.x + 1}H{self.codes}".encode()

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.written)

    @property
    def small(self) -> bool:
        """The kind of change by which a key is answered."""
        return not self.whole and self.size <= (TINY if isinstance(self.strip, PictureRow) else SMALL)

    def lies_in(self, regions: Sequence[Region]) -> bool:
        """Whether part of it lies in one of the regions."""
        place = Region(self.x, self.y, self.strip.cell_length, 1)
        return any(region.overlaps(place) for region in regions)


class Outgoing:
    """By line and column: the strips that the terminal shows, as far as is known, and the pieces that wait."""

    def __init__(self, *, far: bool) -> None:
        """`far`: every byte counts, more than the time that it takes to save it."""
        self._far = far
        self._shown: dict[int, dict[int, Strip]] = {}
        self._waiting: dict[int, dict[int, ScreenPiece]] = {}
        self._count = 0

    @property
    def settled(self) -> bool:
        """Nothing waits."""
        return not any(self._waiting.values())

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return sum(piece.size for line in self._waiting.values() for piece in line.values())

    @property
    def waiting(self) -> list[ScreenPiece]:
        """All pieces that wait, from the top."""
        return [self._waiting[y][x] for y in sorted(self._waiting) for x in sorted(self._waiting[y])]

    def forget(self) -> None:
        """Nothing is known any more of what the terminal shows, and nothing waits for it."""
        self._shown.clear()
        self._waiting.clear()

    def take(self, update: CompositorUpdate, console: Console) -> None:
        """Have what is new in an update wait."""
        if isinstance(update, ChopsUpdate):
            self._put(_changes(update), console)
        elif isinstance(update, LayoutUpdate):
            if not self._far:
                self.forget()
            self._put(_everything(update), console, whole=True)

    def give(self, room: int, urgent: int, first: Sequence[Region] = ()) -> list[ScreenPiece]:
        """The pieces of a frame, which count as shown from now on.

        At most `room` bytes, or `urgent` of what is small or lies in one of the regions `first`; all that waits where
        there is room for it. What takes more than the room goes alone.
        """
        pieces = self.waiting
        if self.size > room:
            pieces = _chosen(pieces, room, urgent, first)
        for piece in pieces:
            del self._waiting[piece.y][piece.x]
            self._show(piece.y, piece.x, piece.strip)
        return pieces

    def _put(self, strips: dict[tuple[int, int], Strip], console: Console, *, whole: bool = False) -> None:
        """Have strips wait, each in place of whatever waits there; the terminal may show them already."""
        new = {
            (y, x): (strip, self._before(y, x, strip.cell_length))
            for (y, x), strip in strips.items()
            if strip.cell_length and not self._waits(y, x, strip)
        }
        codes = differences(list(new.values()), console, thrifty=self._far)
        for ((y, x), (strip, _)), text in zip(new.items(), codes, strict=True):
            since = self._make_room(y, x, strip.cell_length, console)
            if text:
                self._waiting.setdefault(y, {})[x] = ScreenPiece(y, x, strip, text, since, whole)
            else:
                self._show(y, x, strip)

    def _waits(self, y: int, x: int, strip: Strip) -> bool:
        piece = self._waiting.get(y, {}).get(x)
        return piece is not None and piece.strip is strip

    def _make_room(self, y: int, x: int, length: int, console: Console) -> int:
        """Take away what waits at a place, except for what reaches beyond it; since when the place has waited."""
        self._count += 1
        since, line = self._count, self._waiting.get(y)
        if not line:
            return since
        for at, outside in _outside({at: piece.strip for at, piece in line.items()}, x, x + length):
            piece = line.pop(at)
            since = min(since, piece.since)
            for start, rest in outside.items():
                (codes,) = differences([(rest, self._before(y, start, rest.cell_length))], console, thrifty=self._far)
                line[start] = ScreenPiece(y, start, rest, codes, piece.since, piece.whole)
        return since

    def _before(self, y: int, x: int, length: int) -> Strip | None:
        """What the terminal shows at a place, None if not all of it is known."""
        line = self._shown.get(y, {})
        exact = line.get(x)
        if exact is not None and exact.cell_length == length:
            return exact
        parts, at, end = [], x, x + length
        for start, strip in sorted(line.items(), key=itemgetter(0)):
            stop = min(end, start + strip.cell_length)
            if start > at or at >= end:
                break
            if stop > at:
                parts.append(strip.crop(at - start, stop - start))
                at = stop
        return Strip.join(parts) if at == end else None

    def _show(self, y: int, x: int, strip: Strip) -> None:
        """Remember that `strip` is shown at a place, and no longer what was there."""
        line = self._shown.setdefault(y, {})
        before = line.get(x)
        if before is not None and before.cell_length == strip.cell_length:
            line[x] = strip
            return
        for at, outside in _outside(line, x, x + strip.cell_length):
            del line[at]
            line.update(outside)
        line[x] = strip


def _changes(update: ChopsUpdate) -> dict[tuple[int, int], Strip]:
    """The strips of an update by line and column; each is whole, whatever part of it has changed."""
    return {
        (y, x): strip
        for y, start, stop in update.spans
        for x, strip in update.chops[y].items()
        if strip is not None and x < stop and x + strip.cell_length > start
    }


def _everything(update: LayoutUpdate) -> dict[tuple[int, int], Strip]:
    """The strips of a full redraw by line and column."""
    strips = {}
    for y, line in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in line:
            strips[y, x] = strip
            x += strip.cell_length
    return strips


def _outside(line: Mapping[int, Strip], start: int, stop: int) -> list[tuple[int, dict[int, Strip]]]:
    """The strips of a line that overlap a stretch: where each begins, and by column what of it lies outside."""
    found = []
    for x, strip in line.items():
        end = x + strip.cell_length
        if x < stop and end > start:
            rest = {x: strip.crop(0, start - x)} if x < start else {}
            if end > stop:
                rest[stop] = strip.crop(stop - x)
            found.append((x, rest))
    return found


def _chosen(pieces: list[ScreenPiece], room: int, urgent: int, first: Sequence[Region]) -> list[ScreenPiece]:
    """As many pieces as there is room for: what is small, then what is asked for first, then what waits longest."""
    small = [piece for piece in pieces if piece.small]
    large = [piece for piece in pieces if not piece.small]
    soon = [*small, *[piece for piece in large if piece.lies_in(first)]]
    soon.sort(key=lambda piece: (isinstance(piece.strip, PictureRow), piece.y, piece.x))
    later = [piece for piece in large if not piece.lies_in(first)]
    later.sort(key=lambda piece: (piece.whole and isinstance(piece.strip, PictureRow), piece.since))
    chosen: list[ScreenPiece] = []
    spent = 0
    for most, some in ((urgent, soon), (room, later)):
        for piece in some:
            if spent + piece.size > most and (chosen or not room):
                break
            chosen.append(piece)
            spent += piece.size
    return chosen
