"""For how long a run elsewhere has been silent, without comparing the clocks of two machines.

A worker on another machine writes its own time into the file once a second. That time says nothing here, where the
clock may be minutes ahead; that it changes between two looks does. Where there was no look before, the file system is
asked, which stamps what the worker writes and what is written here by one clock.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple


class _Look(NamedTuple):
    """A heartbeat, when this process first saw it (monotonic), and whether it saw another before."""

    beat: float
    since: float
    advanced: bool


_looks: dict[Path, _Look] = {}


def silence(file: Path, beat: float, limit: float) -> float:
    """Seconds since the run in `file`, whose row has the heartbeat `beat`, was last heard of.

    By the looks of this process where it has seen the heartbeat change or has watched it for `limit` seconds; else by
    the times of the files; only where nothing can be written beside them, by the clocks.
    """
    now = time.monotonic()
    look = _looks.get(file)
    if look is None or look.beat != beat:
        look = _looks[file] = _Look(beat, now, look is not None)
    watched = now - look.since
    if look.advanced or watched > limit:
        return watched
    try:
        return max(watched, _since_written(file))
    except OSError:
        return max(watched, time.time() - beat)


def _since_written(file: Path) -> float:
    """By the file system's clock, how long ago the file or its log was written."""
    import tempfile

    written = [file.stat().st_mtime]
    log = file.with_name(f"{file.name}-wal")
    if log.exists():
        written.append(log.stat().st_mtime)
    with tempfile.TemporaryFile(dir=file.parent) as probe:
        probe.write(b"now")
        probe.flush()
        return os.fstat(probe.fileno()).st_mtime - max(written)
