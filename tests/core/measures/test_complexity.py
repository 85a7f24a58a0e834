import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import generator
from tolerances import rtol

from condense_core.measures.complexity import output_complexity


def points(count=40):
    return torch.linspace(-1.0, 1.5, count, dtype=torch.float64)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_deviation_equals_that_of_the_normal_equations(degree):
    x = points()
    f = (3 * x).sin() + (6 * x).sin() / 2
    powers = np.vander(x.numpy(), degree + 1)
    fitted = powers @ np.linalg.solve(powers.T @ powers, powers.T @ f.numpy())
    expected = np.abs(f.numpy() - fitted).max() / float(f.max() - f.min())
    assert output_complexity(x, f, degree) == pytest.approx(expected, rel=1e-9)
    f[7] += 1e-3
    assert output_complexity(x, f, degree) != pytest.approx(expected, rel=1e-6)


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(0, 2**32))
def test_a_polynomial_deviates_from_lower_degrees_only(degree, seed):
    x = points()
    roots = torch.rand(degree, dtype=torch.float64, generator=generator(seed)) * 2.5 - 1
    f = (x[:, None] - roots).prod(dim=1)
    assert output_complexity(x, f, degree) < rtol("float64")
    assert output_complexity(x, f, degree - 1) > 1e-4


@pytest.mark.parametrize(("scale", "offset"), [(1e-30, 0.0), (1e-8, 0.0), (1e8, 0.0), (1.0, 1e3), (-5.0, 1.0)])
def test_deviation_does_not_depend_on_scale_or_offset_of_the_output(scale, offset):
    x = points()
    f = (3 * x).sin()
    assert output_complexity(x, scale * f + offset, 2) == pytest.approx(output_complexity(x, f, 2), rel=1e-9)


def test_deviation_does_not_depend_on_where_and_how_wide_the_inputs_are():
    x = points()
    f = (3 * x).sin()
    assert output_complexity(1e4 + 1e-2 * x, f, 3) == pytest.approx(output_complexity(x, f, 3), rel=1e-6)


@pytest.mark.parametrize("f", [torch.ones(40), torch.full((40,), math.nan)])
def test_output_without_a_range_has_no_deviation(f):
    assert math.isnan(output_complexity(points(), f, 1))


@pytest.mark.parametrize(
    ("x", "f", "degree"),
    [(points(), points(), -1), (points(3), points(3), 2), (torch.ones(9), torch.ones(9), 1), (points(), points(39), 1)],
)
def test_points_that_decide_nothing_are_refused(x, f, degree):
    with pytest.raises(ValueError, match="expected"):
        output_complexity(x, f, degree)
