"""Which steps are measured."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from condense_core.scenario.record import Record
from condense_core.scenario.schedule import recorded_steps


@given(st.integers(1, 10**9), st.integers(2, 2000), st.sampled_from(["log", "linear"]))
def test_first_and_last_step_are_there_each_step_once_and_not_many_more_than_wanted(steps, frames, spacing):
    chosen = recorded_steps(Record(frames=frames, spacing=spacing), steps)
    assert chosen[0] == 0
    assert chosen[-1] == steps
    assert chosen == sorted(set(chosen))
    assert len(chosen) <= 1.3 * frames + 3


@given(st.integers(1, 100_000), st.integers(2, 500))
def test_as_many_as_wanted_where_there_are_as_many_steps(steps, frames):
    assert len(recorded_steps(Record(frames=frames), steps)) >= min(frames, steps + 1)


def test_steps_are_even_in_their_logarithm():
    chosen = np.array(recorded_steps(Record(frames=200), 1_000_000))
    ratios = chosen[101:] / chosen[100:-1]
    assert ratios.max() < 1.2
    assert ratios.min() > 1.02
