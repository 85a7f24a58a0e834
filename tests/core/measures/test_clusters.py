import math
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import SCALES, generator, orthogonal_axes, planted_layer
from tolerances import rtol

from condense_core.measures.clusters import (
    condensed_lines,
    cut_tree,
    display_order,
    keep_kernels,
    linkage_tree,
)
from condense_core.thresholds import COARSE, DROPPED, FINE, NO_LINE


def slow_groups(weight, cut):
    """Average linkage by its definition: join the two groups of largest mean |cos| while that is at least `cut`."""
    unit = weight / weight.norm(dim=1, keepdim=True)
    cosine = (unit @ unit.T).abs()
    groups = [[i] for i in range(len(weight))]
    while len(groups) > 1:
        means = {(a, b): float(cosine[groups[a]][:, groups[b]].mean()) for a, b in combinations(range(len(groups)), 2)}
        (a, b), best = max(means.items(), key=lambda item: item[1])
        if best < cut:
            break
        groups[a] = sorted(groups[a] + groups[b])
        del groups[b]
    return sorted(groups)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("cut", [0.5, 0.8, 0.9])
def test_groups_equal_average_linkage_by_definition(seed, cut):
    weight = torch.randn(14, 3, dtype=torch.float64, generator=generator(seed))
    lines = condensed_lines(weight, cut=cut, smallest_share=0.0, threshold=0.0)
    found = sorted(torch.nonzero(lines.label_M == line)[:, 0].tolist() for line in range(lines.lines))
    assert found == [group for group in slow_groups(weight, cut) if len(group) >= 2]


@pytest.mark.parametrize("kernels", [32, 100])
@pytest.mark.parametrize("entries", [3, 28, 289])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_planted_lines_are_found(count, entries, kernels):
    axes = orthogonal_axes(count, entries, seed=entries)
    lines = condensed_lines(planted_layer(axes, kernels, noise=0.1, seed=kernels))
    assert (lines.lines, lines.directions, lines.kept) == (count, 2 * count, kernels)
    assert lines.coverage == 1.0
    assert sum(lines.sizes) == kernels
    assert lines.tightness > 0.98
    overlap = (lines.axes_LK @ axes.T).abs()
    assert (overlap.max(dim=1).values > 0.99).all()
    planted = overlap.argmax(dim=1)[lines.label_M]
    assert torch.equal(planted, torch.arange(kernels) % count)


def test_a_single_line_has_mean_abs_cos_near_one_and_two_lines_have_not():
    one, two = (
        condensed_lines(planted_layer(orthogonal_axes(count, 10, seed=0), 40, noise=0.05, seed=1)) for count in (1, 2)
    )
    assert one.mean_abs_cos > 0.99
    assert two.mean_abs_cos < 0.9
    assert two.tightness > 0.99


def test_mean_abs_cos_is_measured_against_the_top_principal_axis():
    weight = torch.randn(20, 5, dtype=torch.float64, generator=generator(3))
    unit = weight / weight.norm(dim=1, keepdim=True)
    axis = torch.linalg.svd(unit).Vh[0]
    found = condensed_lines(weight, threshold=0.0)
    assert found.mean_abs_cos == pytest.approx(float((unit @ axis).abs().mean()), rel=rtol("eigenvector"))


def test_noise_that_is_large_enough_ends_a_line():
    axes = orthogonal_axes(1, 28, seed=0)
    assert condensed_lines(planted_layer(axes, 50, noise=0.1, seed=0)).lines == 1
    assert condensed_lines(planted_layer(axes, 50, noise=3.0, seed=0)).lines == 0


def test_a_line_on_one_side_has_one_direction():
    axes = orthogonal_axes(2, 10, seed=0)
    lines = condensed_lines(planted_layer(axes, 40, noise=0.05, seed=0, both_sides=False))
    assert (lines.lines, lines.directions) == (2, 2)
    assert lines.sign_M.unique().numel() <= 2
    for line in range(2):
        assert lines.sign_M[lines.label_M == line].unique().numel() == 1


