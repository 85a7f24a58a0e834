"""The reader thread on several runs at once, for the compare screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from condense_tui.readers.thread import ReaderThread
from condense_tui.snapshots.comparison import Comparer, CompareView


class CompareThread(ReaderThread):
    """Reads two to six runs, and shows all of them at one place."""

    def __init__(self, places: Sequence[Path], post: Any) -> None:
        super().__init__(places[0], post)
        self._places = tuple(places)
        self._view: Any = CompareView()

    def _open(self) -> Comparer:
        return Comparer(self._places)
