"""Cosines as levels: the nearest one, however many are turned at a time, and a code of its own for no direction."""

from __future__ import annotations

import math

import numpy as np
import pytest
import zstandard

from condense_core.runfile.frames import encode
from condense_core.runfile.levels import LEVELS, NAN_LEVEL, PIECE, SimilarityEncoder, to_levels
from condense_core.runfile.stacks import decode


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


def moving(count):
    """Frames of sixteen members, each of 50 kernels of which every entry moves a little from one to the next."""
    draws, encoder, triangle = np.random.default_rng(3), SimilarityEncoder(), np.triu_indices(50)
    kernels_SMK = draws.standard_normal((16, 50, 6))
    for _ in range(count):
        unit_SMK = kernels_SMK / np.linalg.norm(kernels_SMK, axis=-1, keepdims=True)
        cosine_SMM = unit_SMK @ unit_SMK.transpose(0, 2, 1)
        yield encoder.encode_members(cosine_SMM[:, *triangle], range(16), 50, 50)
        kernels_SMK += 0.02 * draws.standard_normal(kernels_SMK.shape)


def test_differences_take_fewer_bytes_than_the_same_without_their_own_parameters():
    for stack in list(moving(4))[1:]:
        assert not stack.same["key"]
        blob = encode(stack)
        assert decode(blob) == stack
        assert len(blob) < 0.95 * len(zstandard.compress(zstandard.decompress(blob), 1))


def test_where_nothing_moves_differences_take_hardly_any():
    encoder, cosine_MM = SimilarityEncoder(), np.eye(50)
    key, difference = encoder.encode(cosine_MM, 50), encoder.encode(cosine_MM, 50)
    assert key.key
    assert not difference.key
    assert len(encode(difference)) < 100
