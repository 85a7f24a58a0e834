"""Condensed lines and directions of a layer.

# S members, M kernels, J of them kept, K entries a kernel, L lines of one member, G lines of all, R kernels of a line

A line is an axis through the origin on which kernels lie, whatever their side; a direction is one side of it. All
members are worked on at once: what is asked of one layer is of one member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from condense_core.measures.joining import Joins, joins
from condense_core.measures.kernels import as_kernels, norms_of, units_of
from condense_core.measures.principal import principal_axes
from condense_core.measures.similarity import cosines, upper_triangle
from condense_core.thresholds import DROPPED, FINE, LARGE_PERCENTILE, NO_LINE, SMALL_NORM, Cut

_Array = np.ndarray[Any, Any]

# Entries of kernels on lines that are put side by side at a time, 8 bytes each.
AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class Trees:
    """The kept kernels of each member's layer and how they join, before any cut: cut at several settings at little
    cost. On the CPU, in float64."""

    kept_SM: _Array
    unit_SMK: Tensor
    """Directions; 0 for a kernel that is not kept."""
    joins: Joins
    mean_abs_cos_S: _Array


@dataclass(frozen=True, eq=False)
class CondensedLines:
    """Where a layer has condensed to; lines are numbered by size, largest first, and all tensors are on the CPU.

    `label_M` (M,) int64: the kernel's line, NO_LINE (-1) on none, DROPPED (-2) for a small or undefined norm.
    `sign_M` (M,) int64: +1 or -1, the side of its line's axis, 0 on no line. `axes_LK` float64: unit principal axes.
    `coverage`: share of kept kernels that are on lines, NaN if none is kept. `mean_abs_cos`: mean |cos| of all kept
    kernels with their common top principal axis, near 1 only for a single line; NaN for fewer than two kept kernels,
    since one kernel is its own axis. `tightness`: mean |cos| of the kernels on lines with the axis of their own line,
    near 1 for any number of lines; NaN if there is none.
    """

    label_M: Tensor
    sign_M: Tensor
    axes_LK: Tensor
    sizes: tuple[int, ...]
    directions: int
    kept: int
    coverage: float
    mean_abs_cos: float
    tightness: float

    @property
    def lines(self) -> int:
        return len(self.sizes)


class Judged(NamedTuple):
    """`coverage` and `tightness` of `CondensedLines`."""

    coverage: float
    tightness: float


@dataclass(frozen=True, eq=False)
class MembersLines:
    """`CondensedLines` of each member, as arrays on the CPU; lines of all members one after the other."""

    label_SM: _Array
    sign_SM: _Array
    axis_GK: Tensor
    size_G: _Array
    end_S: _Array
    """Where each member's lines end among all."""
    directions_S: _Array
    kept_S: _Array
    coverage_S: _Array
    mean_abs_cos_S: _Array
    tightness_S: _Array

    @property
    def lines_S(self) -> _Array:
        lines_S: _Array = np.diff(self.end_S, prepend=0)
        return lines_S

    @property
    def sizes_S(self) -> list[tuple[int, ...]]:
        """The sizes of each member's lines."""
        size_G, end_S = tuple(self.size_G.tolist()), self.end_S.tolist()
        return [size_G[begin:end] for begin, end in zip([0, *end_S[:-1]], end_S, strict=True)]

    def of(self, row: int) -> CondensedLines:
        """One member's lines."""
        return CondensedLines(
            label_M=torch.from_numpy(self.label_SM[row]),
            sign_M=torch.from_numpy(self.sign_SM[row]),
            axes_LK=self.axis_GK[self._own(row)],
            sizes=tuple(self.size_G[self._own(row)].tolist()),
            directions=int(self.directions_S[row]),
            kept=int(self.kept_S[row]),
            coverage=float(self.coverage_S[row]),
            mean_abs_cos=float(self.mean_abs_cos_S[row]),
            tightness=float(self.tightness_S[row]),
        )

    def _own(self, row: int) -> slice:
        return slice(int(self.end_S[row - 1]) if row else 0, int(self.end_S[row]))


