"""The panels with a layer's weights: where neurons point, how large kernels are, and how many directions they use."""

from __future__ import annotations

from collections.abc import Hashable

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from condense_tui.draw.line import Line
from condense_tui.draw.plot import Spec, with_playhead
from condense_tui.snapshots.snapshot import Snapshot
from condense_tui.snapshots.weight_figures import WeightFigure, weight_figures
from condense_tui.widgets.caption import Captioned
from condense_tui.widgets.lines import Lines, centred
from condense_tui.widgets.plot_style import plot_style

# A picture of fewer cells than this says nothing.
LEAST_WIDTH, LEAST_HEIGHT = 16, 4


class PicturePanel(Captioned, Lines, can_focus=True):
    """A picture that a function draws, at most once for what it is drawn from."""

    DEFAULT_CSS = "PicturePanel { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="panel")
        self._figure: WeightFigure | None = None
        self._shown: Hashable = None

    def show(self, figure: WeightFigure) -> None:
        """Show a picture, or the words in its place."""
        self._figure = figure
        shown = figure.of, figure.empty, figure.draw is None
        if shown != self._shown:
            self._shown = shown
            self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        figure = self._figure
        if figure is None or figure.draw is None:
            return centred("" if figure is None else figure.empty, self.look.muted, width, height)
        if width < LEAST_WIDTH or height < LEAST_HEIGHT:
            return centred("too small", self.look.muted, width, height)
        plot = figure.draw(
            Spec((), width, height, log_x=figure.log_x, log_y=figure.log_y, braille=self.ability.unicode)
        )
        if plot.empty:
            return centred("no number to draw", self.look.muted, width, height)
        return [[(text, plot_style(self.look, tone)) for text, tone in row] for row in with_playhead(plot, None)]


class WeightsPanel(Horizontal):
    """Orientation and amplitude at the left where a layer has them, norms and singular values at the right."""

    DEFAULT_CSS = """
    WeightsPanel { height: 1fr; width: 1fr; }
    WeightsPanel > Vertical { width: 2fr; height: 1fr; }
    WeightsPanel > #orientation { width: 3fr; }
    WeightsPanel.-sides > Vertical { layout: horizontal; }
    """

    def __init__(self) -> None:
        super().__init__(id="weights")
        self._orientation = PicturePanel(id="orientation")
        self._norms, self._singular = PicturePanel(id="norms"), PicturePanel(id="singular")

    def compose(self) -> ComposeResult:
        yield self._orientation
        with Vertical():
            yield self._norms
            yield self._singular

    def show(self, snapshot: Snapshot, log: bool) -> None:
        """Show the chosen layer of a snapshot, with logarithmic axes or not."""
        figures = {figure.name: figure for figure in weight_figures(snapshot, log)}
        if not figures:
            return
        self.set_class("orientation" not in figures, "-sides")
        for panel in (self._orientation, self._norms, self._singular):
            figure = figures.get(str(panel.id))
            panel.display = figure is not None
            if figure is not None:
                panel.caption(figure.title, figure.remark)
                panel.show(figure)
