"""The heatmap of one layer: draws itself from ready escape strings and touches only the rows that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region
from textual.message import Message
from textual.strip import Strip

from condense_tui.draw import heatmap as draw
from condense_tui.draw import palette as colour
from condense_tui.draw.ability import Depth
from condense_tui.draw.palette import PALETTES, Palette
from condense_tui.snapshots.snapshot import LayerImage
from condense_tui.terminal.heatmap_row import HeatmapInk, HeatmapRow, pair_styles
from condense_tui.widgets.lines import Lines, centred

# Fewer pixels than this show no structure that one could trust.
LEAST_PIXELS = 8


@dataclass(frozen=True)
class Reading:
    """What the cursor reads: kernels `rows` against kernels `columns` (one each unless pooled), and the cosine."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    cosine: float
    dropped: bool


class Heatmap(Lines, can_focus=True):
    """Cosines of every two kernels of a layer in half blocks, or as text where the terminal has no colour for it."""

    DEFAULT_CSS = "Heatmap { height: 1fr; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(0, -1)", "cursor up", show=False),
        Binding("down", "cursor(0, 1)", "cursor down", show=False),
        Binding("left", "cursor(-1, 0)", "cursor left", show=False),
        Binding("right", "cursor(1, 0)", "cursor right", show=False),
        Binding("escape", "leave", "leave the cursor", show=False),
    ]

    @dataclass
    class Read(Message):
        """The cursor stands elsewhere, or nowhere, or on other data."""

        heatmap: Heatmap
        reading: Reading | None

    @dataclass
    class LaidOut(Message):
        """It has another number of cells, or is pooled where it was not: also after a resize."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._cells: tuple[int, bool] = (0, False)
        self.image: LayerImage | None = None
        self.layout_: draw.Layout | None = None
        self._palette: Palette = PALETTES[0]
        self._pairs = np.zeros((0, 0), np.int32)
        self._rows: list[Strip | None] = []
        self._corner = Offset(0, 0)
        self._empty = ""
        self._ink = HeatmapInk(self._palette, True, Depth.TRUE)
        self._cursor: tuple[int, int] | None = None

    def show(self, image: LayerImage | None, palette: Palette, empty: str = "no similarity recorded here") -> None:
        """Show an image, or the words `empty` without one; nothing happens where it is the one that is shown."""
        if image is self.image and palette is self._palette and empty == self._empty:
            return
        recoloured = palette is not self._palette
        self.image, self._palette, self._empty = image, palette, empty
        self.rebuild(everything=recoloured)
        self._announce()

    def rebuild(self, everything: bool = False) -> None:
        width, height = self.size
        if not (width and height):
            return
        layout = self._lay_out(width, height)
        self.layout_ = layout
        everything |= self._cursor_was_outside()
        cells = (0, False) if layout is None else (len(layout.edges), layout.pooled)
        if cells != self._cells:
            self._cells = cells
            self.post_message(self.LaidOut())
        self._ink = HeatmapInk(self._palette, self.look.dark, self.ability.depth)
        if layout is None:
            self._pairs = np.zeros((0, 0), np.int32)
            self._rows = []
            self._lines = self.build(width, height)
            self.refresh()
            return
        ascii_only = self.ability.ascii_heatmap
        across = layout.pixels.shape[1] * (self._ascii_width(layout, width) if ascii_only else 1)
        lines = len(layout.pixels) if ascii_only else -(-len(layout.pixels) // 2)
        self._corner = Offset(max(0, (width - across) // 2), max(0, (height - lines) // 2))
        if ascii_only:
            pairs = _padded(layout.pixels, height, self._corner.y)
        else:
            pairs = draw.pairs(layout.pixels, width, height, self._corner.x, self._corner.y)
        before = self._pairs
        self._pairs = pairs
        if everything or before.shape != pairs.shape or len(self._rows) != height:
            self._rows = [None] * height
            self.refresh()
            return
        changed = np.flatnonzero(np.any(before != pairs, axis=1)).tolist()
        for y in changed:
            self._rows[y] = None
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def build(self, width: int, height: int) -> list[list[tuple[str, Style]]]:
        """What stands there while there is no heatmap."""
        if self.image is None:
            return centred(self._empty, self.look.muted, width, height)
        return centred("too small for the heatmap", self.look.muted, width, height)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The fast way: no borders, no filters, no styles to mix in, and rows that know their own escape codes."""
        if self.layout_ is None:
            return super().render_lines(crop)
        strips = [self._row(y) for y in range(crop.y, crop.bottom)]
        if crop.x == 0 and crop.right >= self.size.width:
            return strips
        return [strip.crop(crop.x, crop.right) for strip in strips]

    def on_resize(self, event: events.Resize) -> None:
        self.rebuild(everything=True)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.rebuild(everything=True))

    def on_blur(self) -> None:
        self._set_cursor(None)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._set_cursor(self._cell_at(event.x, event.y))

    def on_leave(self) -> None:
        if not self.has_focus:
            self._set_cursor(None)

    def action_cursor(self, right: int, down: int) -> None:
        """Move the cursor by one kernel; the first press puts it in the middle."""
        if self.layout_ is None:
            return
        cells = len(self.layout_.edges) - 1
        if self._cursor is None:
            self._set_cursor((cells // 2, cells // 2))
            return
        column, row = self._cursor
        self._set_cursor((min(cells - 1, max(0, column + right)), min(cells - 1, max(0, row + down))))

    def action_leave(self) -> None:
        """Give the arrow keys back to the playhead."""
        self.screen.set_focus(None)

    def _lay_out(self, width: int, height: int) -> draw.Layout | None:
        image = self.image
        if image is None:
            return None
        if not self.ability.ascii_heatmap:
            side = min(width, 2 * height)
        else:
            side = min(width // 2, height) if width // 2 >= LEAST_PIXELS else min(width, height)
        if side < min(LEAST_PIXELS, len(image.order)) or side < 1:
            return None
        return draw.lay_out(image.cosine, image.order, image.dropped, side, [group.start for group in image.groups])

    @property
    def wide(self) -> bool:
        """Without colour: whether a pixel takes two characters."""
        return self.layout_ is None or self._ascii_width(self.layout_, self.size.width) == 2

    def _ascii_width(self, layout: draw.Layout, width: int) -> int:
        return 2 if 2 * layout.pixels.shape[1] <= width else 1

    def _row(self, y: int) -> Strip:
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        row = self._rows[y]
        if row is None:
            row = self._ascii_row(y) if self.ability.ascii_heatmap else self._colour_row(y)
            self._rows[y] = row
        return row

    def _colour_row(self, y: int) -> Strip:
        row = HeatmapRow(self._pairs[y], self._ink)
        cursor = self._cursor_box()
        if cursor is None or not cursor.y <= y < cursor.bottom:
            return row
        style = pair_styles(row.ink)(int(row.pairs[cursor.x]))
        middle = Segment("┼" * cursor.width, style + _contrast(style))
        return Strip([*row.crop(0, cursor.x), middle, *row.crop(cursor.right)], len(row.pairs))

    def _ascii_row(self, y: int) -> Strip:
        width = self.size.width
        layout = self.layout_
        assert layout is not None
        wide = self._ascii_width(layout, width) == 2
        text = draw.ascii_rows(self._pairs[y : y + 1], width, 1, wide, self._corner.x)[0]
        cursor = self._cursor_box()
        if cursor is not None and cursor.y <= y < cursor.bottom:
            text = text[: cursor.x] + "[]"[: cursor.width].ljust(cursor.width, "]") + text[cursor.right :]
        return Strip([Segment(text)], width)

    def _cursor_box(self) -> Region | None:
        """Characters that the cursor's cell takes."""
        layout = self.layout_
        if layout is None or self._cursor is None:
            return None
        column, row = self._cursor
        across = self._ascii_width(layout, self.size.width) if self.ability.ascii_heatmap else 1
        down = 1 if self.ability.ascii_heatmap else 2
        left, right = layout.places[column : column + 2].tolist()
        above, below = layout.places[row : row + 2].tolist()
        top, bottom = above // down, max(1, -(-below // down))
        corner = self._corner
        return Region(corner.x + left * across, corner.y + top, (right - left) * across, max(1, bottom - top))

    def _cell_at(self, x: int, y: int) -> tuple[int, int] | None:
        layout = self.layout_
        if layout is None:
            return None
        ascii_only = self.ability.ascii_heatmap
        across = self._ascii_width(layout, self.size.width) if ascii_only else 1
        right, down = x - self._corner.x, y - self._corner.y
        column = layout.cell_of(right // across) if right >= 0 else None
        row = layout.cell_of(down if ascii_only else 2 * down) if down >= 0 else None
        return None if column is None or row is None else (column, row)

    def _set_cursor(self, cell: tuple[int, int] | None) -> None:
        if cell == self._cursor:
            return
        before = self._cursor_box()
        self._cursor = cell
        for box in (before, self._cursor_box()):
            if box is not None:
                for y in range(box.y, min(box.bottom, len(self._rows))):
                    self._rows[y] = None
                    self.refresh(Region(0, y, self.size.width, 1))
        self._announce()

    def _cursor_was_outside(self) -> bool:
        """Bring the cursor back where there are fewer cells now: another layer is shown, or the panel is smaller."""
        if self._cursor is None:
            return False
        last = -1 if self.layout_ is None else len(self.layout_.edges) - 2
        before = self._cursor
        self._cursor = (min(before[0], last), min(before[1], last)) if last >= 0 else None
        if self._cursor == before:
            return False
        self._announce()
        return True

    def _announce(self) -> None:
        self.post_message(self.Read(self, self.reading))

    @property
    def reading(self) -> Reading | None:
        """What the cursor reads now."""
        image, layout = self.image, self.layout_
        if image is None or layout is None or self._cursor is None:
            return None
        column, row = self._cursor
        if max(column, row) >= len(layout.edges) - 1:
            return None
        columns = image.order[layout.edges[column] : layout.edges[column + 1]]
        rows = image.order[layout.edges[row] : layout.edges[row + 1]]
        block = image.cosine[np.ix_(rows, columns)]
        known = block[np.isfinite(block)]
        cosine = float(known.mean()) if len(known) else float("nan")
        dropped = bool(image.dropped[rows].all() or image.dropped[columns].all())
        return Reading(tuple(rows.tolist()), tuple(columns.tolist()), cosine, dropped)


def _contrast(style: Style) -> Style:
    """Black or white ink, whichever can be read on the style's background."""
    red, green, blue = (style.bgcolor or Color.default()).get_truecolor()
    bright = 0.299 * red + 0.587 * green + 0.114 * blue > 128
    return Style(color="black" if bright else "white", bold=True)


def _padded(pixels: np.ndarray, height: int, row: int) -> np.ndarray:
    padded = np.full((height, pixels.shape[1]), colour.EMPTY, np.uint8)
    rows = min(height - row, len(pixels))
    padded[row : row + rows] = pixels[:rows]
    return padded
