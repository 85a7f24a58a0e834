"""All members at once are each member alone, to the bit; SciPy's own functions join and cut as what they call, and
those that Numba compiles as SciPy's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from planted import generator, orthogonal_axes, planted_layer
from scipy.cluster import hierarchy

from condense_core.measures import clusters, in_compiled_code, joining, kernels, lines, similarity, tracking
from condense_core.thresholds import COARSE, FINE, Cut


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


@pytest.mark.usefixtures("either_way")
def test_pairs_of_all_members_are_those_of_each_alone():
    unit_SMK = kernels.units_of(layers(6))
    found_S = similarity.pairs_of(unit_SMK).mean_abs_S
    expected = [similarity.pair_abs_cos(cosine_MM) for cosine_MM in similarity.cosines(unit_SMK)]
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


def random_cosines(members: int, kernels: int, levels: int | None) -> np.ndarray:
    """Of random directions; of so few `levels` that many distances are equal, or as they are."""
    weight_SMK = torch.randn(members, kernels, 5, dtype=torch.float64, generator=generator(kernels))
    upper_ST = similarity.upper_triangle(similarity.cosines(kernels_of(weight_SMK)).numpy())
    return upper_ST if levels is None else np.round(upper_ST * levels) / levels


def kernels_of(weight_SMK: torch.Tensor) -> torch.Tensor:
    return kernels.units_of(weight_SMK)


@pytest.mark.parametrize("levels", [None, 20, 3])
@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_compiled_joins_are_scipys(count, levels, functions):
    members = 40
    upper_ST = random_cosines(members, count, levels)
    kept_SM = np.ones((members, count), bool)
    kept_SM[: members // 2] = np.random.default_rng(count).random((members // 2, count)) < 0.7
    before = upper_ST.copy()
    ours, scipys = joining._Compiled(functions, upper_ST, kept_SM), joining._SciPys(upper_ST, kept_SM)
    assert np.array_equal(upper_ST, before)
    # at the cuts, at a height that many distances have, and where all are one group
    for height in (1 - FINE.cos, 1 - COARSE.cos, 1 / 3, 0.5, 2.0):
        for found_M, expected_M, kept_M in zip(ours.groups_at(height), scipys.groups_at(height), kept_SM, strict=True):
            assert not found_M[~kept_M].any() and not expected_M[~kept_M].any()
            same = found_M[kept_M][:, None] == found_M[kept_M]
            assert np.array_equal(same, expected_M[kept_M][:, None] == expected_M[kept_M])
            assert found_M[kept_M].min(initial=1) >= 1 and found_M.max() <= count


def test_heights_of_compiled_joins_are_scipys_to_the_bit(functions):
    upper_ST = random_cosines(8, 30, None)
    ours = joining._Compiled(functions, upper_ST, np.ones((8, 30), bool))
    distance_SP = 1 - np.abs(upper_ST[:, similarity.other_pairs(30)])
    for row, distance_P in enumerate(distance_SP):
        merges = joining.average_linkage(distance_P, 30)
        assert np.array_equal(np.sort(ours._height_SM[row, :29]), merges[:, 2])


def assert_same_lines(found: Sequence[clusters.MembersLines], expected: Sequence[clusters.MembersLines]) -> None:
    for one, other in zip(found, expected, strict=True):
        for name in ("label_SM", "sign_SM", "size_G", "end_S", "directions_S", "kept_S", "coverage_S"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
            assert getattr(one, name).dtype == getattr(other, name).dtype
        for name in ("mean_abs_cos_S", "tightness_S"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-13, atol=0)
        torch.testing.assert_close(one.axis_GK, other.axis_GK, rtol=0, atol=1e-12)


def lines_both_ways(
    weight_SMK: torch.Tensor, functions: in_compiled_code.Functions, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[clusters.MembersLines], list[clusters.MembersLines]]:
    """In compiled code and without."""
    unit_SMK = kernels.units_of(weight_SMK)
    kept_SM = clusters.kept_kernels(kernels.norms_of(weight_SMK).numpy())
    given = unit_SMK, kept_SM, similarity.pairs_of(unit_SMK).upper_ST, (FINE, COARSE)
    plain = lines.members_lines(*given)
    monkeypatch.setattr(in_compiled_code, "_functions", functions)
    return lines.members_lines(*given), plain


@pytest.mark.parametrize("entries", [1, 2, 3, 6, 26, in_compiled_code.MOST_ENTRIES])
def test_lines_are_the_same_whether_or_not_they_are_compiled(entries, functions, monkeypatch):
    # two lines at a right angle that one entry cannot have
    weight_SMK = layers(entries) if entries > 1 else layers(2)[:, :, :1]
    assert_same_lines(*lines_both_ways(weight_SMK, functions, monkeypatch))


def test_lines_of_many_layers_on_their_way_are_the_same_compiled(functions, monkeypatch):
    start_SMK = torch.randn(60, 50, 6, dtype=torch.float64, generator=generator(1))
    way_S11 = torch.linspace(0, 6, 60, dtype=torch.float64)[:, None, None]
    side_M = torch.where(torch.arange(50) % 3 == 0, -1.0, 1.0)[:, None]
    found, plain = lines_both_ways(
        start_SMK + way_S11 * side_M * torch.arange(1.0, 7.0, dtype=torch.float64), functions, monkeypatch
    )
    assert_same_lines(found, plain)
    assert len({*plain[0].lines_S.tolist()}) > 3, "layers of different numbers of lines"


def test_of_equal_distances_compiled_lines_take_the_same(functions, monkeypatch):
    weight_SMK = torch.randn(40, 30, 5, dtype=torch.float64, generator=generator(3))
    unit_SMK, kept_SM = kernels.units_of(weight_SMK), np.ones((40, 30), bool)
    kept_SM[:20] = np.random.default_rng(0).random((20, 30)) < 0.7
    upper_ST = np.round(similarity.pairs_of(unit_SMK).upper_ST * 10) / 10
    given = unit_SMK, kept_SM, upper_ST, (Cut(0.85, 0.05), Cut(0.5, 0.1))
    plain = lines.members_lines(*given)
    monkeypatch.setattr(in_compiled_code, "_functions", functions)
    assert_same_lines(lines.members_lines(*given), plain)


@pytest.mark.parametrize("axis", [(1.0, -1.0), (-1.0, 1.0), (1.0, 2.0, -3.0), (0.0, 1.0, -1.0), (-2.0, 1.0, 1.0)])
def test_an_axis_whose_entries_cancel_has_its_sign_compiled(axis, functions, monkeypatch):
    kernel_M1 = torch.tensor([1.0, -2.0, 1.0, 3.0, -1.0, 1.0], dtype=torch.float64)[:, None]
    found, plain = lines_both_ways((kernel_M1 * torch.tensor(axis, dtype=torch.float64))[None], functions, monkeypatch)
    assert_same_lines(found, plain)


def test_two_equal_directions_have_an_axis_in_their_plane_compiled(functions, monkeypatch):
    # four kernels on each of two axes at a right angle are two lines; all eight together have no axis of their own
    weight_SMK = torch.eye(3, dtype=torch.float64)[[0, 1] * 4][None]
    found, plain = lines_both_ways(weight_SMK, functions, monkeypatch)
    assert np.array_equal(found[0].label_SM, plain[0].label_SM)
    assert np.array_equal(found[0].tightness_S, [1.0])
    assert 0.5 <= found[0].mean_abs_cos_S[0] <= np.sqrt(0.5) + 1e-12


def test_a_compiled_cut_that_is_none_is_refused(functions, monkeypatch):
    monkeypatch.setattr(in_compiled_code, "_functions", functions)
    unit_SMK = kernels.units_of(layers(6))
    with pytest.raises(ValueError, match="0 < cut < 1"):
        lines.members_lines(unit_SMK, np.ones((7, 30), bool), similarity.pairs_of(unit_SMK).upper_ST, [Cut(1.5, 0.1)])


@pytest.mark.parametrize("entries", [1, 6, 32])
def test_compiled_pairs_are_cosines(entries, functions, monkeypatch):
    unit_SMK = kernels.units_of(torch.randn(5, 20, entries, dtype=torch.float64, generator=generator(0)))
    unit_SMK[1, 3] = torch.nan
    plain_ST = similarity.pairs_of(unit_SMK).upper_ST
    monkeypatch.setattr(in_compiled_code, "_functions", functions)
    found_ST = similarity.pairs_of(unit_SMK).upper_ST
    np.testing.assert_allclose(found_ST, plain_ST, rtol=0, atol=1e-15)
    assert np.isnan(found_ST[1]).sum() == 20
    assert np.nanmax(np.abs(found_ST)) <= 1
    # as they are used by whoever lays kernels out in another way
    turned_SMK = unit_SMK.mT.contiguous().mT
    np.testing.assert_array_equal(similarity.pairs_of(turned_SMK).upper_ST, found_ST)


def random_lines(seed: int, members: int = 200, kernels: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Labels and signs of layers with up to five lines, and kernels on none."""
    drawn = np.random.default_rng(seed)
    most_S1 = drawn.integers(0, 6, (members, 1))
    label_SM = np.minimum(drawn.integers(-2, 5, (members, kernels)), most_S1 - 1)
    # numbered without a gap, as they are found
    for row, label_M in enumerate(label_SM):
        used, at = np.unique(label_M[label_M >= 0], return_inverse=True)
        label_SM[row, label_M >= 0] = at
        assert len(used) <= 5
    return label_SM, np.where(label_SM >= 0, drawn.choice([-1, 1], label_SM.shape), 0)


