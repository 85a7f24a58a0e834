"""The styles of what a plot is made of."""

from __future__ import annotations

from rich.style import Style

from condense_tui.draw.plot import SHADE, PlotTone
from condense_tui.draw.strokes import BAND
from condense_tui.terminal.look import Look

_DIM = Style(dim=True)


def plot_style(look: Look, tone: int) -> Style:
    """The style of a tone; curves that stand back are dim, and a band is a background."""
    if tone >= SHADE:
        return plot_style(look, tone - SHADE) + look.band
    if tone == PlotTone.CURVE + BAND:
        return look.muted
    if tone > PlotTone.CURVE + BAND:
        return look.curves[(tone - PlotTone.CURVE - BAND - 1) % len(look.curves)] + _DIM
    if tone >= PlotTone.CURVE:
        return look.curves[(tone - PlotTone.CURVE) % len(look.curves)]
    return {
        int(PlotTone.TICK): look.muted,
        int(PlotTone.GRID): look.faint,
        int(PlotTone.RULE): look.warn,
        int(PlotTone.PLAYHEAD): look.playhead,
        # where theory has a step, or it was seen: no verdict, so not the colour of success
        int(PlotTone.MARK): look.text,
        int(PlotTone.CURSOR): look.accent,
    }.get(tone, look.text)
