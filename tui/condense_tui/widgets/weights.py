"""The panels with a layer's weights: where neurons point, how large kernels are, and how many directions they use."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import numpy as np
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from condense_tui.draw import numbers
from condense_tui.draw import weights as draw
from condense_tui.draw.line import Line
from condense_tui.draw.plot import Plot, Spec, with_playhead
from condense_tui.snapshots.snapshot import Snapshot
from condense_tui.widgets.caption import Captioned
from condense_tui.widgets.lines import Lines, centred
from condense_tui.widgets.plot_style import plot_style

DrawPlot = Callable[[Spec], Plot]
# A picture of fewer cells than this says nothing.
LEAST_WIDTH, LEAST_HEIGHT = 16, 4


class PicturePanel(Captioned, Lines, can_focus=True):
    """A picture that a function draws, at most once for what it is drawn from."""

    DEFAULT_CSS = "PicturePanel { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="panel")
        self._draw: DrawPlot | None = None
        self._spec = Spec((), 0, 0)
        self._of: Hashable = None
        self._empty = ""

    def show(self, draw: DrawPlot | None, of: Hashable, spec: Spec, empty: str) -> None:
        """Show what `draw` draws, of data that `of` tells apart; without it, the words `empty`."""
        if (of, spec, empty, draw is None) != (self._of, self._spec, self._empty, self._draw is None):
            self._draw, self._of, self._spec, self._empty = draw, of, spec, empty
            self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        if self._draw is None:
            return centred(self._empty, self.look.muted, width, height)
        if width < LEAST_WIDTH or height < LEAST_HEIGHT:
            return centred("too small", self.look.muted, width, height)
        spec, unicode = self._spec, self.ability.unicode
        plot = self._draw(Spec((), width, height, log_x=spec.log_x, log_y=spec.log_y, braille=unicode))
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
        view = snapshot.weights
        if view is None:
            return
        pointing = view.angle.size > 0
        self._orientation.display = pointing
        self.set_class(not pointing, "-sides")
        whose = "" if snapshot.seeds is None else f" · {snapshot.seeds.imaged}"
        head = None if snapshot.head is None else snapshot.head.step
        old = "" if view.norms_at in {None, head} else f"of step {numbers.step(view.norms_at or 0)}"
        dropped, stable = int(view.dropped.sum()), () if snapshot.field is None else snapshot.field.stable
        fate = f"{dropped} of {len(view.norm)} dropped" if len(view.norm) else ""
        self._norms.caption(f"norms · {view.layer}{whose}", " · ".join(part for part in (fate, old) if part))
        self._norms.show(
            (lambda spec: draw.norms(view.norm, view.dropped, spec)) if len(view.norm) else None,
            (id(view), log),
            Spec((), 0, 0, log_x=log),
            "no norms recorded",
        )
        of = "" if view.kept_at is None else f"weights of step {numbers.step(view.kept_at)}"
        missing = "none kept before this step" if view.ever_kept else "no weights kept in this file"
        self._singular.caption(f"singular values · {view.layer}", of)
        self._singular.show(
            (lambda spec: draw.singular_values(view.kept.singular, spec)) if len(view.kept.singular) else None,
            (id(view), log),
            Spec((), 0, 0, log_y=log),
            missing if view.kept_at is None else "not kept of this layer",
        )
        steps = f", trails over {numbers.plural(len(view.angle), 'step')}" if len(view.angle) > 1 else ""
        self._orientation.caption(f"orientation θ, amplitude A · {view.layer}", f"{of}{steps}")
        self._orientation.show(
            (lambda spec: draw.orientation(view.angle, view.amplitude, np.asarray(stable), spec)) if pointing else None,
            (id(view), log, id(stable)),
            Spec((), 0, 0, log_y=log),
            "",
        )
