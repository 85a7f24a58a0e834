import math

import pytest

from condense_core.phase import phase_point

# Luo et al. 2021, table 1: (β1 output, β2 input, α), each as a function of the width, and where the paper puts them
NAMED = {
    "lecun": (lambda m: m**-0.5, lambda m: 1.0, lambda m: 1.0, (0.5, 0.5), "linear"),
    "ntk": (lambda m: 1.0, lambda m: 1.0, lambda m: m**0.5, (0.5, 0.0), "linear"),
    "xavier": (lambda m: m**-0.5, lambda m: m**-0.5, lambda m: 1.0, (1.0, 0.0), "critical"),
    "mean field": (lambda m: 1.0, lambda m: 1.0, lambda m: m, (1.0, 0.0), "critical"),
    "small": (lambda m: m**-1.5, lambda m: m**-1.5, lambda m: 1.0, (3.0, 0.0), "condensed"),
}


@pytest.mark.parametrize("width", [50, 1000, 10**6])
@pytest.mark.parametrize("name", NAMED)
def test_named_initialisations_lie_where_the_paper_puts_them(name, width):
    output_std, input_std, alpha, coordinates, regime = NAMED[name]
    point = phase_point(width, output_std=output_std(width), input_std=input_std(width), alpha=alpha(width))
    assert (point.gamma, point.gamma_prime) == pytest.approx(coordinates, abs=1e-12)
    assert point.regime == regime


def test_a_much_smaller_output_layer_makes_it_linear_again():
    assert phase_point(100, output_std=100**-1.9, input_std=100**-0.1).regime == "linear"
    assert phase_point(100, output_std=100**-1.2, input_std=100**-0.8).regime == "condensed"
    assert phase_point(100, output_std=100**-0.1, input_std=100**-1.9).regime == "condensed"


def test_a_constant_factor_fades_with_the_logarithm_of_the_width():
    gammas = [phase_point(m, output_std=2.0, input_std=1.0, alpha=m**0.5).gamma for m in (10**2, 10**4)]
    assert gammas == pytest.approx([0.5 - math.log(2) / math.log(m) for m in (10**2, 10**4)])


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_gamma_prime_does_not_depend_on_the_common_scale(scale):
    point = phase_point(10, output_std=scale, input_std=scale)
    assert point.gamma_prime == 0.0
    assert point.gamma == pytest.approx(-2 * math.log10(scale))


@pytest.mark.parametrize(("kernels", "std"), [(1, 1.0), (10, 0.0), (10, -1.0), (10, math.nan), (10, math.inf)])
def test_values_without_a_logarithm_are_refused(kernels, std):
    with pytest.raises(ValueError, match="M ≥ 2"):
        phase_point(kernels, output_std=std, input_std=1.0)
