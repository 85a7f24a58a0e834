"""Many small matrices are decomposed at once as each by itself, and as LAPACK does it."""

import math

import pytest
import torch
from planted import generator, orthogonal_axes

from condense_core.measures import in_compiled_code, signal, small_matrices
from condense_core.measures.signal import spectra


@pytest.fixture(autouse=True)
def compiled(functions, monkeypatch):
    monkeypatch.setattr(in_compiled_code, "_functions", functions)


def matrices(count, rows, entries):
    """Of entries of many sizes, every third of them of about one direction."""
    drawn = torch.randn(count, rows, entries, dtype=torch.float64, generator=generator(rows))
    size = torch.randn(count, 1, entries, dtype=torch.float64, generator=generator(entries))
    matrix_SRK = drawn * torch.exp(3 * size)
    matrix_SRK[::3] = matrix_SRK[::3, :, :1] * matrix_SRK[::3, :1] + 1e-9 * matrix_SRK[::3]
    return matrix_SRK


def bits(values):
    # NaN is NaN, whatever its sign
    return values.nan_to_num(nan=-9.0).numpy().tobytes()


def by_nobody(left_SRK):
    raise AssertionError(f"{len(left_SRK)} matrices were not found")


@pytest.mark.parametrize(
    ("rows", "entries"), [(50, 6), (6, 50), (10, 10), (400, 10), (1, 6), (6, 1), (1, 1), (2, 2), (7, 3)]
)
def test_values_and_vectors_are_lapacks(rows, entries):
    matrix_SRK, count = matrices(100, rows, entries), min(2, rows, entries)
    found = small_matrices.decomposed(matrix_SRK, count, by_nobody)
    _, values_Sr, vector_SrK = torch.linalg.svd(matrix_SRK, full_matrices=False)
    # to rounding of the largest, which is all that LAPACK gives
    torch.testing.assert_close(found.values / values_Sr[:, :1], values_Sr / values_Sr[:, :1], rtol=0, atol=1e-13)
    product_SVV = found.vectors @ found.vectors.mT
    torch.testing.assert_close(
        product_SVV, torch.eye(count, dtype=torch.float64).expand_as(product_SVV), rtol=0, atol=1e-13
    )
    cosine_S = (found.vectors[:, 0] * vector_SrK[:, 0]).sum(dim=1).abs()
    assert float(cosine_S.min()) > 1 - 1e-12
    assert (found.vectors.sum(dim=2) > 0).all()


def test_a_matrix_is_decomposed_among_others_as_alone():
    matrix_SRK = matrices(70, 50, 6)
    # of a few whole numbers, and with a column of zeros: whose sign is no neighbour's either
    whole_K = torch.tensor([1.0, 2.0, 0.0, 1.0, 1.0, 3.0], dtype=torch.float64)
    matrix_SRK[10:12] = matrix_SRK[10:12].sign() * whole_K
    matrix_SRK[5], matrix_SRK[40], matrix_SRK[41, 0, 0], matrix_SRK[42, 3, 2] = 0.0, math.nan, math.nan, math.inf
    together = small_matrices.decomposed(matrix_SRK, 2, by_nobody)
    for row in range(70):
        alone = small_matrices.decomposed(matrix_SRK[row : row + 1], 2, by_nobody)
        assert bits(alone.values[0]) == bits(together.values[row])
        assert bits(alone.vectors[0]) == bits(together.vectors[row])
    unknown = [40, 41, 42]
    assert together.values[unknown].isnan().all() and together.vectors[[5, *unknown]].isnan().all()
    assert not together.values[5].any() and together.vectors.isnan().sum() == 4 * 2 * 6


def test_values_alone_are_those_beside_vectors():
    matrix_SRK = matrices(40, 20, 5)
    alone, beside = (small_matrices.decomposed(matrix_SRK, count, by_nobody) for count in (0, 2))
    assert torch.equal(alone.values, beside.values) and alone.vectors.shape == (40, 0, 5)


