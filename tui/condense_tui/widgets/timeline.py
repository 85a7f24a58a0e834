"""The run as one line, with its events and the playhead; a click goes there."""

from __future__ import annotations

from rich.style import Style
from textual.message import Message

from condense_tui.draw import numbers
from condense_tui.draw import timeline as draw
from condense_tui.draw.line import Line
from condense_tui.draw.timeline import TimelineTone
from condense_tui.snapshots.snapshot import Snapshot
from condense_tui.widgets.seekable import Seekable


class Timeline(Seekable):
    """One line: first step, the recorded part bright, the rest dim, last step."""

    DEFAULT_CSS = "Timeline { height: 1; padding: 0 1; }"

    class Sought(Message):
        """A place on the line was clicked or dragged to."""

        def __init__(self, step: float) -> None:
            super().__init__()
            self.step = step

    def __init__(self) -> None:
        super().__init__()
        self._snapshot: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Show the run of a snapshot."""
        self._snapshot = snapshot
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        snapshot = self._snapshot
        if snapshot is None:
            return []
        look = self.look
        scale = draw.axis(snapshot.instants, snapshot.header.steps)
        ends = snapshot.header.steps or snapshot.header.step
        first, last = "0 ", f" {numbers.short_step(ends)}"
        self._left, self._width = len(first), max(0, width - len(first) - len(last))
        spans = draw.line(
            self._width,
            scale,
            recorded=int(snapshot.instants[-1]) if len(snapshot.instants) else None,
            playhead=snapshot.head.step if snapshot.head else None,
            events=[(event.step, event.kind) for event in snapshot.events],
            unicode=self.ability.unicode,
        )
        return [
            [(first, look.muted), *((text, self._style(tone)) for text, tone in spans), (last, look.muted)],
        ]

    def _style(self, tone: int) -> Style:
        look = self.look
        # nothing of a run that has diverged is in the colour of success
        diverged = self._snapshot is not None and self._snapshot.header.status == "diverged"
        return {
            int(TimelineTone.TRACK): look.faint,
            int(TimelineTone.RECORDED): look.accent,
            int(TimelineTone.PLAYHEAD): look.playhead,
            int(TimelineTone.NOTE): look.warn,
            int(TimelineTone.GOOD): look.text if diverged else look.good,
            int(TimelineTone.BAD): look.bad,
        }.get(tone, look.text)

    def seek(self, place: float) -> None:
        if (snapshot := self._snapshot) is not None:
            scale = draw.axis(snapshot.instants, snapshot.header.steps)
            self.post_message(self.Sought(scale.back(scale.low + place * (scale.high - scale.low))))
