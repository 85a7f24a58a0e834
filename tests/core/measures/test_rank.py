import math

import numpy as np
import pytest
import torch
from planted import SCALES, generator, orthogonal_axes, planted_layer
from tolerances import rtol

from condense_core.measures import rank
from condense_core.measures.rank import direction_spectrum, effective_rank

pytestmark = pytest.mark.usefixtures("either_way")


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed))


@pytest.mark.parametrize("exact_side", [256, 2])
@pytest.mark.parametrize(("kernels", "entries"), [(8, 5), (5, 8), (6, 6)])
def test_spectrum_equals_numpys_of_unit_kernels(monkeypatch, kernels, entries, exact_side):
    monkeypatch.setattr(rank, "EXACT_SIDE", exact_side)
    weight = random(kernels, entries)
    array = weight.numpy()
    expected = np.linalg.svd(array / np.linalg.norm(array, axis=1, keepdims=True), compute_uv=False)
    torch.testing.assert_close(direction_spectrum(weight), torch.from_numpy(expected), rtol=0, atol=rtol("gram"))
    assert not np.allclose(expected, direction_spectrum(weight + 1e-3 * random(kernels, entries, seed=1)), atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_effective_rank_counts_planted_lines_of_equal_size(count):
    layer = planted_layer(orthogonal_axes(count, 12, seed=0), 60, noise=0.0, seed=0)
    assert effective_rank(direction_spectrum(layer)) == pytest.approx(count, rel=1e-10)
    noisy = planted_layer(orthogonal_axes(count, 12, seed=0), 60, noise=0.3, seed=0)
    assert effective_rank(direction_spectrum(noisy)) > count + 0.5


def test_effective_rank_is_the_exponential_of_the_entropy():
    values = torch.tensor([4.0, 2.0, 1.0, 0.0])
    shares = [4 / 7, 2 / 7, 1 / 7]
    expected = math.exp(-sum(share * math.log(share) for share in shares))
    assert effective_rank(values) == pytest.approx(expected, rel=rtol("float64"))


@pytest.mark.parametrize("scale", [1e-200, *SCALES])
def test_rank_does_not_depend_on_the_scale(scale):
    weight = random(8, 5)
    torch.testing.assert_close(direction_spectrum(weight * scale), direction_spectrum(weight))
    assert effective_rank(random(5).abs() * scale) == pytest.approx(effective_rank(random(5).abs()))


def test_kernels_without_direction_do_not_count():
    weight = random(6, 4)
    bad = torch.cat([weight, torch.zeros(2, 4), torch.full((1, 4), math.nan)])
    assert torch.equal(direction_spectrum(bad), direction_spectrum(weight))


def test_a_layer_of_zeros_has_no_rank():
    assert len(direction_spectrum(torch.zeros(3, 4))) == 0
    assert math.isnan(effective_rank(direction_spectrum(torch.zeros(3, 4))))
    assert math.isnan(effective_rank(torch.zeros(3)))
