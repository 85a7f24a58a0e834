"""Panels as blocks of lines, and how blocks stand beside each other. Pure: data in, lines out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.style import Style

from condense_core.scalar_names import layer_in_words
from condense_tui.draw import field as draw_field
from condense_tui.draw import heatmap as draw_heatmap
from condense_tui.draw import numbers, palette, printed
from condense_tui.draw import plot as draw_plot
from condense_tui.draw.ability import Ability
from condense_tui.draw.line import Line
from condense_tui.draw.palette import CODES, DROPPED, LEVELS, NAN, PALETTES, Palette
from condense_tui.draw.strokes import BAND
from condense_tui.snapshots.plots import Figure
from condense_tui.snapshots.snapshot import FieldView, LayerImage
from condense_tui.snapshots.weight_figures import WeightFigure

# Of the sixteen colours, so that both dark and light terminals can be read.
PLAIN = Style.null()
STRONG = Style(bold=True)
FAINT = Style(dim=True)
WARN = Style(color="yellow")
GOOD = Style(color="green")
CURVES = tuple(Style(color=name) for name in ("cyan", "yellow", "green", "magenta"))
# What a legend of the scale takes at least and at most.
_LEAST_SCALE = 7


@dataclass(frozen=True)
class TextInk:
    """How heatmaps are coloured."""

    ability: Ability
    palette: Palette = PALETTES[0]
    dark: bool = True


@dataclass(frozen=True)
class TextBlock:
    """Lines of one panel, `width` cells wide; shorter lines are filled when blocks stand side by side."""

    width: int
    lines: tuple[Line, ...]


def heatmap(image: LayerImage, width: int, rows: int, ink: TextInk) -> TextBlock:
    """A layer's similarity in at most `width` × `rows` characters, under its name."""
    ascii_only = ink.ability.ascii_heatmap
    kernels = len(image.order)
    if ascii_only:
        wide = is_wide(kernels, width, rows)
        side = min(width // 2 if wide else width, rows)
    else:
        wide, side = False, min(width, 2 * rows)
    starts = [group.start for group in image.groups]
    layout = draw_heatmap.lay_out(image.cosine, image.order, image.dropped, max(1, side), starts)
    words = f"{layer_in_words(image.layer)} · {numbers.kernels_in_words(image.kernels, image.drawn_of)}"
    if layout.pooled or image.pooled:
        words += f" pooled to {len(layout.edges) - 1}"
    lines: list[Line] = [[(words, STRONG)]]
    if ascii_only:
        columns = layout.pixels.shape[1] * (2 if wide else 1)
        lines += [[(text, PLAIN)] for text in draw_heatmap.ascii_rows(layout.pixels, columns, len(layout.pixels), wide)]
    else:
        columns, height = layout.pixels.shape[1], -(-len(layout.pixels) // 2)
        for row in draw_heatmap.pairs(layout.pixels, columns, height):
            lines.append(
                [(draw_heatmap.glyph(pair) * count, _style(pair, ink)) for pair, count in draw_heatmap.runs(row)]
            )
    return TextBlock(max(columns, cell_len(words)), tuple(lines))


def is_wide(kernels: int, width: int, rows: int) -> bool:
    """Without colour: whether there is room for two characters a pixel, which say sign and strength more clearly."""
    return 2 * min(kernels, rows) <= width


def legend(dropped: int, width: int, ink: TextInk, *, wide: bool = True) -> Line:
    """The scale of all heatmaps; without colour, of one or two (`wide`) characters a pixel."""
    note = ""
    if dropped:
        note = f"   {'╱╱' if ink.ability.unicode else '//'} {dropped} dropped"
    if ink.ability.ascii_heatmap:
        return [("cos ", PLAIN), (f"-1 {palette.ramp_scale(wide)} +1", PLAIN), (note, FAINT)]
    room = min(LEVELS, max(_LEAST_SCALE, width - 10 - len(note)))
    shown = [round(at * (LEVELS - 1) / (room - 1)) for at in range(room)]
    scale = [(" ", _style(code * CODES + code, ink)) for code in shown]
    return [("cos -1 ", PLAIN), *scale, (" +1", PLAIN), (note, FAINT)]


def plot(figure: Figure, width: int, height: int, step: int | None, unicode: bool) -> TextBlock:
    """A plot under its title, with its remark behind it; words where there is nothing to draw."""
    built = None
    if figure.spec is not None:
        built = draw_plot.build(draw_plot.sized(figure.spec, width, height, braille=unicode), printed.rasterise)
    return _under_title(_title(figure, width), built, figure.empty, width, playhead=(step, unicode))


def weights(figure: WeightFigure, width: int, height: int, unicode: bool) -> TextBlock:
    """A picture of weights under its title."""
    built = None
    if figure.draw is not None:
        spec = draw_plot.Spec((), width, height, log_x=figure.log_x, log_y=figure.log_y, braille=unicode)
        built = figure.draw(spec)
    return _under_title(_title(figure, width), built, figure.empty, width)


def _title(figure: Figure | WeightFigure, width: int) -> Line:
    """The title, with the remark behind it where there is room."""
    title: Line = [(figure.title, STRONG)]
    if figure.remark and len(figure.title) + len(figure.remark) + 3 <= width:
        title.append((f" · {figure.remark}", FAINT))
    return title


def _under_title(
    title: Line,
    built: draw_plot.Plot | None,
    empty: str,
    width: int,
    *,
    playhead: tuple[int | None, bool] = (None, True),
) -> TextBlock:
    """What was built, or words, under a title; the playhead's step, and whether it is drawn in Unicode."""
    if built is None:
        return TextBlock(width, (title, [(f"  {empty}", FAINT)]))
    if built.empty:
        return TextBlock(width, (title, [("  no number to draw", FAINT)]))
    step, unicode = playhead
    rows = draw_plot.with_playhead(built, step, "│" if unicode else "|")
    return TextBlock(width, (title, *([(text, _plot_style(tone)) for text, tone in row] for row in rows)))


def field(view: FieldView, width: int, height: int, unicode: bool) -> TextBlock:
    """The direction field of a network with one input, under its title."""
    words = f"field over (weight, bias) · {numbers.plural(len(view.stable), 'stable line')}"
    title: Line = [(words, STRONG)]
    if view.neurons_at is not None:
        note = f" · {draw_field.NEURON if unicode else draw_field.ASCII_NEURON} kernels at step {view.neurons_at}"
        title += [(note, FAINT)] if len(words) + len(note) <= width else []
    rows = draw_field.draw(
        view.omega, view.velocity, view.stable, width, height, neurons_M2=view.neurons, unicode=unicode
    )
    return TextBlock(width, (title, *([(text, _field_style(tone)) for text, tone in row] for row in rows)))


def beside(blocks: Sequence[TextBlock], gap: int = 2) -> list[Line]:
    """Blocks side by side, the tops at one height."""
    height = max((len(block.lines) for block in blocks), default=0)
    lines: list[Line] = []
    for row in range(height):
        line: Line = []
        for index, block in enumerate(blocks):
            cells = list(block.lines[row]) if row < len(block.lines) else []
            last = index == len(blocks) - 1
            line += cells if last else fitted(cells, block.width)
            line += [] if last else [(" " * gap, PLAIN)]
        lines.append(line)
    return lines


def fitted(line: Line, width: int) -> Line:
    """The line cut or filled to `width` cells."""
    found: Line = []
    room = width
    for text, style in line:
        if cell_len(text) > room:
            found.append((set_cell_size(text, room), style))
            return found
        found.append((text, style))
        room -= cell_len(text)
    return [*found, (" " * room, PLAIN)]


def _style(pair: int, ink: TextInk) -> Style:
    top, bottom = divmod(pair, CODES)
    if top == bottom == DROPPED:
        top = NAN
    front, back = (palette.rich_colour(ink.palette, ink.dark, ink.ability.depth, code) for code in (top, bottom))
    return Style.from_color(front, back)


def _plot_style(tone: int) -> Style:
    kinds = draw_plot.PlotTone
    tone %= draw_plot.SHADE
    if tone == kinds.CURVE + BAND:
        return FAINT
    if tone >= kinds.CURVE:
        return CURVES[(tone - kinds.CURVE) % len(CURVES)]
    return {int(kinds.RULE): WARN, int(kinds.PLAYHEAD): WARN, int(kinds.GRID): FAINT}.get(tone, PLAIN)


def _field_style(tone: int) -> Style:
    kinds = draw_field.FieldTone
    return {
        int(kinds.NEURON): CURVES[0] + STRONG,
        int(kinds.STABLE): CURVES[1] + STRONG,
        int(kinds.SLOW): FAINT,
        int(kinds.FAST): STRONG,
    }.get(tone, PLAIN)