def test_signs_are_the_sides_of_the_axis():
    lines = condensed_lines(weight := planted_layer(orthogonal_axes(2, 10, seed=0), 40, noise=0.05, seed=0))
    along = (weight * lines.axes_LK[lines.label_M]).sum(dim=1)
    assert torch.equal(lines.sign_M, along.sign().long())


def test_a_side_needs_half_of_what_a_line_needs():
    # 40 kernels: a line needs max(2, 5 %) = 2, a direction 1; 80 kernels: 4 and 2
    axis = orthogonal_axes(1, 10, seed=0)
    for kernels, against, directions in [(40, 0, 1), (40, 1, 2), (80, 1, 1), (80, 2, 2)]:
        weight = axis.repeat(kernels, 1)
        weight[:against] *= -1
        assert condensed_lines(weight).directions == directions


@pytest.mark.parametrize(("small", "counted"), [(1, False), (2, True)])
def test_a_line_needs_five_percent_of_the_kept_kernels(small, counted):
    axes = orthogonal_axes(2, 10, seed=0)
    weight = torch.cat([axes[:1].repeat(40 - small, 1), axes[1:].repeat(small, 1)])
    lines = condensed_lines(weight)
    assert lines.sizes == ((40 - small, small) if counted else (40 - small,))
    assert lines.coverage == pytest.approx(1.0 if counted else 39 / 40)
    assert (lines.label_M[-1] == NO_LINE) == (not counted)


def test_a_share_that_is_exactly_reached_counts():
    # 0.1 × 30 and 0.05 × 60 are not exact in binary; 3 kernels of each still are a line
    axes = orthogonal_axes(2, 10, seed=0)
    for kernels, share in [(30, 0.1), (60, 0.05)]:
        weight = torch.cat([axes[:1].repeat(kernels - 3, 1), axes[1:].repeat(3, 1)])
        assert condensed_lines(weight, smallest_share=share).lines == 2


def test_coarse_joins_what_fine_separates():
    angle = math.acos(0.85)
    weight = torch.tensor([[1.0, 0.0]] * 10 + [[math.cos(angle), math.sin(angle)]] * 10, dtype=torch.float64)
    tree = linkage_tree(weight)
    fine, coarse = (cut_tree(tree, cut=cut, smallest_share=share) for cut, share in (FINE, COARSE))
    assert (fine.lines, coarse.lines) == (2, 1)


def test_small_kernels_are_dropped_and_an_absolute_threshold_is_an_option():
    weight = orthogonal_axes(1, 5, seed=0).repeat(20, 1)
    weight[:3] *= 0.05
    lines = condensed_lines(weight)
    assert lines.kept == 17 and (lines.label_M[:3] == DROPPED).all() and lines.coverage == 1.0
    assert condensed_lines(weight, threshold=0.01).kept == 20
    assert condensed_lines(weight, threshold=2.0).kept == 0


def test_keep_kernels_cuts_at_a_tenth_of_the_90th_percentile():
    norm = torch.arange(1.0, 101.0)
    kept = keep_kernels(norm)
    assert torch.equal(kept, norm >= 9.01)
    assert torch.equal(keep_kernels(norm, 50.0), norm >= 50)


def test_kernels_without_a_norm_never_count():
    norm = torch.tensor([math.nan, 0.0, math.inf, 1.0, 1.0])
    expected = torch.tensor([False, False, False, True, True])
    assert torch.equal(keep_kernels(norm), expected)
    assert torch.equal(keep_kernels(norm, 0.0), expected)


@pytest.mark.parametrize("scale", SCALES)
def test_lines_do_not_depend_on_the_scale(scale):
    weight = torch.cat(
        [
            planted_layer(orthogonal_axes(2, 6, seed=0), 30, noise=0.3, seed=0),
            torch.randn(10, 6, generator=generator(1)),
        ]
    )
    here, there = condensed_lines(weight), condensed_lines(weight * scale)
    assert torch.equal(here.label_M, there.label_M) and torch.equal(here.sign_M, there.sign_M)
    assert there.mean_abs_cos == pytest.approx(here.mean_abs_cos, rel=rtol("float64"))


