"""Cosines as levels: the nearest one, however many are turned at a time, and a code of its own for no direction."""

from __future__ import annotations

import math

import numpy as np
import pytest

from condense_core.runfile.levels import LEVELS, NAN_LEVEL, PIECE, to_levels


def one_by_one(cosines):
    """Slow and obvious."""
    nearest = [NAN_LEVEL if math.isnan(value) else round(LEVELS * max(-1.0, min(1.0, value))) for value in cosines]
    return np.array(nearest, np.int8)


@pytest.mark.parametrize("shape", [(0, 1), (1, 1), (3, 7), (40, 2_016)])
def test_a_level_is_the_nearest_one(shape):
    cosines = np.random.default_rng(1).uniform(-1, 1, shape)
    levels = to_levels(cosines)
    assert levels.dtype == np.int8
    assert levels.shape == shape
    assert np.array_equal(levels.ravel(), one_by_one(cosines.ravel()))


def test_halves_go_to_the_even_level():
    halves = np.array([0.5, 1.5, 2.5, -0.5, -1.5])
    exact = halves[halves / LEVELS * LEVELS == halves] / LEVELS
    assert len(exact) > 2
    assert not (to_levels(exact) % 2).any()


@pytest.mark.parametrize("value", [math.nan, 1.1, -1.1, math.inf, -math.inf])
@pytest.mark.parametrize("at", [0, PIECE - 1, PIECE, 2 * PIECE + 5])
def test_what_is_no_cosine_changes_no_other(value, at):
    cosines = np.linspace(-1, 1, 2 * PIECE + 10)
    cosines[at] = value
    assert np.array_equal(to_levels(cosines), one_by_one(cosines))


def test_cosines_that_do_not_lie_side_by_side_are_taken_in_order():
    cosines = np.random.default_rng(2).uniform(-1, 1, (5, 12))
    assert np.array_equal(to_levels(cosines[:, ::3]), one_by_one(cosines[:, ::3].ravel()).reshape(5, 4))
    assert np.array_equal(to_levels(np.float32(cosines)), one_by_one(np.float32(cosines).ravel()).reshape(5, 12))
