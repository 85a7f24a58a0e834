"""What the kernels did last, in one line."""

from __future__ import annotations

import time

from condense_tui.draw import numbers
from condense_tui.draw.line import Line
from condense_tui.snapshots.snapshot import EventView, LinesChanged, Snapshot
from condense_tui.widgets.lines import Lines


class LogLine(Lines):
    """The newest event up to the playhead that is about the network; what the program did is in the log."""

    DEFAULT_CSS = "LogLine { height: 1; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__(id="logline")
        self._told: EventView | LinesChanged | None = None
        self._others = False
        self._nothing = ""

    def show(self, snapshot: Snapshot) -> None:
        """Show what had happened at the playhead."""
        self._told, self._others = snapshot.told, bool(snapshot.events)
        self._nothing = (
            "no kernels are recorded in this run" if snapshot.curves_alone else "nothing to tell of the kernels yet"
        )
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        told, look = self._told, self.look
        if told is None:
            nothing = self._nothing
            return [[(f"{nothing} · 4 lists what else happened" if self._others else nothing, look.muted)]]
        text = told.text
        clock = ""
        if isinstance(told, EventView):
            text = text or told.kind
            clock = f"{time.strftime('%H:%M:%S', time.localtime(told.time))}  "
        return [[(f"{clock}step {numbers.step(told.step)}  ", look.muted), (text, look.text)]]
