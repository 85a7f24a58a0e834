"""What the header says of a run: who it is, how far, how fast, and at what it is while it starts."""

from __future__ import annotations

import time

import numpy as np

from condense_core.runfile.info import RunInfo
from condense_core.runfile.reader import RunReader
from condense_core.text import printable
from condense_tui.draw import numbers
from condense_tui.draw.label import label
from condense_tui.snapshots.banner import away_word
from condense_tui.snapshots.snapshot import RunHeader

# A clock elsewhere may be wrong by any time; no stage of starting was begun longer ago, but waiting in a queue.
MOST_STAGE_S = 600.0


class HeaderReader:
    """Reads what the header says, and remembers since when the stage that it names has been seen."""

    def __init__(self) -> None:
        self._seen_stage: tuple[str | None, float] = (None, 0.0)

    def of(self, run: RunReader, info: RunInfo) -> RunHeader:
        """The header of an open run with that row."""
        mirror = info.mirror
        rate = run.newest("steps_per_second")
        if not np.isfinite(rate) and info.seconds > 0:
            rate = info.step / info.seconds
        ends = info.steps is not None and info.active and rate > 0
        left = (info.steps - info.step) / rate if info.steps is not None and ends else float("nan")
        return RunHeader(
            id=printable(info.id),
            name=label(run.folder, info),
            preset=printable(info.preset),
            host=printable(info.host) if mirror is None else mirror.host,
            device=printable(info.device),
            status=info.status,
            reason=printable(info.reason),
            step=info.step,
            steps=info.steps,
            steps_per_second=rate,
            seconds_left=left,
            can=info.can,
            trainer=info.trainer,
            active=info.active,
            delay=mirror.delay if mirror is not None and mirror.link == "connected" and info.active else None,
            away=away_word(mirror) if info.active else "",
            missing=0 if mirror is None else mirror.missing,
            stage=self._stage(info),
        )

    def _stage(self, info: RunInfo) -> str:
        """What a run that starts is at, and for how many seconds: since that was written, as far as it can be told."""
        if info.status != "starting":
            return ""
        stage, since = self._seen_stage
        if stage != info.reason:
            since = time.monotonic() - min(MOST_STAGE_S, max(0.0, time.time() - info.heartbeat))
            self._seen_stage = info.reason, since
        seconds = time.monotonic() - since
        words = printable(info.reason) or "starting"
        return f"{words} {numbers.duration(seconds)}" if seconds >= 1 else words
