"""The reader thread on several runs at once, for the compare screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from textual.message import Message

from condense_tui.readers.thread import ReaderThread
from condense_tui.snapshots.comparison import Comparer, CompareView, Comparison
from condense_tui.snapshots.playhead import Playhead

CompareThread = ReaderThread[CompareView, Comparison]


def compare_thread(
    places: Sequence[Path], post: Callable[[Message], object], view: CompareView, playhead: Playhead
) -> CompareThread:
    """Reads two to six runs, and shows all of them at one place."""
    return ReaderThread(lambda: Comparer(places), view, post, playhead)
