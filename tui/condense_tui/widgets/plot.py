"""A panel with a line plot, built in a thread; what is on the screen stays until its successor is ready."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from rich.style import Style
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from condense_tui.draw import plot as draw
from condense_tui.draw.line import Line
from condense_tui.draw.plot import Plot, PlotTone, Spec
from condense_tui.widgets.caption import Captioned
from condense_tui.widgets.lines import Lines, centred

# Plots that only grew are drawn again this often: a curve gains less than a dot meanwhile, and a plot costs a core
# ten milliseconds.
GROWTH_S = 0.4
# A curve that has not even gained a dot still moves its ticks.
SMALL_GROWTH_S = 2.0
# A plot that only grew waits for the next snapshot, to be drawn in the same frame; without one, it comes by itself.
HOLD_S = 0.15

# What a plot depends on, cheaply comparable: names, lengths and last steps of its curves, and how it is drawn.
PlotKey = tuple[Any, ...]


class PlotPanel(Captioned, Lines, can_focus=True):
    """One plot. `show` is cheap: it starts a build only where data, size or axes differ from what is shown."""

    DEFAULT_CSS = "PlotPanel { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="panel")
        self._spec: Spec | None = None
        self._key: PlotKey = ()
        self._started_at = 0.0
        self._later: Timer | None = None
        self._held: Timer | None = None
        self._only_grown = False
        self._building: Worker[Plot] | None = None
        self._waiting = False
        self._plot: Plot | None = None
        self._step: int | None = None
        self._empty = "nothing recorded yet"

    def show(self, spec: Spec | None, step: int | None, empty: str = "nothing recorded yet") -> None:
        """Show a plot (its size is filled in here) with the playhead at `step`; with none, the words `empty`."""
        self._spec, self._empty = spec, empty
        moved = step != self._step
        self._step = step
        if spec is None:
            self._plot, self._key = None, ()
            self.rebuild()
            return
        if self._key != self._wanted():
            self._start()
        if moved or self._held is not None:
            self.rebuild()

    @property
    def settled(self) -> bool:
        """What is on the screen is all that was asked for."""
        return self._building is None and self._held is None and (not self.display or self._key == self._wanted())

    def build(self, width: int, height: int) -> list[Line]:
        if width < 12 or height < 3:
            return centred("too small", self.look.muted, width, height)
        if self._plot is None or self._plot.empty or self._spec is None:
            return centred(self._empty if self._spec is None else "…", self.look.muted, width, height)
        mark = "│" if self.ability.unicode else "|"
        return [
            [(text, self._style(tone)) for text, tone in row]
            for row in draw.with_playhead(self._plot, self._step, mark)
        ]

    def rebuild(self) -> None:
        if self._held is not None:
            self._held.stop()
            self._held = None
        super().rebuild()
        if self._spec is not None and self._key != self._wanted():
            self._start()

    def _wanted(self) -> PlotKey:
        """How the plot is drawn, and last what is in it."""
        spec = self._spec
        if spec is None:
            return ()
        names = tuple((curve.name, curve.tone) for curve in spec.curves)
        grown = tuple((len(curve.x), int(curve.x[-1]) if len(curve.x) else -1) for curve in spec.curves)
        drawn = (*self.content_size, names, spec.log_x, spec.log_y, spec.bounds, spec.stamp, self.ability.unicode)
        return (drawn, (grown, spec.rule, spec.marks))

    def _start(self) -> None:
        """Build in a thread; while one is under way, or was a moment ago, only see to it that one follows."""
        width, height = self.content_size
        if self._spec is None or width < 12 or height < 3:
            return
        wanted = self._wanted()
        if self._building is not None:
            self._waiting = True
            return
        self._only_grown = only_grown = bool(self._key) and self._key[0] == wanted[0]
        wait = self._started_at + self._patience(wanted) - time.monotonic()
        if only_grown and wait > 0:
            if self._later is None:
                self._later = self.set_timer(wait, self._start_later)
            return
        self._waiting = False
        self._key = wanted
        self._started_at = time.monotonic()
        spec = draw.sized(self._spec, width, height, braille=self.ability.unicode)
        # without a description, Textual writes one out of all the numbers in the spec, and that for every plot
        self._building = self.run_worker(partial(draw.build, spec), thread=True, group="plot", description="a plot")

    def _patience(self, wanted: PlotKey) -> float:
        """Seconds between plots of curves that only grow: long where they have not grown by a dot."""
        if not self._key:
            return 0.0
        ends = [(int(new[1]), int(old[1])) for new, old in zip(wanted[1][0], self._key[1][0], strict=False)]
        dots = 2 * self.content_size.width
        return GROWTH_S if any((new - old) * dots >= new for new, old in ends) else SMALL_GROWTH_S

    def _start_later(self) -> None:
        self._later = None
        if self._key != self._wanted():
            self._start()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Take over a finished plot, and start on the next one, if one is wanted by now."""
        if event.worker is not self._building or event.state not in _ENDED:
            return
        self._building = None
        if event.state is WorkerState.SUCCESS and self._spec is not None:
            self._plot = event.worker.result
        if self._only_grown:
            self._held = self._held or self.set_timer(HOLD_S, self.rebuild)
        else:
            self.rebuild()
        if self._waiting and self._key != self._wanted():
            self._start()

    def _style(self, tone: int) -> Style:
        look = self.look
        if tone == PlotTone.CURVE + draw.BAND:
            return look.muted
        if tone > PlotTone.CURVE + draw.BAND:
            return look.curves[(tone - PlotTone.CURVE - draw.BAND - 1) % len(look.curves)] + _DIM
        if tone >= PlotTone.CURVE:
            return look.curves[(tone - PlotTone.CURVE) % len(look.curves)]
        return {
            int(PlotTone.TICK): look.muted,
            int(PlotTone.GRID): look.faint,
            int(PlotTone.RULE): look.warn,
            int(PlotTone.PLAYHEAD): look.playhead,
            int(PlotTone.MARK): look.good,
        }.get(tone, look.text)


_DIM = Style(dim=True)
_ENDED = {WorkerState.SUCCESS, WorkerState.ERROR, WorkerState.CANCELLED}
