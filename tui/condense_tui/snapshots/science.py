"""What of a run is told in one line: what its kernels did. What the program did (saved, began, found) is in the log."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from condense_core.thresholds import Cut
from condense_tui.snapshots.snapshot import EventView, LinesChanged, Series

# Kinds of events that are about the network, and not about the program that trains or records it.
OF_KERNELS = frozenset({"condensed", "initial-stage-ended", "predicted", "plateau", "drop", "diverged"})


def newest_change(layer: str, lines: Series, step: int, cut: Cut) -> LinesChanged | None:
    """The newest change of a layer's lines up to a step. A count of a single measurement, which the next one does not
    have, is none."""
    end = int(np.searchsorted(lines[0], step, side="right"))
    steps, counts = lines[0][:end], lines[1][:end]
    kept = np.flatnonzero(counts[1:] == counts[:-1])
    changes = np.flatnonzero(np.diff(counts[kept]))
    if not len(changes):
        return None
    before, after = kept[changes[-1]], kept[changes[-1] + 1]
    return LinesChanged(layer, int(steps[after]), int(counts[before]), int(counts[after]), cut)


def newest_told(
    events: Iterable[EventView], change: LinesChanged | None, step: int | None
) -> EventView | LinesChanged | None:
    """What the kernels did last, up to a step where given; None where nothing is known of them."""
    told = [event for event in events if event.kind in OF_KERNELS and (step is None or event.step <= step)]
    newest = max(told, key=lambda event: event.step, default=None)
    if change is None or (newest is not None and newest.step >= change.step):
        return newest
    return change
