"""The scale of the heatmap: fixed, so it is the same line for every layer, frame and run."""

from __future__ import annotations

from rich.style import Style

from condense_tui.draw import palette as colour
from condense_tui.draw.line import Line
from condense_tui.draw.palette import LEVELS, PALETTES, Palette
from condense_tui.terminal.heatmap_row import HeatmapInk, pair_styles
from condense_tui.widgets.lines import Lines, length

# A scale of fewer characters is no scale.
SCALE_LEAST = 7


class Legend(Lines):
    """Minus one to one in the palette's colours, and what hatching means where there is some."""

    DEFAULT_CSS = "Legend { height: 1; }"

    def __init__(self) -> None:
        super().__init__(id="legend")
        self._palette: Palette = PALETTES[0]
        self._dropped = 0
        self._notes: tuple[str, ...] = ()
        self._wide = True

    def show(self, palette: Palette, dropped: int, notes: tuple[str, ...] = (), wide: bool = True) -> None:
        """Show the scale of a palette, how many kernels are dropped, and the longest that fits of the notes, as on
        pooling; without colour, the ramp of one or two (`wide`) characters a pixel."""
        self._palette, self._dropped, self._notes, self._wide = palette, dropped, notes, wide
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        notes, style = self._notes, look.warn
        if not notes and self._dropped:
            notes, style = (f"{'╱╱' if self.ability.unicode else '//'} {self._dropped} dropped",), look.muted
        least = len(colour.ramp_scale(self._wide)) if self.ability.ascii_heatmap else 2 * SCALE_LEAST
        fitting = (note for note in notes if len(note) + 3 + 6 + least <= width)
        note = next(fitting, notes[-1] if notes else "")
        room = width - 6 - (len(note) + 3 if note else 0)
        line: Line = [("-1 ", look.muted), *self._scale(min(LEVELS, max(SCALE_LEAST, room))), (" +1", look.muted)]
        if note:
            line.append((f"   {note}", style))
        space = max(0, (width - length(line)) // 2)
        return [[(" " * space, Style.null()), *line]]

    def _scale(self, width: int) -> Line:
        codes = [round(at * (LEVELS - 1) / (width - 1)) for at in range(width)]
        if self.ability.ascii_heatmap:
            return [(colour.ramp_scale(self._wide), self.look.text)]
        styles = pair_styles(HeatmapInk(self._palette, self.look.dark, self.ability.depth))
        return [(" ", styles(code * colour.CODES + code)) for code in codes]
