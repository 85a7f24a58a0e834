"""Which steps are measured of a training whose end nobody knows."""

from __future__ import annotations

import pytest

from condense_core.watching.schedule import AN_OCTAVE, is_due


def test_the_first_steps_are_all_measured_and_then_as_many_in_each_octave():
    assert all(is_due(step) for step in range(AN_OCTAVE + 1))
    for octave in range(5, 20):
        assert sum(is_due(step) for step in range(2**octave, 2 ** (octave + 1))) == AN_OCTAVE


@pytest.mark.parametrize("every", [1, 7])
def test_every_so_many_steps_where_that_is_asked(every):
    assert [step for step in range(30) if is_due(step, every)] == list(range(0, 30, every))