def test_a_matrix_of_one_direction_has_a_second_that_is_orthogonal():
    # exactly: nothing is left beside the first
    matrix_SRK = torch.ones(3, 8, 4, dtype=torch.float64)
    matrix_SRK[1] = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    found = spectra(matrix_SRK)
    assert (found.v1 * found.v2).sum(dim=1).abs().max() < 1e-15
    torch.testing.assert_close(torch.linalg.vector_norm(found.v2, dim=1), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(found.values[:, 0], torch.tensor([32**0.5, 8**0.5, 32**0.5], dtype=torch.float64))


@pytest.mark.parametrize("axis", [(1.0, -1.0, 0.0), (-2.0, 1.0, 1.0), (0.0, -1.0, 1.0), (-3.0, 2.0, 1.0)])
def test_a_direction_whose_entries_cancel_has_its_sign(axis, monkeypatch):
    # beside one whose sign is plain: signs that are open are asked for by their rows
    axis_K = torch.tensor(axis, dtype=torch.float64)
    matrix_SRK = torch.stack([matrices(1, 5, 3)[0], torch.arange(1.0, 6.0, dtype=torch.float64)[:, None] * axis_K])
    found = small_matrices.decomposed(matrix_SRK, 1, by_nobody)
    expected_K = axis_K / axis_K.norm()
    # the sum is rounding alone: of the largest entries the first is positive
    expected_K = expected_K * expected_K[expected_K.abs().argmax()].sign()
    torch.testing.assert_close(found.vectors[1, 0], expected_K, rtol=0, atol=1e-15)


@pytest.mark.parametrize("small", [1e-75, 1e-90, 1e-155, 1e-160, 1e-300])
def test_a_second_direction_that_is_far_smaller_than_the_first_is_a_librarys(small, monkeypatch):
    # products of two sides that small have no bits left to tell whether they are orthogonal
    matrix_RK = torch.tensor([[1.0, 0.0, 0.0], [0.0, small, small], [0.0, 0.0, small]], dtype=torch.float64)
    column_RK = torch.tensor(
        [[1e-3 * small, 1.0, 0.0], [small, 0.0, 0.0], [1e-3 * small, 1.0, 0.0]], dtype=torch.float64
    )
    both = torch.stack([matrix_RK, column_RK])
    found = [spectra(both), spectra(torch.cat([matrices(3, 3, 3), both])).rows([3, 4])]
    monkeypatch.setattr(in_compiled_code, "_functions", None)
    plain = spectra(both)
    for name in ("values", "v1", "v2"):
        assert bits(getattr(found[0], name)) == bits(getattr(found[1], name))
        torch.testing.assert_close(getattr(found[0], name), getattr(plain, name), rtol=1e-12, atol=1e-300)


def test_what_is_left_to_a_library_is_found_by_it(monkeypatch):
    matrix_SRK = matrices(9, 12, 4)
    expected = spectra(matrix_SRK)
    taken = []

    def leave(matrix, values, vectors, state, *rest):
        values[...], vectors[...], state[...] = math.nan, math.nan, 0
        state[[2, 7]] = -1

    monkeypatch.setattr(in_compiled_code, "_functions", {**in_compiled_code.functions(), "spectra": leave})
    whole = signal._by_libraries
    monkeypatch.setattr(signal, "_by_libraries", lambda left_SRK: taken.append(len(left_SRK)) or whole(left_SRK))
    found = spectra(matrix_SRK)
    assert taken == [2]
    for name in ("values", "v1", "v2"):
        here, there = getattr(found, name), getattr(expected, name)
        torch.testing.assert_close(here[[2, 7]], there[[2, 7]], rtol=1e-9, atol=1e-12 * float(there.abs().max()))
        assert here.isnan().any(dim=1).sum() == 7


def test_the_smallest_entries_there_are_have_values_and_a_direction():
    found = spectra(torch.tensor([[[5e-324, 0.0], [0.0, 0.0]], [[2e-310, 0.0], [1e-310, 0.0]]], dtype=torch.float64))
    assert found.values[:, 0].tolist() == [5e-324, pytest.approx(5**0.5 * 1e-310, rel=1e-9)]
    assert found.v1.tolist() == [[1.0, 0.0], [1.0, 0.0]]


def test_larger_matrices_and_those_that_need_much_memory_are_a_librarys():
    side = small_matrices.MOST_SIDE
    assert small_matrices.decomposed(matrices(2, side + 1, side + 1), 2, by_nobody) is None
    assert small_matrices.decomposed(matrices(2, small_matrices.MOST_ENTRIES, side), 2, by_nobody) is None
    axes_KK = orthogonal_axes(side + 1, side + 1, seed=0)
    assert spectra((2 * axes_KK)[None]).values.tolist() == [pytest.approx([2.0] * (side + 1))]
