"""The newest event, in one line."""

from __future__ import annotations

import time

from condense_tui.draw import numbers
from condense_tui.draw.line import Line
from condense_tui.snapshots.snapshot import EventView, Snapshot
from condense_tui.widgets.lines import Lines


class LogLine(Lines):
    """The newest event up to the playhead."""

    DEFAULT_CSS = "LogLine { height: 1; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__(id="logline")
        self._event: EventView | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Show the newest event that had happened at the playhead."""
        head = snapshot.head
        seen = [e for e in snapshot.events if head is None or head.following or e.step <= head.step]
        told = [event for event in seen if event.kind != "checkpoint"] or seen
        self._event = told[-1] if told else None
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        event, look = self._event, self.look
        if event is None:
            return [[("no events yet", look.muted)]]
        clock = time.strftime("%H:%M:%S", time.localtime(event.time))
        return [
            [
                (f"{clock}  ", look.muted),
                (f"step {numbers.step(event.step)}  ", look.muted),
                (event.text or event.kind, look.text),
            ]
        ]
