"""Curves as plotext draws them, for plots that are printed: in the page of a run, once and not ten times a second."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence

import numpy as np

from condense_tui.draw.canvas import POINT
from condense_tui.draw.line import Glyph
from condense_tui.draw.strokes import Stroke

_PIECE = re.compile(r"\x1b\[([0-9;]*)m|([^\x1b\n]+)|(\n)")
# plotext names colours by number; 0 to 15 are taken apart into names of their own, so tones start behind them.
_FIRST_COLOUR = 16
# Values far outside the area are drawn towards where they are, and no further.
_FAR = 1.5

# plotext has one figure for the whole program, and plots may be built in threads.
_FIGURE = threading.Lock()


def rasterise(
    strokes: Sequence[Stroke], width: int, height: int, first_tone: int, *, braille: bool
) -> list[list[Glyph]]:
    """`canvas.rasterise`, by plotext."""
    # imported where it is used: 75 ms that nothing else waits for
    import plotext

    with _FIGURE:
        plotext.clear_figure()
        # a figure is as large as it is asked to be, whatever size the terminal had when plotext looked
        plotext.limit_size(False, False)
        plotext.plot_size(width, height)
        plotext.frame(False)
        plotext.xaxes(False, False)
        plotext.yaxes(False, False)
        plotext.xticks([])
        plotext.yticks([])
        plotext.canvas_color("default")
        plotext.axes_color("default")
        plotext.xlim(0, 1)
        plotext.ylim(0, 1)
        # drawn last lies on top, and the first curve is the one that matters
        for stroke in reversed(strokes):
            colour, y = _FIRST_COLOUR + stroke.tone, stroke.y.clip(1 - _FAR, _FAR)
            for start, end in _stretches(stroke):
                xs, ys = stroke.x[start:end].tolist(), y[start:end].tolist()
                plotext.plot(xs, ys, marker="braille" if braille else "*", color=colour)
            if np.any(stroke.marked):
                chosen = np.broadcast_to(stroke.marked, stroke.x.shape)
                xs, ys = stroke.x[chosen].tolist(), y[chosen].tolist()
                plotext.scatter(xs, ys, marker=POINT[0 if braille else 1], color=colour)
        canvas = plotext.build()
    return _parse(canvas, height, first_tone)


def _stretches(stroke: Stroke) -> list[tuple[int, int]]:
    """Where the parts that hang together begin and end."""
    starts = [at for at, begins in enumerate(stroke.begins.tolist()) if begins or at == 0]
    return list(zip(starts, [*starts[1:], len(stroke.x)], strict=True))


def _parse(canvas: str, height: int, first_tone: int) -> list[list[Glyph]]:
    rows: list[list[Glyph]] = [[]]
    tone = 0
    for match in _PIECE.finditer(canvas):
        codes, text, newline = match.groups()
        if newline:
            rows.append([])
        elif text:
            rows[-1].extend((character, tone) for character in text)
        elif codes.startswith("38;5;"):
            tone = first_tone + int(codes[5:]) - _FIRST_COLOUR
        elif codes == "0":
            tone = 0
    return rows[:height]
