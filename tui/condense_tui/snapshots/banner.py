"""One line over everything: what has happened to a run or to the connection to it, and what to press."""

from __future__ import annotations

import time
from pathlib import Path

from condense_core.runfile.info import Mirror, RunInfo, has_checkpoint
from condense_core.text import printable
from condense_tui.draw import numbers
from condense_tui.snapshots.snapshot import BannerText


def banner(info: RunInfo, folder: Path, frames: int) -> BannerText | None:
    """What a viewer of this run, of so many frames, must know before anything else; None if all is well. It offers what
    is there."""
    away = connection_banner(info)
    if away is not None:
        return away
    reason = printable(info.reason)
    because = f": {reason}" if reason else ""
    again = "p to resume from its last checkpoint" if has_checkpoint(info, folder) else "p to train from step 0 again"
    if info.status == "lost":
        return BannerText(f"worker lost at step {info.step:,}{because} · press {again}", "error")
    if info.status == "diverged":
        back = " · press ← to see the frames before" if frames > 1 else ""
        return BannerText(f"diverged at step {info.step:,}{because}{back}", "error")
    if info.status == "failed":
        text = f"failed at step {info.step:,}{because} · press 4 for the worker's log, {again}"
        return BannerText(text, "error")
    if info.status == "paused":
        return BannerText("training is paused · press p to resume", "note")
    return None


def away_word(mirror: Mirror | None) -> str:
    """Of a run elsewhere that is not connected to: reconnecting, or offline; empty for all others."""
    return {"connected": "", "connecting": "reconnecting", "offline": "offline"}[mirror.link] if mirror else ""


def connection_banner(info: RunInfo) -> BannerText | None:
    """The state of the connection to a run on another host, if it is down and something may be missed."""
    mirror = info.mirror
    if mirror is None or (mirror.link == "connected" and not mirror.trouble) or not (info.active or mirror.missing):
        return None
    if mirror.link == "connected":
        return BannerText(f"{mirror.host}: {mirror.trouble}", "warning")
    ago = numbers.duration(max(0.0, time.time() - mirror.heard))
    because = f": {mirror.trouble}" if mirror.trouble else ""
    if mirror.link == "connecting":
        return BannerText(f"reconnecting to {mirror.host}, last heard {ago} ago{because}", "warning")
    return BannerText(f"not connected to {mirror.host}; last update {ago} ago{because}", "warning")