def keep_kernels(norm_M: Tensor, threshold: float | None = None) -> Tensor:
    """Which kernels are large enough to have a direction of their own, shape (M,), bool.

    Kept: norms of at least 0.1 × the 90th percentile of the layer's (finite) norms, or of at least `threshold` (in the
    units of the weights; Zhou et al. 2022, fig. 11 uses 0.1), which alone is not scale-free. Norms that are 0 or not
    finite are never kept.
    """
    return torch.from_numpy(kept_kernels(norm_M[None].cpu().numpy(), threshold)[0]).to(norm_M.device)


def kept_kernels(norm_SM: _Array, threshold: float | None = None) -> _Array:
    """`keep_kernels` of each member, (S, M) bool."""
    finite_SM = np.isfinite(norm_SM)
    usable_SM: _Array = finite_SM & (norm_SM > 0)
    if threshold is not None:
        return usable_SM & (norm_SM >= threshold)
    if norm_SM.shape[1] == 0:
        return usable_SM
    ordered_SM = np.sort(np.where(finite_SM, norm_SM, np.inf).astype(np.float64), axis=1)
    last_S = finite_SM.sum(axis=1).clip(min=1) - 1
    below_S, between_S = np.divmod(LARGE_PERCENTILE * last_S, 1.0)
    row_S, low_S = np.arange(len(norm_SM)), below_S.astype(np.int64)
    low, high = ordered_SM[row_S, low_S], ordered_SM[row_S, np.minimum(low_S + 1, last_S)]
    with np.errstate(invalid="ignore"):
        # of a member without any finite norm it is not finite, and nothing of it is usable
        least_S = SMALL_NORM * (low + between_S * (high - low))
        usable_SM &= norm_SM >= least_S[:, None]
    return usable_SM


def linkage_tree(weight_MK: Tensor, *, threshold: float | None = None) -> Trees:
    """Average linkage of the kept kernels under the distance 1 - |cos|; time and memory grow as M²."""
    rows_SMK = as_kernels(weight_MK).cpu()[None]
    kept_SM = kept_kernels(norms_of(rows_SMK).numpy(), threshold)
    unit_SMK = units_of(rows_SMK)
    return linkage_trees(unit_SMK, kept_SM, upper_triangle(cosines(unit_SMK).numpy()))


def linkage_trees(unit_SMK: Tensor, kept_SM: _Array, upper_ST: _Array) -> Trees:
    """`linkage_tree` of each member, from its kernels' directions, on the CPU, and the cosines of all pairs
    (`similarity.upper_triangle`)."""
    unit_SMK = only_kept(unit_SMK, kept_SM)
    return Trees(kept_SM, unit_SMK, joins(upper_ST, kept_SM), _mean_abs_cos(unit_SMK, kept_SM.sum(axis=1)))


def only_kept(unit_SMK: Tensor, kept_SM: _Array) -> Tensor:
    """Directions on the CPU with 0 in place of those of kernels that are not kept."""
    return unit_SMK if kept_SM.all() else torch.where(torch.from_numpy(kept_SM)[:, :, None], unit_SMK, 0.0)


def cut_tree(tree: Trees, *, cut: float = FINE.cos, smallest_share: float = FINE.share) -> CondensedLines:
    """Lines and directions of one member's tree: `cut_trees`."""
    return cut_trees(tree, cut=cut, smallest_share=smallest_share).of(0)


def cut_trees(trees: Trees, *, cut: float = FINE.cos, smallest_share: float = FINE.share) -> MembersLines:
    """Lines and directions of trees cut where the mean |cos| between two groups falls below `cut`.

    A line is a group of at least max(2, smallest_share × kept) kernels; a direction is a side of a line that holds at
    least half that many. Raises ValueError for a cut outside (0, 1) or a share outside [0, 1].
    """
    return cut_at_each(trees, [Cut(cut, smallest_share)])[0]


