"""The reader thread on one run, for its screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.message import Message

from condense_core.runfile.damage import Damage
from condense_core.runfile.reader import RunReader
from condense_tui.readers.thread import ReaderThread
from condense_tui.snapshots.assemble import Assembler, ViewRequest
from condense_tui.snapshots.playhead import Playhead
from condense_tui.snapshots.snapshot import Snapshot

RunThread = ReaderThread[ViewRequest, Snapshot]


def run_thread(place: Path, post: Callable[[Message], object], view: ViewRequest, playhead: Playhead) -> RunThread:
    """Reads the run at `place`, a run's folder or a run file."""
    return ReaderThread(lambda: Assembler(RunReader(place, damage=Damage(left_out=True))), view, post, playhead)
