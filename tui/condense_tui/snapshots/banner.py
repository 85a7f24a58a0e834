"""One line over everything: what has happened to a run or to the connection to it, and what to press."""

from __future__ import annotations

import time
from pathlib import Path

from condense_core.runfile.info import LOG_NAME, Mirror, RunInfo, has_checkpoint
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
    again = _again(info, folder)
    if info.status == "lost":
        return BannerText(f"worker lost at step {info.step:,}{because}{again and f' · {again}'}", "error")
    if info.status == "diverged":
        back = " · press ← to see the frames before" if frames > 1 else ""
        return BannerText(f"diverged at step {info.step:,}{because}{back}", "error")
    if info.status == "failed":
        log = "press 4 for the worker's log" if info.mirror is not None or (folder / LOG_NAME).is_file() else ""
        offered = ", ".join(filter(None, (log, again)))
        return BannerText(f"failed at step {info.step:,}{because}{offered and f' · {offered}'}", "error")
    if info.status == "paused":
        return BannerText("training is paused · press p to resume", "note")
    return None


def _again(info: RunInfo, folder: Path) -> str:
    """What trains it again, of a run that is over; empty where nothing does."""
    if "resume" not in info.can:
        return "its script can go on with it: condense-tui watch --resume" if info.trainer == "watch" else ""
    does = "resume from its last checkpoint" if has_checkpoint(info, folder) else "train from step 0 again"
    return f"press p to {does}"


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