def cut_at_each(trees: Trees, cuts: Sequence[Cut]) -> list[MembersLines]:
    """`cut_trees` at several settings; the axis of a line that is one at more of them is found once."""
    for cut in cuts:
        check_cut(cut)
    # at another cut a member is as good as another member
    kept_XM = np.concatenate([trees.kept_SM] * len(cuts))
    group_XM = np.concatenate([trees.joins.groups_at(1.0 - cut.cos) for cut in cuts])
    share_X = np.repeat([cut.share for cut in cuts], len(trees.kept_SM))
    member_G, place_GR, size_G = _lines_of(kept_XM, group_XM, share_X)
    nowhere = trees.kept_SM.size
    kernel_GR = np.where(place_GR < kept_XM.size, place_GR % max(1, nowhere), nowhere)
    # groups of one tree are inside or outside each other: with a kernel and the size in common they are the same
    first_G = kernel_GR[:, 0] if kernel_GR.shape[1] else size_G
    _, one_G, same_G = np.unique(first_G * (nowhere + 1) + size_G, return_index=True, return_inverse=True)
    axis_GK, along_GR = _along(trees.unit_SMK, kernel_GR[one_G])
    axis_GK, along_GR = axis_GK[torch.from_numpy(same_G)], along_GR[same_G]

    end_X = np.searchsorted(member_G, np.arange(len(kept_XM)), side="right")
    number_G = np.arange(len(member_G)) - np.concatenate([[0], end_X])[member_G]
    on_GR = place_GR < kept_XM.size
    place_N, side_GR = place_GR[on_GR], np.where(along_GR < 0, -1, 1)
    label_XM, sign_XM = np.where(kept_XM, NO_LINE, DROPPED), np.zeros(kept_XM.shape, np.int64)
    label_XM.ravel()[place_N] = np.repeat(number_G, size_G)
    sign_XM.ravel()[place_N] = side_GR[on_GR]

    kept_X = kept_XM.sum(axis=1)
    positive_G = ((side_GR > 0) & on_GR).sum(axis=1)
    directions_G = sum(
        ((side_G >= 1) & (2 * side_G / kept_X[member_G] >= share_X[member_G])).astype(np.int64)
        for side_G in (positive_G, size_G - positive_G)
    )
    directions_X = np.bincount(member_G, directions_G, len(kept_X)).astype(np.int64)
    close_G = np.minimum(np.abs(along_GR), 1.0).sum(axis=1)
    covered_X = np.bincount(member_G, size_G, len(kept_X))
    with np.errstate(invalid="ignore"):
        coverage_X = covered_X / kept_X
        tightness_X = np.bincount(member_G, close_G, len(kept_X)) / covered_X
    found, begin, members = [], 0, len(trees.kept_SM)
    for first in range(0, len(kept_X), members or 1):
        own = slice(first, first + members)
        end = int(end_X[own][-1])
        found.append(
            MembersLines(
                label_SM=label_XM[own],
                sign_SM=sign_XM[own],
                axis_GK=axis_GK[begin:end],
                size_G=size_G[begin:end],
                end_S=end_X[own] - begin,
                directions_S=directions_X[own],
                kept_S=kept_X[own],
                coverage_S=coverage_X[own],
                mean_abs_cos_S=trees.mean_abs_cos_S,
                tightness_S=tightness_X[own],
            )
        )
        begin = end
    return found


def check_cut(cut: Cut) -> None:
    """ValueError for a cut outside (0, 1) or a share outside [0, 1]."""
    if not (0 < cut.cos < 1 and 0 <= cut.share <= 1):
        got = f"{cut.cos}, {cut.share}"
        raise ValueError(f"cut, smallest_share: expected 0 < cut < 1 and 0 ≤ share ≤ 1, got {got}")


def condensed_lines(
    weight_MK: Tensor, *, cut: float = FINE.cos, smallest_share: float = FINE.share, threshold: float | None = None
) -> CondensedLines:
    """Condensed lines and directions of a layer: `linkage_tree` and `cut_tree` in one.

    Average linkage on 1 - |cos| because complete linkage splits a line with a few stragglers, and single linkage chains
    two lines into one. In few dimensions random kernels form lines too: judge with `null.is_condensed`.
    """
    return cut_tree(linkage_tree(weight_MK, threshold=threshold), cut=cut, smallest_share=smallest_share)


def abs_cos_with_axis(weight_MK: Tensor, *, threshold: float | None = None) -> float:
    """Mean |cos| of the kept kernels with their common top principal axis, in [0, 1]: `CondensedLines.mean_abs_cos`
    without the clustering, for sets too large for that. NaN for fewer than two kept kernels."""
    return float(abs_cos_with_axes(as_kernels(weight_MK)[None], threshold=threshold)[0])


