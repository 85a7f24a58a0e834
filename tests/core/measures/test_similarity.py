import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import SCALES, generator
from tolerances import rtol

from condense_core.measures.similarity import cosine_similarity, pair_abs_cos, pool_similarity


def slow_cosine(weight):
    rows = [[float(entry) for entry in row] for row in weight]
    norms = [math.hypot(*row) for row in rows]
    return torch.tensor(
        [
            [math.fsum(a / n * b / m for a, b in zip(x, y, strict=True)) for y, m in zip(rows, norms, strict=True)]
            for x, n in zip(rows, norms, strict=True)
        ],
        dtype=torch.float64,
    )


def random_layer(kernels=7, entries=10, seed=0, dtype=torch.float64):
    return torch.randn(kernels, entries, dtype=dtype, generator=generator(seed))


def test_cosine_equals_its_slow_twin_and_a_perturbed_layer_does_not():
    weight = random_layer()
    torch.testing.assert_close(cosine_similarity(weight), slow_cosine(weight), rtol=0, atol=rtol("float64"))
    perturbed = weight.clone()
    perturbed[3, 2] += 1e-6
    difference = (cosine_similarity(perturbed) - slow_cosine(weight)).abs().max()
    assert difference > 1e3 * rtol("float64")


def test_cosine_of_float32_weights_has_float64_precision():
    weight = random_layer(dtype=torch.float32)
    cosine = cosine_similarity(weight)
    assert cosine.dtype == torch.float64
    torch.testing.assert_close(cosine, slow_cosine(weight), rtol=0, atol=rtol("float64"))


@pytest.mark.parametrize("scale", [1e-300, 1e-160, *SCALES, 1e160])
def test_cosine_does_not_depend_on_the_scale(scale):
    weight = random_layer()
    torch.testing.assert_close(cosine_similarity(weight * scale), cosine_similarity(weight), rtol=0, atol=1e-14)


def test_cosine_of_float32_weights_of_1e_30():
    weight = random_layer(dtype=torch.float32)
    tiny = weight * 1e-30
    assert tiny.dtype == torch.float32
    torch.testing.assert_close(cosine_similarity(tiny), cosine_similarity(weight), rtol=0, atol=rtol("float32"))


def test_each_kernel_may_have_a_scale_of_its_own():
    weight = random_layer()
    scales = torch.logspace(-200, 200, len(weight), dtype=torch.float64)[:, None]
    torch.testing.assert_close(cosine_similarity(weight * scales), cosine_similarity(weight), rtol=0, atol=1e-14)


@pytest.mark.parametrize("bad", [0.0, math.nan, math.inf])
def test_kernel_without_direction_is_nan_in_its_row_and_column_only(bad):
    weight = random_layer()
    weight[2] = 0.0
    weight[2, 1] = bad
    cosine = cosine_similarity(weight)
    assert cosine[2].isnan().all() and cosine[:, 2].isnan().all()
    others = [0, 1, 3, 4, 5, 6]
    torch.testing.assert_close(cosine[others][:, others], slow_cosine(weight[others]), rtol=0, atol=rtol("float64"))


def test_cosine_leaves_no_graph_and_does_not_touch_its_input():
    weight = random_layer().requires_grad_()
    before = weight.detach().clone()
    assert not cosine_similarity(weight).requires_grad
    assert torch.equal(weight, before)


@pytest.mark.parametrize("shape", [(3,), (3, 0), (2, 2, 2)])
def test_cosine_refuses_what_is_not_a_matrix_of_kernels(shape):
    with pytest.raises(ValueError, match="one vectorised kernel a row"):
        cosine_similarity(torch.ones(shape))


@settings(max_examples=50)
@given(st.integers(1, 8), st.integers(1, 6), st.integers(0, 2**32), st.floats(-8, 8))
def test_cosine_is_symmetric_bounded_and_one_with_itself(kernels, entries, seed, exponent):
    cosine = cosine_similarity(random_layer(kernels, entries, seed) * 10**exponent)
    torch.testing.assert_close(cosine, cosine.T, rtol=0, atol=1e-15)
    assert (cosine.abs() <= 1).all()
    torch.testing.assert_close(cosine.diagonal(), torch.ones(kernels, dtype=torch.float64), rtol=0, atol=1e-15)


def test_pair_abs_cos_is_the_mean_over_pairs_with_a_direction():
    weight = random_layer()
    weight[4] = 0
    cosine = cosine_similarity(weight)
    kernels = [0, 1, 2, 3, 5, 6]
    pairs = [abs(float(cosine[i, j])) for i in kernels for j in kernels if i != j]
    assert pair_abs_cos(cosine) == pytest.approx(sum(pairs) / len(pairs), rel=rtol("float64"))


@pytest.mark.parametrize("kernels", [0, 1])
def test_pair_abs_cos_of_fewer_than_two_kernels_is_nan(kernels):
    assert math.isnan(pair_abs_cos(cosine_similarity(torch.ones(kernels, 3))))


def test_pair_abs_cos_leaves_the_matrix_as_it_was():
    cosine = cosine_similarity(random_layer())
    before = cosine.clone()
    pair_abs_cos(cosine)
    assert torch.equal(cosine, before)


def slow_pool(cosine, order, side):
    kernels = len(order)
    groups = [[int(order[i]) for i in range(kernels) if i * side // kernels == block] for block in range(side)]
    return torch.stack([torch.stack([cosine[rows][:, columns].nanmean() for columns in groups]) for rows in groups])


@pytest.mark.parametrize("side", [1, 2, 4, 6])
def test_pooling_equals_its_slow_twin_in_the_order_given(side):
    weight = random_layer(kernels=13)
    weight[5] = 0
    cosine = cosine_similarity(weight)
    order = torch.randperm(13, generator=generator(1))
    expected = slow_pool(cosine, order, side)
    torch.testing.assert_close(pool_similarity(cosine, order, side), expected, rtol=0, atol=rtol("float64"))
    if side > 1:
        assert not torch.allclose(pool_similarity(cosine, order.flip(0), side), expected, atol=1e-6)


def test_small_layers_are_reordered_and_not_pooled():
    cosine = cosine_similarity(random_layer(kernels=4))
    order = torch.tensor([2, 0, 3, 1])
    assert torch.equal(pool_similarity(cosine, order, 256), cosine[order][:, order])


def test_block_of_kernels_without_direction_is_nan():
    weight = random_layer(kernels=6)
    weight[:2] = 0
    pooled = pool_similarity(cosine_similarity(weight), torch.arange(6), 3)
    assert pooled[0].isnan().all() and not pooled[1:, 1:].isnan().any()


def test_pooling_refuses_an_order_that_is_no_permutation():
    with pytest.raises(ValueError, match="permutation of the 4 kernels"):
        pool_similarity(torch.eye(4), torch.tensor([0, 1, 1, 3]), 2)


def test_pair_abs_cos_of_kernels_at_right_angles_is_zero_to_rounding():
    assert pair_abs_cos(torch.eye(3, dtype=torch.float64)) == 0.0
    assert pair_abs_cos(cosine_similarity(torch.ones(5, 3))) == pytest.approx(1.0, rel=1e-15)
