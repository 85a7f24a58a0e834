"""All members at once are each member alone, to the bit; SciPy's own functions join and cut as what they call, and
those that Numba compiles as SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from planted import generator, orthogonal_axes, planted_layer
from scipy.cluster import hierarchy

from condense_core.measures import clusters, joining, kernels, similarity
from condense_core.thresholds import COARSE, FINE


def layers(entries: int, kernels: int = 30) -> torch.Tensor:
    """Random, on one line, on two, half of it small, all zero, and one kernel that is not finite."""
    random = torch.randn(kernels, entries, dtype=torch.float64, generator=generator(entries))
    one = planted_layer(orthogonal_axes(1, entries, seed=0), kernels, noise=0.05, seed=1)
    two = planted_layer(orthogonal_axes(2, entries, seed=0), kernels, noise=0.1, seed=2)
    small = torch.where(torch.arange(kernels)[:, None] % 2 == 0, 1e-3, 1.0) * two
    broken = random.clone()
    broken[3, 0] = torch.nan
    return torch.stack([random, one, two, small, torch.zeros_like(one), broken, random * 1e-200])


def trees(weight_SMK: torch.Tensor) -> clusters.Trees:
    unit_SMK = kernels.units_of(weight_SMK)
    kept_SM = clusters.kept_kernels(kernels.norms_of(weight_SMK).numpy())
    return clusters.linkage_trees(unit_SMK, kept_SM, similarity.upper_triangle(similarity.cosines(unit_SMK).numpy()))


@pytest.mark.parametrize("at_once", [clusters.AT_ONCE, 1])
@pytest.mark.parametrize("entries", [2, 6, 40])
@pytest.mark.parametrize("cut", [FINE, COARSE])
def test_lines_of_all_members_are_those_of_each_alone(entries, cut, at_once, monkeypatch):
    monkeypatch.setattr(clusters, "AT_ONCE", at_once)
    weight_SMK = layers(entries)
    together = clusters.cut_trees(trees(weight_SMK), cut=cut.cos, smallest_share=cut.share)
    for row, weight_MK in enumerate(weight_SMK):
        one = clusters.condensed_lines(weight_MK, cut=cut.cos, smallest_share=cut.share)
        here = together.of(row)
        assert torch.equal(here.label_M, one.label_M)
        assert torch.equal(here.sign_M, one.sign_M)
        assert (here.sizes, here.directions, here.kept) == (one.sizes, one.directions, one.kept)
        assert (here.coverage, here.mean_abs_cos, here.tightness) == pytest.approx(
            (one.coverage, one.mean_abs_cos, one.tightness), rel=1e-14, nan_ok=True
        )
        torch.testing.assert_close(here.axes_LK, one.axes_LK, rtol=0, atol=1e-14)
    assert len(set(map(int, together.lines_S))) > 1, "members that differ"


def test_pairs_of_all_members_are_those_of_each_alone():
    cosine_SMM = similarity.cosines(kernels.units_of(layers(6)))
    found_S = similarity.mean_pair_abs_cos(similarity.upper_triangle(cosine_SMM.numpy()), cosine_SMM.shape[1])
    expected = [similarity.pair_abs_cos(cosine_MM) for cosine_MM in cosine_SMM]
    np.testing.assert_allclose(found_S, expected, rtol=1e-14)
    assert len(set(found_S[:3])) == 3


@pytest.mark.parametrize("kernels", [2, 3, 17, 60])
def test_what_scipy_calls_is_what_it_gives(kernels, monkeypatch):
    distance_P = np.random.default_rng(kernels).random(kernels * (kernels - 1) // 2)
    before = distance_P.copy()
    merges = joining.average_linkage(distance_P, kernels)
    assert np.array_equal(distance_P, before)
    for height in (0.2, 0.5):
        fast = joining.groups_at(merges, height)
        assert np.array_equal(fast, hierarchy.fcluster(merges, height, criterion="distance"))
        with monkeypatch.context() as without:
            # a SciPy that has moved them
            without.setattr(joining, "_chain", None)
            without.setattr(joining, "_cut", None)
            assert np.array_equal(joining.average_linkage(distance_P, kernels), merges)
            assert np.array_equal(joining.groups_at(merges, height), fast)


@pytest.fixture(scope="module")
def numbas():
    numba = pytest.importorskip("numba")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", 0)
        joining._loaded.cache_clear()
        return joining._loaded()[0]


def random_cosines(members: int, kernels: int, levels: int | None) -> np.ndarray:
    """Of random directions; of so few `levels` that many distances are equal, or as they are."""
    weight_SMK = torch.randn(members, kernels, 5, dtype=torch.float64, generator=generator(kernels))
    upper_ST = similarity.upper_triangle(similarity.cosines(kernels_of(weight_SMK)).numpy())
    return upper_ST if levels is None else np.round(upper_ST * levels) / levels


def kernels_of(weight_SMK: torch.Tensor) -> torch.Tensor:
    return kernels.units_of(weight_SMK)


@pytest.mark.parametrize("levels", [None, 20, 3])
@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_compiled_joins_are_scipys(count, levels, numbas):
    members = 40
    upper_ST = random_cosines(members, count, levels)
    kept_SM = np.ones((members, count), bool)
    kept_SM[: members // 2] = np.random.default_rng(count).random((members // 2, count)) < 0.7
    before = upper_ST.copy()
    ours, scipys = joining._Compiled(numbas, upper_ST, kept_SM), joining._SciPys(upper_ST, kept_SM)
    assert np.array_equal(upper_ST, before)
    # at the cuts, at a height that many distances have, and where all are one group
    for height in (1 - FINE.cos, 1 - COARSE.cos, 1 / 3, 0.5, 2.0):
        for found_M, expected_M, kept_M in zip(ours.groups_at(height), scipys.groups_at(height), kept_SM, strict=True):
            assert not found_M[~kept_M].any() and not expected_M[~kept_M].any()
            same = found_M[kept_M][:, None] == found_M[kept_M]
            assert np.array_equal(same, expected_M[kept_M][:, None] == expected_M[kept_M])
            assert found_M[kept_M].min(initial=1) >= 1 and found_M.max() <= count


def test_heights_of_compiled_joins_are_scipys_to_the_bit(numbas):
    upper_ST = random_cosines(8, 30, None)
    ours = joining._Compiled(numbas, upper_ST, np.ones((8, 30), bool))
    distance_SP = 1 - np.abs(upper_ST[:, similarity.other_pairs(30)])
    for row, distance_P in enumerate(distance_SP):
        merges = joining.average_linkage(distance_P, 30)
        assert np.array_equal(np.sort(ours._height_SJ[row, :29]), merges[:, 2])


def test_lines_are_the_same_whether_or_not_they_are_compiled(numbas, monkeypatch):
    weight_SMK = layers(6)
    plain = clusters.cut_at_each(trees(weight_SMK), (FINE, COARSE))
    monkeypatch.setattr(joining, "_numbas", numbas)
    for one, other in zip(plain, clusters.cut_at_each(trees(weight_SMK), (FINE, COARSE)), strict=True):
        for name in ("label_SM", "sign_SM", "axis_GK", "size_G", "end_S", "coverage_S", "tightness_S"):
            assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True), name
