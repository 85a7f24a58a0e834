"""What of a run is told in one line."""

from __future__ import annotations

import numpy as np
import pytest

from condense_core.thresholds import FINE
from condense_tui.snapshots.science import newest_change, newest_told
from condense_tui.snapshots.snapshot import EventView

STEPS = np.array([0, 1, 2, 4, 8, 16, 32, 64])
COUNTS = np.array([5.0, 5, 5, 2, 2, 3, 2, 2])


@pytest.mark.parametrize(
    ("step", "told"),
    [(2, ""), (4, ""), (8, "conv1: 2 lines at 0.9, 5 before"), (64, "conv1: 2 lines at 0.9, 5 before")],
)
def test_lines_have_changed_once_two_measurements_say_so(step: int, told: str):
    found = newest_change("conv1", (STEPS, COUNTS), step, FINE)
    assert ("" if found is None else found.text) == told
    assert found is None or found.step == 4


def test_what_was_not_measured_is_no_change():
    nothing = np.full(8, np.nan)
    assert newest_change("conv1", (STEPS, nothing), 64, FINE) is None
    assert newest_change("conv1", (STEPS[:0], nothing[:0]), 64, FINE) is None
    gap = np.array([5.0, 5, np.nan, np.nan, 5, 5, 1, 1])
    found = newest_change("conv1", (STEPS, gap), 64, FINE)
    assert found is not None
    assert (found.before, found.after, found.step) == (5, 1, 32)


def test_what_the_program_did_is_never_told():
    kinds = ["started", "condensed", "checkpoint", "slower", "paused", "resumed", "initial-stage-ended", "done"]
    events = [EventView(step, kind, kind, 0.0) for step, kind in enumerate(kinds)]
    assert newest_told(events, None, None) == events[6]
    assert newest_told(events, None, 5) == events[1]
    assert newest_told(events, None, 0) is None
    change = newest_change("conv1", (STEPS, COUNTS), 64, FINE)
    assert newest_told(events, change, 5) is change
    assert newest_told(events, change, None) == events[6]