def test_float32_weights_of_1e_30_condense_like_others():
    weight = planted_layer(orthogonal_axes(2, 6, seed=0), 30, noise=0.1, seed=0).float()
    assert condensed_lines(weight * 1e-30).sizes == condensed_lines(weight).sizes == (15, 15)


@pytest.mark.parametrize("bad", [0.0, math.nan, math.inf])
def test_kernels_without_direction_are_dropped_and_change_nothing_else(bad):
    weight = planted_layer(orthogonal_axes(2, 6, seed=0), 30, noise=0.1, seed=0)
    with_bad = torch.cat([weight, torch.full((4, 6), bad, dtype=torch.float64)])
    lines = condensed_lines(with_bad, threshold=0.5)
    assert (lines.label_M[30:] == DROPPED).all() and lines.kept == 30
    assert torch.equal(lines.label_M[:30], condensed_lines(weight, threshold=0.5).label_M)


@pytest.mark.parametrize("kernels", [0, 1, 5])
def test_a_layer_of_zeros_or_nothing_has_no_lines(kernels):
    lines = condensed_lines(torch.zeros(kernels, 4))
    assert (lines.lines, lines.directions, lines.kept) == (0, 0, 0)
    assert math.isnan(lines.coverage) and math.isnan(lines.mean_abs_cos) and math.isnan(lines.tightness)
    assert lines.axes_LK.shape == (0, 4)
    assert (lines.label_M == DROPPED).all()


def test_one_kernel_is_no_line():
    lines = condensed_lines(torch.ones(1, 4))
    assert (lines.lines, lines.kept, lines.coverage) == (0, 1, 0.0)
    assert math.isnan(lines.mean_abs_cos)
    assert lines.label_M.tolist() == [NO_LINE]


@pytest.mark.parametrize("sides", [1, -1])
def test_equal_and_opposite_kernels_are_one_line(sides):
    weight = torch.full((6, 3), 0.1)
    weight[1::2] *= sides
    lines = condensed_lines(weight)
    assert (lines.lines, lines.directions) == (1, 1 if sides == 1 else 2)
    assert lines.mean_abs_cos == pytest.approx(1.0, rel=1e-15)
    assert (lines.axes_LK[0] > 0).all()


@settings(max_examples=40)
@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 2**32), st.sampled_from([0.8, 0.9]))
def test_whatever_the_layer_the_counts_agree(kernels, entries, seed, cut):
    weight = torch.randn(kernels, entries, generator=generator(seed)).round()
    lines = condensed_lines(weight, cut=cut)
    assert [int((lines.label_M == line).sum()) for line in range(lines.lines)] == list(lines.sizes)
    assert list(lines.sizes) == sorted(lines.sizes, reverse=True)
    assert int((lines.label_M != DROPPED).sum()) == lines.kept
    assert torch.equal(lines.sign_M != 0, lines.label_M >= 0)
    assert lines.lines <= lines.directions <= 2 * lines.lines
    torch.testing.assert_close(lines.axes_LK.norm(dim=1), torch.ones(lines.lines, dtype=torch.float64))


def test_the_order_of_display_is_by_line_then_side_then_the_rest():
    label = torch.tensor([-2, 1, 0, -1, 0, 1, 0])
    sign = torch.tensor([0, 1, -1, 0, 1, 1, -1])
    assert display_order(label, sign).tolist() == [4, 2, 6, 1, 5, 3, 0]


@pytest.mark.parametrize(("cut", "share"), [(0.0, 0.1), (1.0, 0.1), (0.9, -0.1), (0.9, 1.1)])
def test_settings_that_mean_nothing_are_refused(cut, share):
    with pytest.raises(ValueError, match="cut, smallest_share"):
        condensed_lines(torch.ones(3, 3), cut=cut, smallest_share=share)
