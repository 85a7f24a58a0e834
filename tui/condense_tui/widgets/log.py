"""Everything that happened: events of the run, and what its worker or script wrote."""

from __future__ import annotations

import textwrap
import time
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, chop_cells
from textual import events
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from condense_tui.draw import numbers
from condense_tui.draw.line import Line
from condense_tui.snapshots.snapshot import EventView, Snapshot
from condense_tui.snapshots.worker_log import MOST_LINES
from condense_tui.widgets.log_view import LogView
from condense_tui.widgets.search_field import SearchField

if TYPE_CHECKING:
    from textual.widgets import Input

# A run that checkpoints every twenty seconds for a week has more events than anybody scrolls through.
MOST_EVENTS = 1_000
# In a narrower column than this, what happened stands below its time and not beside it.
LEAST_TEXT = 32
# Of the panel's height, what a long output takes at most; the rest is for events.
OUTPUT_SHARE = 0.6

NOTHING = "the worker's log is empty: nothing went wrong, or this is a recording"
NOTHING_PRINTED = "no output: the script has printed none, or runs in a terminal of its own"


class LogPanel(Vertical):
    """Events and output, one over the other, each at its newest end until it is scrolled; words are looked for in
    both."""

    DEFAULT_CSS = "LogPanel { height: 1fr; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "match(1)", "next match", show=False),
        Binding("N", "match(-1)", "previous match", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="events")
        self._events = Events("events", "no events yet", id="run-events")
        self._worker = WorkerLines("worker.log", NOTHING, id="worker-log")
        self._finder = SearchField(self._worker, "text to look for · enter, then n N · esc ends")
        self._last: LogView = self._worker
        self._output_height = 0

    def compose(self) -> ComposeResult:
        yield self._events
        yield self._worker

    def show(self, snapshot: Snapshot) -> None:
        """Show the events of a snapshot, and the log where it holds one."""
        had = self._worker.has_lines
        self._worker.empty = NOTHING_PRINTED if snapshot.header.trainer == "watch" else NOTHING
        self._events.show(snapshot.events, active=snapshot.active)
        self._worker.show(snapshot.worker_log, snapshot.worker_log_first, active=snapshot.active)
        self._share_room()
        if self._worker.has_lines and not had and self._events.has_focus and self._events.following:
            self._worker.focus()

    def on_resize(self, event: events.Resize) -> None:
        self._share_room()

    def _share_room(self) -> None:
        """Room for all of the output where that is short, for most of the panel where it is long."""
        height = max(4, min(self._worker.tall + 2, int(OUTPUT_SHARE * self.size.height)))
        if self.size.height and height != self._output_height:
            self._output_height = height
            self._worker.styles.height = height

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Matches are gone through where one looked last."""
        if isinstance(event.widget, LogView):
            self._last = event.widget

    @property
    def first(self) -> Widget:
        """What takes the focus: the output, where there is any."""
        return self._worker if self._worker.has_lines else self._events

    @property
    def searching(self) -> bool:
        """There are words that are looked for."""
        return bool(self._finder.words)

    def open_finder(self) -> None:
        """Have somebody type what to look for."""
        self._finder.open()

    def leave_finder(self) -> bool:
        """Look for nothing any more; whether anything was looked for."""
        return self._finder.close()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Mark what is typed, as it is typed."""
        event.stop()
        for view in (self._events, self._worker):
            view.look_for(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep what is looked for, and have `n` and `N` go through it, where it was found."""
        event.stop()
        self._finder.keep()
        other = self._events if self._last is self._worker else self._worker
        (self._last if self._last.found or not other.found else other).focus()

    def action_match(self, by: int) -> None:
        """Go to the next or the previous match."""
        if not self.searching:
            # the screen's own key
            raise SkipAction
        self._last.next_match(by)


class Events(LogView):
    """All events, the newest at the bottom."""

    _shown: tuple[EventView, ...] = ()

    def show(self, all_events: tuple[EventView, ...], *, active: bool) -> None:
        """Show these events."""
        before = max(0, len(all_events) - MOST_EVENTS)
        if len(all_events) != self._before + self._count or active != self._active:
            self._shown = all_events[before:]
            self._kinds = max((len(event.kind) for event in self._shown), default=0)
            self.changed(len(self._shown), before, active=active)

    def text_of(self, index: int) -> str:
        event = self._shown[index]
        return f"{event.kind}  {event.text}"

    def rows_of(self, index: int, width: int) -> list[Line]:
        event, look, kinds = self._shown[index], self.look, self._kinds
        clock = time.strftime("%H:%M:%S", time.localtime(event.time))
        head: Line = [
            (f"{clock}  ", look.muted),
            (f"{numbers.step(event.step):>9}  ", look.text),
            (f"{event.kind:<{kinds}}  ", look.accent),
        ]
        narrow, indent = _columns(kinds, width)
        texts = list(_words(event.text, max(8, width - indent)))
        lines: list[Line] = [head if narrow else [*head, (texts.pop(0), look.text)]]
        return lines + [[(" " * indent + text, look.text)] for text in texts]

    def rows_in(self, index: int, width: int) -> int:
        narrow, indent = _columns(self._kinds, width)
        return len(_words(self._shown[index].text, max(8, width - indent))) + narrow


class WorkerLines(LogView):
    """What the worker or the script wrote."""

    _log: tuple[str, ...] = ()

    def show(self, log: tuple[str, ...], first: int, *, active: bool) -> None:
        """Show these lines, before which `first` stood."""
        if log is not self._log or active != self._active:
            self._log = log
            self.changed(len(log), first, active=active)

    @property
    def has_lines(self) -> bool:
        """Anything was written."""
        return bool(self._log)

    @property
    def tall(self) -> int:
        """Rows that all of it takes; of what is long, that it is."""
        width = self.content_size.width
        if not self._log or not width:
            return 2
        return sum(self.rows_in(index, width) for index in range(min(len(self._log), 200)))

    def text_of(self, index: int) -> str:
        return self._log[index]

    def rows_of(self, index: int, width: int) -> list[Line]:
        return [[(part, self.look.text)] for part in _chopped(self._log[index], width)]

    def rows_in(self, index: int, width: int) -> int:
        line = self._log[index]
        return -(-len(line) // width) if line.isascii() else len(_chopped(line, width))


def _columns(kinds: int, width: int) -> tuple[bool, int]:
    """Whether an event's text stands below its time, and how far it is indented."""
    indent = 8 + 2 + 9 + 2 + kinds + 2
    return (True, 2) if width - indent < LEAST_TEXT else (False, indent)


@lru_cache(maxsize=4 * MOST_EVENTS)
def _words(text: str, width: int) -> tuple[str, ...]:
    return tuple(textwrap.wrap(text, width)) or ("",)


@lru_cache(maxsize=2 * MOST_LINES)
def _chopped(line: str, width: int) -> tuple[str, ...]:
    """A line as a terminal breaks it, where it must: columns of a table stay under each other."""
    if line.isascii():
        return tuple(line[at : at + width] for at in range(0, len(line), width)) or ("",)
    return tuple(chop_cells(line, width)) if cell_len(line) > width else (line,)
