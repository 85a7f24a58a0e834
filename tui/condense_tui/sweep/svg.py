"""Phase diagrams as one SVG, for a paper or a page: no style sheet, so that every program shows its colours."""

from __future__ import annotations

import math
from collections.abc import Sequence

from condense_tui.documents.markup import Markup, el, join
from condense_tui.draw.palette import PALETTES, colours
from condense_tui.sweep.borders import NOTE, border
from condense_tui.sweep.grid import ColourScale, Grid, Square, words

# Pixels. A square holds `10 of 10` and a spread such as `0.93–0.98` below it.
_SQUARE, _HIGH, _LINE, _EDGE = 84, 46, 20, 16
# Of a character of the labels, for the room that they take.
_LETTER, _BOLD_LETTER = 7.2, 8.2
_FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
_INK, _SOFT, _GROUND = "#1c1e22", "#5d6470", "#ffffff"


def svg(grids: Sequence[Grid], scale: ColourScale, show: str, *, monospace: bool = False) -> str:
    """All pictures, one under the other, with the scale below; `monospace` for a program that knows no other fonts."""
    parts: list[Markup] = []
    top, right = float(_EDGE), 0.0
    for grid in grids:
        picture, width, height = _picture(grid, scale, top)
        parts.append(picture)
        top, right = top + height + _EDGE, max(right, width)
    parts.append(_legend(scale, show, top))
    width, height = max(right, 260.0) + _EDGE, top + _LINE + _EDGE
    ground = el("rect", width=width, height=height, fill=_GROUND)
    whole = el(
        "svg",
        ground,
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"0 0 {width:g} {height:g}",
        font_family="monospace" if monospace else _FONT,
        # letters of one width then take what they do otherwise
        font_size=12 if monospace else 13,
        fill=_INK,
    )
    return f"{whole}\n"


def _picture(grid: Grid, scale: ColourScale, top: float) -> tuple[Markup, float, float]:
    """The picture with its right edge and its height."""
    names = grid.down.values if grid.down else ("",)
    label = grid.down.name if grid.down else ""
    left = _EDGE + max(map(len, names)) * _LETTER + 8
    parts = [_text(_EDGE, top + 13, grid.title, anchor="start", weight=600)]
    texts: list[Markup] = []
    y = top + _LINE + 8
    if label:
        parts.append(_text(_EDGE, y + 8, label, anchor="start", fill=_SOFT))
        y += _LINE
    for name, row in zip(reversed(names), reversed(grid.squares), strict=True):
        parts.append(_text(left - 8, y + _HIGH / 2 + 4, name, anchor="end"))
        for index, item in enumerate(row):
            tile, text = _square(item, scale, left + index * _SQUARE, y)
            parts.append(tile)
            texts.append(text)
        y += _HIGH
    line = border(grid.across, grid.down)
    if line:
        points = " ".join(f"{left + column * _SQUARE:g},{y - row * _HIGH:g}" for column, row in line)
        for colour, thick in ((_INK, 5), (_GROUND, 3)):
            parts.append(el("polyline", points=points, fill="none", stroke=colour, stroke_width=thick))
    # over the border, to be read
    parts += texts
    y += _LINE
    for index, value in enumerate(grid.across.values):
        parts.append(_text(left + (index + 0.5) * _SQUARE, y - 4, value))
    width = _SQUARE * len(grid.across.values)
    y += _LINE
    parts.append(_text(left + width / 2, y - 4, grid.across.name, fill=_SOFT))
    note = ""
    if line:
        y += _LINE
        note = NOTE
        parts.append(_text(_EDGE, y - 4, note, anchor="start", fill=_SOFT))
    right = max(left + width, _EDGE + len(grid.title) * _BOLD_LETTER, _EDGE + len(note) * _LETTER)
    return join(*parts), right, y - top


def _square(item: Square, scale: ColourScale, x: float, y: float) -> tuple[Markup, Markup]:
    """The tile and what stands in it."""
    code = scale.code(item.value)
    red, green, blue = colours(PALETTES[0], False)[code]
    ink = _INK if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else _GROUND
    lines = [_text(x + _SQUARE / 2, y + _HIGH / 2 + (4 if not item.spread else -2), item.texts[0], fill=ink)]
    if item.spread:
        lines.append(_text(x + _SQUARE / 2, y + _HIGH / 2 + 14, item.spread, fill=ink, size=10.5))
    tile = el(
        "rect",
        x=x,
        y=y,
        width=_SQUARE,
        height=_HIGH,
        fill=f"#{red:02x}{green:02x}{blue:02x}",
        stroke=_GROUND,
        stroke_width=2,
        stroke_dasharray="2 3" if math.isnan(item.value) else None,
    )
    return tile, join(*lines)


def _legend(scale: ColourScale, show: str, top: float) -> Markup:
    low, high = words(scale.low, show), words(scale.high, show)
    left = _EDGE + len(low) * _LETTER + 6
    table = colours(PALETTES[0], False)
    tiles = [
        el("rect", x=left + index * 8, y=top, width=8.5, height=12, fill=f"#{red:02x}{green:02x}{blue:02x}")
        for index, (red, green, blue) in enumerate(table[scale.codes.start : scale.codes.stop])
    ]
    right = left + len(tiles) * 8 + 6
    note = " (logarithmic)" if scale.log else ""
    return join(
        _text(_EDGE, top + 11, low, anchor="start"), *tiles, _text(right, top + 11, high + note, anchor="start")
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "middle",
    fill: str | None = None,
    size: float | None = None,
    weight: int | None = None,
) -> Markup:
    return el("text", text, x=f"{x:g}", y=f"{y:g}", text_anchor=anchor, fill=fill, font_size=size, font_weight=weight)
