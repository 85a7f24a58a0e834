"""The top line: which run this is, whether it is shown live, and how far it has come."""

from __future__ import annotations

from condense_tui.draw import numbers
from condense_tui.draw.line import Line
from condense_tui.draw.status import REPLAY, StatusSign, sign_of
from condense_tui.snapshots.snapshot import Snapshot
from condense_tui.widgets.lines import Lines, justified, length


class Header(Lines):
    """One line; what does not fit goes from the right, the status last."""

    DEFAULT_CSS = "Header { height: 1; background: $panel; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__(id="header")
        self._snapshot: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Show the run of a snapshot."""
        self._snapshot = snapshot
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        brand: Line = [("condense", look.chosen), ("  ", look.text)]
        if self._snapshot is None:
            return [brand]
        run = self._snapshot.header
        left: Line = [*brand, (run.name, look.strong)]
        where = f" · {run.host}" if run.host else ""
        device = f" · {run.device}" if run.device else ""
        right = self._right(self._snapshot)
        # of a run elsewhere, where it trains is said before how fast
        elsewhere = run.delay is not None or bool(run.away)
        for extra, least in ((where + device, right), (where, right[:2] if elsewhere else right)):
            if length(left) + len(extra) + length(least) + 2 <= width:
                left.append((extra, look.muted))
                break
        return [justified(left, self._fitting(right, left, width), width, look.text)]

    def _fitting(self, right: Line, left: Line, width: int) -> Line:
        """As many of the parts on the right as there is room for; the status, which comes first, is kept longest."""
        parts = list(right)
        while len(parts) > 1 and length(left) + length(parts) + 2 > width:
            parts.pop()
        return parts

    def _right(self, snapshot: Snapshot) -> Line:
        look, run, head = self.look, snapshot.header, snapshot.head
        sign, word, style = _status(snapshot)
        seeds = [] if snapshot.seeds is None else [(f"   {snapshot.seeds.label}", look.accent)]
        delay = "" if run.delay is None else f" {numbers.delay(run.delay)}"
        parts: Line = [(f"{sign} {word}{delay}", getattr(look, style))]
        shown = head.step if head is not None and not head.following else run.step
        if run.stage and not run.stage.startswith(word):
            parts.append((f"   {run.stage}", look.text))
        parts.append((f"   step {numbers.progress(shown, run.steps)}", look.text))
        if head is not None and not head.following:
            speed = f" · {head.speed:g} frames/s" if head.playing else ""
            parts.append((f"   frame {head.index + 1} of {head.count}{speed}", look.muted))
        elif run.active and run.step and run.status != "paused" and not run.away:
            parts.append((f"   {numbers.rate(run.steps_per_second)}", look.muted))
            if run.seconds_left == run.seconds_left:
                parts.append((f"   {numbers.duration(run.seconds_left)} left", look.muted))
        if run.missing:
            parts.append(("   loading earlier frames", look.muted))
        return [*parts[:2], *seeds, *parts[2:]]


def _status(snapshot: Snapshot) -> StatusSign:
    run, head = snapshot.header, snapshot.head
    if head is not None and not head.following and (run.active or run.status == "done"):
        # a run that trains is never called a replay, also while its frames are played
        return REPLAY._replace(word="looking back") if run.active else REPLAY
    if run.away:
        return StatusSign("○", run.away, "warn")
    return sign_of(run.status)
