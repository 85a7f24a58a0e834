"""Plateaus and drops of a loss that is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from condense_core.measures.stages import Stages
from condense_core.thresholds import DROP, INITIAL_STAGE, PLATEAU

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


def obvious(steps: list[int], ratios: list[float]) -> list[tuple[str, int]]:
    """The definition, read off lists."""
    seen: list[tuple[int, float]] = []
    level, kinds = None, []
    for step, ratio in zip(steps, ratios, strict=True):
        if not math.isfinite(ratio):
            continue
        before = [value for at, value in seen if at <= step // 2]
        seen.append((step, ratio))
        lowest = min(value for _, value in seen)
        if level is not None and lowest <= (1 - DROP) * level:
            level = None
            kinds.append(("drop", step))
        elif level is None and before and min(before) < INITIAL_STAGE and lowest > (1 - PLATEAU) * min(before):
            level = lowest
            kinds.append(("plateau", step))
    return kinds


def test_many_members_are_each_followed_as_by_the_definition():
    generator = np.random.default_rng(3)
    swing = 1 + generator.uniform(0, 0.4, (len(STEPS), 20)) * generator.uniform(0, 1, 20)
    late = generator.uniform(0.3, 3, 20)
    ratios = np.array([[two_stairs(int(step * each)) for each in late] for step in STEPS]) * swing
    ratios[generator.uniform(size=ratios.shape) < 0.1] = math.nan
    stages, kinds = Stages(20), [[] for _ in range(20)]
    for step, ratio_S in zip(STEPS, ratios, strict=True):
        # a few at a time, as where members are measured so
        for part in (slice(0, 7), slice(7, 20)):
            some = np.full(20, math.nan)
            some[part] = ratio_S[part]
            for row, stage in stages.add_each(step, some).items():
                kinds[row].append((stage.kind, step))
    assert kinds == [obvious(STEPS, ratios[:, row].tolist()) for row in range(20)]
    assert sum(map(len, kinds)) > 30
