"""Rounding to significant digits: relative, at any magnitude, and honest about what is no number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from condense_core.runfile.frames import Alignment, Array, decode, encode
from condense_core.runfile.precision import DOUBLE, SHORT, SINGLE, round_array, rounded


@given(st.floats(allow_subnormal=False), st.sampled_from([SHORT, SINGLE, DOUBLE]))
def test_the_error_is_relative_at_any_magnitude(value, bits):
    short = rounded(value, bits)
    assert short == value or math.isnan(value) or abs(short - value) <= abs(value) * 2.0**-bits
    assert rounded(short, bits) == short or math.isnan(value)
    assert np.array_equal(round_array(np.array([value]), bits), [short], equal_nan=True)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_what_float32_holds_is_kept(value):
    assert rounded(value, SINGLE) == value


def test_float32_stays_float32():
    assert round_array(np.float32([1e-7, math.pi]), SHORT).dtype == np.float32


def test_cosines_are_kept_to_five_digits_and_nan_is_nan():
    cosine = np.array([1.0, -1.0, 0.99997, 0.0, math.nan, 0.123456], np.float32)
    found = decode(encode(Alignment.of(cosine, mean_abs_cos=0.5, ratio=0.5)))
    assert found.numpy() == pytest.approx(cosine, abs=2e-5, nan_ok=True)
    assert found.numpy()[0] == 1.0 > found.numpy()[2]


def test_a_file_of_before_is_read():
    cosine = np.array([0.25, math.nan], np.float32)
    found = decode(encode(Alignment(cosine=Array.of(cosine, "f4"), mean_abs_cos=0.5, ratio=0.5)))
    assert np.array_equal(found.numpy(), cosine, equal_nan=True)
