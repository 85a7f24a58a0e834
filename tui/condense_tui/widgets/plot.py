"""A panel with a line plot, built in a thread; what is on the screen stays until its successor is ready.

Keys and the mouse move a cursor that reads the curves, and choose the part of them that is in view.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
from rich.cells import cell_len
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from condense_tui.draw import cursor as cursors
from condense_tui.draw import numbers
from condense_tui.draw import plot as draw
from condense_tui.draw.line import Line
from condense_tui.draw.plot import Plot, Spec
from condense_tui.widgets.caption import Captioned
from condense_tui.widgets.lines import Lines, centred
from condense_tui.widgets.plot_style import plot_style

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
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "cursor(-1)", "cursor left", show=False),
        Binding("right", "cursor(1)", "cursor right", show=False),
        Binding("shift+left", "cursor(-10)", "cursor left", show=False),
        Binding("shift+right", "cursor(10)", "cursor right", show=False),
        Binding("up", "closer(True)", "zoom in", show=False),
        Binding("down", "closer(False)", "zoom out", show=False),
        Binding("ctrl+left", "pan(-1)", "earlier", show=False),
        Binding("ctrl+right", "pan(1)", "later", show=False),
        Binding("0", "whole", "all of it", show=False),
        Binding("enter", "seek", "playhead to the cursor", show=False),
        Binding("escape", "leave", "leave the cursor", show=False),
    ]

    @dataclass
    class Sought(Message):
        """The playhead is wanted at this x."""

        x: float

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
        self._title: str | Callable[[int], str] = ""
        self._remark = ""
        self._window: cursors.Window | None = None
        self._cursor: float | None = None
        self._dragged: tuple[int, Plot] | None = None

    def label(self, title: str | Callable[[int], str], remark: str = "") -> None:
        """Write a title above, one for so many cells where it depends on them, and a remark below where the cursor
        reads nothing."""
        self._title, self._remark = title, remark
        self._write()

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self._write()

    def show(self, spec: Spec | None, step: int | None, empty: str = "nothing recorded yet") -> None:
        """Show a plot (its size is filled in here) with the playhead at `step`; with none, the words `empty`."""
        self._spec, self._empty = None if spec is None else replace(spec, window=self._window), empty
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
            waiting = "…" if self._plot is None or self._window is None else "nothing measured in view; 0 shows all"
            return centred(self._empty if self._spec is None else waiting, self.look.muted, width, height)
        marks = ("│", "┆") if self.ability.unicode else ("|", ":")
        rows = draw.with_playhead(self._plot, self._step, marks[0], self._cursor, marks[1])
        return [[(text, plot_style(self.look, tone)) for text, tone in row] for row in rows]

    @property
    def reading(self) -> cursors.CurveReading | None:
        """What the cursor reads now."""
        if self._cursor is None or self._plot is None or self._plot.empty:
            return None
        return cursors.read(self._plot, self._cursor)

    @property
    def window(self) -> cursors.Window | None:
        """The range of x that was zoomed to; None where all is in view."""
        return self._window

    def action_cursor(self, columns: int) -> None:
        """Move the cursor; the first press puts it in the middle, and out of view it takes the view with it."""
        if self._plot is None:
            return
        self._set_cursor(cursors.moved(self._plot, self._cursor, columns))
        if self._cursor is not None and self._plot.x.column(self._cursor, self._plot.canvas_width) is None:
            self._look_at(cursors.panned(self._plot, float(self._plot.x.share(self._cursor)) - 0.5))

    def action_closer(self, closer: bool) -> None:
        """Zoom in or out, around the cursor where there is one."""
        if self._plot is not None:
            self._look_at(cursors.zoomed(self._plot, closer, self._cursor))

    def action_pan(self, way: int) -> None:
        """Move what is in view."""
        if self._plot is not None:
            self._look_at(cursors.panned(self._plot, way * cursors.PAN))

    def action_whole(self) -> None:
        """All of the curves."""
        self._look_at(None)

    def action_seek(self) -> None:
        """The playhead to where the cursor stands."""
        if self._cursor is None:
            raise SkipAction
        self.post_message(self.Sought(self._cursor))

    def action_leave(self) -> None:
        """Give the arrow keys back to the playhead."""
        if self._cursor is None:
            raise SkipAction
        self._set_cursor(None)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragged is not None:
            start, before = self._dragged
            self._look_at(cursors.panned(before, (start - event.x) / max(1, before.canvas_width)))
        else:
            self._set_cursor(self._pointed(event))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if self._plot is not None and self._window is not None:
            self._dragged = event.x, self._plot
            self.capture_mouse()

    def on_mouse_up(self) -> None:
        self._dragged = None
        self.release_mouse()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._turned(event, True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._turned(event, False)

    def on_click(self, event: events.Click) -> None:
        pointed = self._pointed(event)
        if event.chain == 2 and pointed is not None:
            self._set_cursor(pointed)
            self.post_message(self.Sought(pointed))

    def on_leave(self) -> None:
        if not self.has_focus:
            self._set_cursor(None)

    def on_focus(self) -> None:
        self._write()

    def on_blur(self) -> None:
        self._set_cursor(None)
        self._write()

    def _turned(self, event: events.MouseEvent, closer: bool) -> None:
        event.stop()
        if self._plot is not None:
            self._look_at(cursors.zoomed(self._plot, closer, self._pointed(event)))

    def _pointed(self, event: events.MouseEvent) -> float | None:
        """The measured x that the mouse points to."""
        place = event.get_content_offset(self)
        return None if self._plot is None or place is None else cursors.nearest(self._plot, place.x - self._plot.left)

    def _set_cursor(self, x: float | None) -> None:
        if x != self._cursor:
            self._cursor = x
            self.rebuild()
            self._write()

    def _look_at(self, window: cursors.Window | None) -> None:
        if window != self._window:
            self._window = window
            if self._spec is not None:
                self._spec = replace(self._spec, window=window)
            self.rebuild()

    def _write(self) -> None:
        """Title and remark, with what is done to the curves before it: what is cut off is cut off at the end."""
        spec, plot, found = self._spec, self._plot, self.reading
        notes = [f"EMA {spec.smooth:g}"] if spec is not None and spec.smooth else []
        notes += [f"zoom ×{self._magnified(plot):.2g}"] if self._window is not None and plot is not None else []
        remarks = [numbers.plural(plot.unseen, "value") + " ≤ 0 not drawn"] if plot is not None and plot.unseen else []
        if found is not None:
            remarks = [cursors.words(found, self.size.width - 4, steps=spec is None or not spec.stamp)]
        elif self.has_focus:
            remarks += ["← → read · ↑ ↓ zoom" if self.ability.unicode else "arrows: read, zoom"]
        elif self._remark:
            remarks.append(self._remark)
        # without the corners, and what else is said before it
        room = self.size.width - 4 - sum(cell_len(note) + 3 for note in notes) if self.size.width else 0
        title = self._title if isinstance(self._title, str) else self._title(room or 10**6)
        self.caption(" · ".join([*notes, title]), " · ".join(remarks))

    def _magnified(self, plot: Plot) -> float:
        ends = [plot.x.forward(curve.x[[0, -1]]) for curve in plot.curves if len(curve.x)]
        return float(np.max(ends) - np.min(ends)) / (plot.x.high - plot.x.low) if ends else 1.0

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
        drawn = (
            *self.content_size,
            self.ability.unicode,
            names,
            spec.log_x,
            spec.log_y,
            spec.bounds,
            spec.stamp,
            spec.of,
            spec.window,
            spec.smooth,
        )
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
        self._building = self.run_worker(partial(self._built, spec), group="plot", description="a plot")

    async def _built(self, spec: Spec) -> Plot:
        return await asyncio.get_running_loop().run_in_executor(self.app.builder, draw.build, spec)

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
            self._write()
        if self._only_grown:
            self._held = self._held or self.set_timer(HOLD_S, self.rebuild)
        else:
            self.rebuild()
        if self._waiting and self._key != self._wanted():
            self._start()


_ENDED = {WorkerState.SUCCESS, WorkerState.ERROR, WorkerState.CANCELLED}