def abs_cos_with_axes(weight_SMK: Tensor, *, threshold: float | None = None) -> _Array:
    """`abs_cos_with_axis` of each member, (S,)."""
    rows_SMK = weight_SMK.detach().cpu()
    kept_SM = kept_kernels(norms_of(rows_SMK).numpy(), threshold)
    return _mean_abs_cos(only_kept(units_of(rows_SMK), kept_SM), kept_SM.sum(axis=1))


def display_order(label_M: Tensor, sign_M: Tensor) -> Tensor:
    """Order in which a heatmap shows its blocks, a permutation (M,): by line, within it by side, the rest after."""
    place_M = torch.where(label_M >= 0, 2 * label_M + (sign_M < 0), torch.iinfo(torch.int64).max - 2 - label_M)
    return place_M.argsort(stable=True)


def _lines_of(kept_SM: _Array, group_SM: _Array, share_S: _Array) -> tuple[_Array, _Array, _Array]:
    """The lines of all members, by member, the largest first: the member of each (G,), the places of its kernels among
    those of all members (G, R) in rising order, filled up with S·M, and its size (G,)."""
    members, kernels = kept_SM.shape
    # groups of all members: those of kernels that are not kept are left out with the ones too small
    step = 2 * kernels + 1
    key_N = (group_SM + np.arange(members)[:, None] * step).ravel()
    place_N = np.argsort(key_N, kind="stable")
    key_N = key_N[place_N]
    start_G = np.flatnonzero(np.diff(key_N, prepend=-1))
    size_G = np.diff(start_G, append=len(key_N))
    member_G = place_N[start_G] // max(1, kernels)
    kept_G = kept_SM.sum(axis=1)[member_G]
    # a quotient of whole numbers is compared, since 0.05 × kept may land a last bit above a whole number
    large_G = (size_G >= 2) & (key_N[start_G] % step > 0) & (size_G / kept_G.clip(min=1) >= share_S[member_G])
    start_G, size_G, member_G = start_G[large_G], size_G[large_G], member_G[large_G]
    order_G = np.lexsort((place_N[start_G], -size_G, member_G))
    start_G, size_G, member_G = start_G[order_G], size_G[order_G], member_G[order_G]
    step_R = np.arange(size_G.max(initial=0))
    inside_GR = step_R < size_G[:, None]
    at_GR = np.where(inside_GR, start_G[:, None] + step_R, 0)
    return member_G, np.where(inside_GR, place_N[at_GR] if len(place_N) else at_GR, members * kernels), size_G


def _along(unit_SMK: Tensor, place_GR: _Array) -> tuple[Tensor, _Array]:
    """The axis of each line (G, K), and of each of its kernels the cosine with it (G, R), 0 where it has no more."""
    entries = unit_SMK.shape[2]
    rows_NK = torch.cat([unit_SMK.reshape(-1, entries), unit_SMK.new_zeros(1, entries)])
    lines, most = place_GR.shape
    axes, along = [rows_NK[:0]], [np.zeros((0, most))]
    at_once = max(1, AT_ONCE // max(1, most * entries))
    for first in range(0, lines, at_once):
        unit_GRK = rows_NK[torch.from_numpy(place_GR[first : first + at_once])]
        axes.append(principal_axes(unit_GRK))
        along.append((unit_GRK @ axes[-1][:, :, None])[:, :, 0].numpy())
    return torch.cat(axes), np.concatenate(along)


def _mean_abs_cos(unit_SMK: Tensor, kept_S: _Array) -> _Array:
    """Mean |cos| of the kept kernels with their common axis, (S,); the rows of others are 0."""
    if unit_SMK.shape[1] == 0:
        return np.full(len(unit_SMK), np.nan)
    along_SM = (unit_SMK @ principal_axes(unit_SMK)[:, :, None])[:, :, 0].numpy()
    total_S = np.minimum(np.abs(along_SM), 1.0).sum(axis=1)
    return np.where(kept_S > 1, total_S / np.maximum(1, kept_S), np.nan)
