"""What every run records: here the one event of it, the end of the initial stage."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.vitals import Vitals


def view(step, loss):
    return SimpleNamespace(
        step=step,
        loss=loss,
        seconds=float(step),
        gradient_norm=1.0,
        accuracy=math.nan,
        test_loss=math.nan,
        test_accuracy=math.nan,
    )


def ended_at(losses):
    """Steps at which the initial stage is said to end, of a run of these losses."""
    vitals = Vitals(view(0, losses[0]))
    found = []
    for step, loss in enumerate(losses):
        into = Measurement(step)
        vitals.measure(view(step, loss), into)
        found += [step for kind, _ in into.events if kind == "initial-stage-ended"]
    return found


@pytest.mark.parametrize("first", [1.0, 1e-8])
def test_the_initial_stage_ends_once_below_seventy_percent_of_the_first_loss(first):
    assert ended_at([first, 1.2 * first, 0.7 * first, 0.69 * first, 0.9 * first, 0.5 * first]) == [3]


def test_a_loss_that_is_no_number_ends_no_stage():
    assert ended_at([1.0, math.nan, math.inf]) == []
    assert ended_at([0.0, 0.0]) == []
