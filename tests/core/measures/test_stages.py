"""Plateaus and drops of a loss that is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from condense_core.measures.stages import Stages

STEPS = sorted({round(1.1**k) for k in range(120)})


def found(loss, steps=STEPS) -> list[tuple[str, int]]:
    stages = Stages()
    return [(stage.kind, step) for step in steps if (stage := stages.add(step, loss(step))) is not None]


def two_stairs(step: int) -> float:
    """0.1 from some 50 steps on, 0.01 from some 5,000 on."""
    return 0.9 * math.exp(-step / 10) + 0.09 * math.exp(-step / 1_000) ** (step > 2_000) + 0.01


def test_two_stairs_are_two_plateaus_with_a_drop_between():
    kinds = found(two_stairs)
    assert [kind for kind, _ in kinds] == ["plateau", "drop", "plateau"]
    (_, first), (_, drop), (_, second) = kinds
    assert 80 < first < 200
    assert 2_000 < drop < 2_500
    assert 10_000 < second < 25_000


def test_a_loss_that_keeps_falling_has_no_plateau():
    assert found(lambda step: 0.5 * step**-0.1) == []


def test_what_stands_in_the_initial_stage_is_none():
    assert found(lambda step: 0.95) == []
    assert found(lambda step: 0.71) == []


def test_a_loss_that_swings_is_read_by_its_lowest():
    generator = np.random.default_rng(0)
    kinds = found(lambda step: two_stairs(step) * (1 + generator.uniform(0, 3)))
    assert [kind for kind, _ in kinds][:2] == ["plateau", "drop"]
    assert len(kinds) <= 5


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_passed_over(bad):
    assert found(lambda step: bad if step % 7 == 0 else two_stairs(step)) != []
    assert found(lambda step: bad) == []


def test_what_is_read_again_from_a_file_goes_on_as_it_stopped():
    whole = found(two_stairs)
    for cut in range(0, len(STEPS), 7):
        stages = Stages()
        told = [(stages.add(step, two_stairs(step)), step) for step in STEPS[:cut]]
        again = Stages()
        for step in STEPS[:cut]:
            again.add(step, two_stairs(step))
        told += [(again.add(step, two_stairs(step)), step) for step in STEPS[cut:]]
        assert [(stage.kind, step) for stage, step in told if stage is not None] == whole
