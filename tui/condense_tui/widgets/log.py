"""Everything that happened: events of the run, and the end of the worker's own log."""

from __future__ import annotations

import textwrap
import time

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.geometry import Size

from condense_tui.draw import numbers
from condense_tui.draw.line import Line
from condense_tui.snapshots.snapshot import EventView, Snapshot
from condense_tui.widgets.lines import Lines, wrapped

# A run that checkpoints every twenty seconds for a week has more events than anybody scrolls through.
MOST_EVENTS = 1_000
# In a narrower column than this, what happened stands below its time and not beside it.
LEAST_TEXT = 32


class LogPanel(Vertical):
    """Two scrolling lists, each at its newest end until it is scrolled."""

    DEFAULT_CSS = """
    LogPanel { height: 1fr; width: 1fr; }
    LogPanel > VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
    LogPanel > #worker-log { height: auto; max-height: 50%; }
    """

    def __init__(self) -> None:
        super().__init__(id="events")
        self._events, self._worker = Events(), WorkerLines()
        self._frames = VerticalScroll(classes="panel"), VerticalScroll(classes="panel", id="worker-log")

    def compose(self) -> ComposeResult:
        for frame, lines in zip(self._frames, (self._events, self._worker), strict=True):
            with frame:
                yield lines

    def on_mount(self) -> None:
        for frame, title in zip(self._frames, ("events", "worker.log"), strict=True):
            frame.border_title = title

    def show(self, snapshot: Snapshot) -> None:
        """Show the events of a snapshot, and the log where it holds one."""
        for frame in self._frames:
            if frame.is_vertical_scroll_end:
                self.call_after_refresh(frame.scroll_end, animate=False)
        self._events.show(snapshot.events)
        self._worker.show(snapshot.worker_log)


class _Growing(Lines):
    """Lines that take the room they need."""

    DEFAULT_CSS = "_Growing { height: auto; }"

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self.build(width, viewport.height)))

    def grown(self) -> None:
        """There are more lines than before."""
        self.refresh(layout=True)
        self.rebuild()


class Events(_Growing):
    """All events, the newest at the bottom."""

    def __init__(self) -> None:
        super().__init__()
        self._events: tuple[EventView, ...] = ()

    def show(self, events: tuple[EventView, ...]) -> None:
        """Show these events."""
        if len(events) != len(self._events):
            self._events = events
            self.grown()

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        lines: list[Line] = []
        kinds = max((len(event.kind) for event in self._events[-MOST_EVENTS:]), default=0)
        for event in self._events[-MOST_EVENTS:]:
            clock = time.strftime("%H:%M:%S", time.localtime(event.time))
            head: Line = [
                (f"{clock}  ", look.muted),
                (f"{numbers.step(event.step):>9}  ", look.text),
                (f"{event.kind:<{kinds}}  ", look.accent),
            ]
            indent = 8 + 2 + 9 + 2 + kinds + 2
            if narrow := width - indent < LEAST_TEXT:
                indent = 2
            texts = textwrap.wrap(event.text, max(8, width - indent)) or [""]
            lines.append(head if narrow else [*head, (texts.pop(0), look.text)])
            lines += [[(" " * indent + text, look.text)] for text in texts]
        return lines or [[("no events yet", look.muted)]]


class WorkerLines(_Growing):
    """The end of the worker's log."""

    def __init__(self) -> None:
        super().__init__()
        self._log: tuple[str, ...] = ()

    def show(self, log: tuple[str, ...]) -> None:
        """Show these lines."""
        if log != self._log:
            self._log = log
            self.grown()

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        if not self._log:
            return wrapped("the worker's log is empty: nothing went wrong, or this is a recording", look.muted, width)
        return [[(part, look.text)] for line in self._log for part in textwrap.wrap(line, max(8, width)) or [""]]
