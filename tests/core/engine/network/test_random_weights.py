import dataclasses
import math

import pytest
import torch

from condense_core.engine.network.random_weights import LayerSize, draw, standard_deviation
from condense_core.scenario.experiment import (
    FanOutPowerInit,
    GlorotNormalInit,
    GlorotUniformInit,
    HeNormalInit,
    LayerPowersInit,
    MeanFanPowerInit,
    NormalInit,
    PhaseInit,
    WidthPowerInit,
)

CONV = LayerSize(n_in=3, n_out=32, filter_pixels=25, first_width=32)
DENSE = LayerSize(n_in=100, n_out=50, first_width=32)
READOUT = LayerSize(n_in=32, n_out=1, first_width=32, readout=True)

SCHEMES = [
    (NormalInit(std=0.005), CONV, 0.005),
    (MeanFanPowerInit(gamma=1.5), CONV, ((3 + 32) * 25 / 2) ** -1.5),
    (MeanFanPowerInit(gamma=2), DENSE, 75**-2.0),
    (WidthPowerInit(gamma=1.5), DENSE, 32**-1.5),
    (WidthPowerInit(gamma=1.5), CONV, 32**-1.5),
    (FanOutPowerInit(gamma=1.5), DENSE, 50**-1.5),
    (FanOutPowerInit(gamma=1.5), CONV, 32**-1.5),
    (PhaseInit(gamma=1.5, gamma_prime=0.2), DENSE, 32**-0.65),
    (PhaseInit(gamma=1.5, gamma_prime=0.2), READOUT, 32**-0.85),
    (LayerPowersInit(gammas=(0.4, 1.2)), DENSE, 32**-0.4),
    (LayerPowersInit(gammas=(0.4, 1.2)), dataclasses.replace(READOUT, place=1), 32**-1.2),
    (GlorotUniformInit(), CONV, math.sqrt(2 / (75 + 800))),
    (GlorotNormalInit(), DENSE, math.sqrt(2 / 150)),
    (HeNormalInit(), CONV, math.sqrt(2 / 75)),
]


def seeded(seed=7):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("init", "size", "expected"), SCHEMES)
def test_standard_deviation_is_the_schemes(init, size, expected):
    assert standard_deviation(init, size) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(("init", "size", "expected"), SCHEMES)
def test_draws_have_that_mean_and_standard_deviation(init, size, expected):
    number = 100_000
    weight = draw(init, size, (number,), generator=seeded(), dtype=torch.float64)
    # five standard errors of a mean, and of a normal sample's deviation (a uniform one's is smaller)
    assert abs(float(weight.mean())) < 5 * expected / math.sqrt(number)
    assert float(weight.std()) == pytest.approx(expected, rel=5 / math.sqrt(2 * number))


@pytest.mark.parametrize(("init", "size"), [scheme[:2] for scheme in SCHEMES])
def test_both_dtypes_get_the_same_draw(init, size):
    double = draw(init, size, (32, 75), generator=seeded(), dtype=torch.float64)
    single = draw(init, size, (32, 75), generator=seeded(), dtype=torch.float32)
    assert single.dtype == torch.float32
    assert torch.equal(single, double.float())


def test_glorot_uniform_stays_within_its_bound():
    weight = draw(GlorotUniformInit(), CONV, (10_000,), generator=seeded(), dtype=torch.float64)
    bound = math.sqrt(6 / (75 + 800))
    assert 0.99 * bound < float(weight.abs().max()) <= bound


def test_common_schemes_are_torchs_own():
    weight = torch.empty(32, 3, 5, 5)
    fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(weight)
    assert (CONV.fan_in, CONV.fan_out) == (fan_in, fan_out)


def test_the_global_generator_is_neither_read_nor_moved():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = draw(HeNormalInit(), DENSE, (50, 100), generator=seeded(), dtype=torch.float32)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(first, draw(HeNormalInit(), DENSE, (50, 100), generator=seeded(), dtype=torch.float32))