def test_lines_are_followed_the_same_compiled(functions, monkeypatch):
    numbers = list(range(200))
    plain, compiled = tracking.Tracker(), tracking.Tracker()
    label_SM, sign_SM = random_lines(0)
    drawn = np.random.default_rng(9)
    matched = 0
    for seed in range(6):
        expected = plain.follow(numbers, label_SM, sign_SM)
        with monkeypatch.context() as patch:
            patch.setattr(in_compiled_code, "_functions", functions)
            found = compiled.follow(numbers, label_SM, sign_SM)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
        matched += int((found[0] != label_SM).any())
        # of a third of the kernels another line, of some layers none, and of others all lines
        other_label_SM, other_sign_SM = random_lines(seed + 1)
        moved_SM = drawn.random(label_SM.shape) < drawn.choice([0, 0.3, 1], (200, 1))
        label_SM = np.where(moved_SM, other_label_SM, label_SM)
        sign_SM = np.where(moved_SM, other_sign_SM, np.where(label_SM >= 0, -sign_SM, 0))
        for row, label_M in enumerate(label_SM):
            label_SM[row, label_M >= 0] = np.unique(label_M[label_M >= 0], return_inverse=True)[1]
    assert matched > 3, "lines that have other names than they were found with"


def test_lines_that_a_damaged_file_numbers_beyond_its_kernels_are_not_gone_on_from(functions, monkeypatch):
    monkeypatch.setattr(in_compiled_code, "_functions", functions)
    label_SM, sign_SM = random_lines(0, members=1)
    tracker = tracking.Tracker()
    tracker.take_up(0, np.where(label_SM[0] >= 0, 32_767, label_SM[0]), sign_SM[0])
    found = tracker.follow([0], label_SM, sign_SM)
    np.testing.assert_array_equal(found, (label_SM, sign_SM))
