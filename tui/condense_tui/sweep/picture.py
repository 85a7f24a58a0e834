"""A phase diagram in the terminal: cells coloured by a measure, its value in each, so that colour is not needed."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from rich.color import Color
from rich.style import Style
from rich.text import Text

from condense_tui.draw import palette
from condense_tui.draw.ability import Ability, Depth
from condense_tui.draw.bars import bar
from condense_tui.draw.palette import PALETTES
from condense_tui.sweep.borders import NOTE, condensed_side
from condense_tui.sweep.grid import ColourScale, Grid, words

# Columns of a cell: below the least not even `.93` and a gap fit; above the most a picture is not easier to read.
LEAST_WIDTH, MOST_WIDTH = 4, 13
# A cell with one character instead of its value, where there are many: its colour, or + and -.
MARK_WIDTH = 2
# Rows of three lines each as long as all of them fit a small terminal.
TALL_ROWS = 5
BAR_WIDTH = 30
_PALETTE = PALETTES[0]


def draw(grid: Grid, scale: ColourScale, width: int, ability: Ability) -> list[Text] | None:
    """The picture's lines, at most `width` wide; None if it cannot be that narrow."""
    if grid.down is None:
        return [Text(grid.title, style="bold"), *_bars(grid, scale, width, ability)]
    for least in (LEAST_WIDTH, MARK_WIDTH):
        for turned in (grid, grid.turned()):
            lines = _squares(turned, scale, width, ability, least)
            if lines is not None:
                return [Text(grid.title, style="bold"), *lines]
    return None


def legend(scale: ColourScale, show: str, ability: Ability) -> Text:
    """The ends of the scale with the colours between them; empty without colour."""
    if ability.depth is Depth.NONE:
        return Text()
    colours = [(" ", Style(bgcolor=_colour(code, ability))) for code in scale.codes]
    note = ", logarithmic" if scale.log else ""
    return Text.assemble(f"{words(scale.low, show)} ", *colours, f" {words(scale.high, show)}{note}")


def _squares(grid: Grid, scale: ColourScale, width: int, ability: Ability, least: int) -> list[Text] | None:
    assert grid.down is not None
    names = grid.down.values
    margin = max(map(len, names)) + 2
    columns = min(MOST_WIDTH, (width - margin) // len(grid.across.values))
    marks = columns < LEAST_WIDTH
    if columns < least or (marks and not all(item.mark for row in grid.squares for item in row)):
        return None
    tall = len(names) <= TALL_ROWS
    sides = condensed_side(grid.across, grid.down)
    edge, level = "│─" if ability.unicode else "|-"
    lines = [Text(f" {_cut(grid.down.name, width - 1)}", style="bold")]
    # a phase diagram's second axis points up
    for index in reversed(range(len(names))):
        name, row = names[index], grid.squares[index]
        styles = [_style(scale.code(item.value), ability) for item in row]
        rows = [(name, [item.mark if marks else item.text(columns - 1) for item in row])]
        if tall:
            spreads = [item.spread if len(item.spread) < columns else "" for item in row]
            rows = [("", [""] * len(row)), *rows, ("", spreads)]
        for head, texts in rows:
            line = Text(f"{head:>{margin - 1}} ")
            for place, (text, style) in enumerate(zip(texts, styles, strict=True)):
                border = sides and place + 1 < len(row) and sides[index][place] != sides[index][place + 1]
                line.append(f"{text:^{columns}}"[: columns - 1], style)
                line.append(edge if border else " ", style)
            lines.append(line)
        if sides and index and _level(sides[index], sides[index - 1]):
            under = zip(sides[index], sides[index - 1], strict=True)
            lines.append(Text(" " * margin + "".join((level if a != b else " ") * columns for a, b in under)))
    # under narrow cells only every so many values have room: half a number would be another one
    room = max(map(len, grid.across.values)) + 1
    every = -(-room // columns) if marks else 1
    where = "<" if every > 1 else "^"
    ticks = "".join(
        f"{_cut(value, every * columns - 1):{where}{every * columns}}" for value in grid.across.values[::every]
    )
    whole = columns * len(grid.across.values)
    lines += [Text(" " * margin + ticks), Text(" " * margin + f"{grid.across.name:^{whole}}".rstrip(), style="bold")]
    if sides:
        lines += [Text(line) for line in textwrap.wrap(f"{edge} {NOTE}", width)]
    return lines


def _level(above: Sequence[bool], below: Sequence[bool]) -> bool:
    """Whether the border runs level for more than a cell there; a step of one is seen without a line."""
    return sum(a != b for a, b in zip(above, below, strict=True)) > 1


def _style(code: int, ability: Ability) -> Style:
    if ability.depth is Depth.NONE:
        return Style()
    ground = _colour(code, ability)
    red, green, blue = ground.get_truecolor()
    # the eye's own weights of the three colours
    bright = 0.299 * red + 0.587 * green + 0.114 * blue > 110
    return Style(color=Color.from_ansi(0 if bright else 15), bgcolor=ground)


def _colour(code: int, ability: Ability) -> Color:
    return palette.rich_colour(_PALETTE, True, ability.depth, code)


def _bars(grid: Grid, scale: ColourScale, width: int, ability: Ability) -> list[Text]:
    """A row for each value of the only key."""
    (row,) = grid.squares
    names = grid.across.values
    margin = max(len(name) for name in (*names, grid.across.name))
    texts = [item.texts[0] for item in row]
    room = max(map(len, texts))
    spreads = [f"  {item.spread}" if item.spread else "" for item in row]
    drawn = max(0, min(BAR_WIDTH, width - margin - room - max(map(len, spreads)) - 3))
    lines = [Text(f"{grid.across.name:>{margin}}", style="bold")]
    for name, item, text, spread in zip(names, row, texts, spreads, strict=True):
        share = scale.share(item.value)
        filled, track = ("", " " * drawn) if math.isnan(share) else bar(share, drawn, ability.unicode)
        coloured = Style() if ability.depth is Depth.NONE else Style(color="cyan")
        lines.append(
            Text.assemble(f"{name:>{margin}} ", (filled, coloured), (track, "dim"), f" {text:>{room}}", spread)
        )
    return lines


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
