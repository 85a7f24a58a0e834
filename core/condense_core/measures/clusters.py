"""Condensed lines and directions of a layer.   # M kernels, J of them kept, K entries a kernel, L lines

A line is an axis through the origin on which kernels lie, whatever their side; a direction is one side of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform
from torch import Tensor

from condense_core.measures.kernels import kernel_norms, unit_kernels
from condense_core.measures.principal import principal_axis
from condense_core.thresholds import DROPPED, FINE, LARGE_PERCENTILE, NO_LINE, SMALL_NORM


@dataclass(frozen=True, eq=False)
class Tree:
    """The kept kernels of a layer and how they join, before any cut: cut it at several settings at little cost."""

    kept_M: Tensor
    unit_JK: Tensor
    merges: np.ndarray[Any, Any] | None
    """scipy's linkage matrix (J - 1, 4); None if fewer than two kernels are kept."""
    mean_abs_cos: float


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


def keep_kernels(norm_M: Tensor, threshold: float | None = None) -> Tensor:
    """Which kernels are large enough to have a direction of their own, shape (M,), bool.

    Kept: norms of at least 0.1 × the 90th percentile of the layer's (finite) norms, or of at least `threshold` (in the
    units of the weights; Zhou et al. 2022, fig. 11 uses 0.1), which alone is not scale-free. Norms that are 0 or not
    finite are never kept.
    """
    finite_M = torch.isfinite(norm_M)
    usable_M = finite_M & (norm_M > 0)
    if threshold is None:
        if not bool(usable_M.any()):
            return usable_M
        threshold = SMALL_NORM * _quantile(norm_M[finite_M].to(torch.float64), LARGE_PERCENTILE)
    return usable_M & (norm_M >= threshold)


def linkage_tree(weight_MK: Tensor, *, threshold: float | None = None) -> Tree:
    """Average linkage of the kept kernels under the distance 1 - |cos|; time and memory grow as M²."""
    weight_MK = weight_MK.detach().cpu()
    kept_M = keep_kernels(kernel_norms(weight_MK), threshold)
    unit_JK = unit_kernels(weight_MK)[kept_M]
    if len(unit_JK) < 2:
        return Tree(kept_M, unit_JK, None, float("nan"))
    distance_JJ = (1.0 - (unit_JK @ unit_JK.T).abs()).clamp_(min=0.0).fill_diagonal_(0.0)
    merges = linkage(squareform(distance_JJ.numpy(), checks=False), method="average")
    return Tree(kept_M, unit_JK, merges, _abs_cos(unit_JK, principal_axis(unit_JK)))


def cut_tree(tree: Tree, *, cut: float = FINE.cos, smallest_share: float = FINE.share) -> CondensedLines:
    """Lines and directions of a tree cut where the mean |cos| between two groups falls below `cut`.

    A line is a group of at least max(2, smallest_share × kept) kernels; a direction is a side of a line that holds at
    least half that many. Raises ValueError for a cut outside (0, 1) or a share outside [0, 1].
    """
    if not (0 < cut < 1 and 0 <= smallest_share <= 1):
        raise ValueError(f"cut, smallest_share: expected 0 < cut < 1 and 0 ≤ share ≤ 1, got {cut}, {smallest_share}")
    kept = len(tree.unit_JK)
    groups = _groups(tree, cut)
    # a quotient of whole numbers is compared, since 0.05 × kept may land a last bit above a whole number
    groups = [group for group in groups if len(group) >= 2 and len(group) / kept >= smallest_share]
    groups.sort(key=lambda group: (-len(group), group[0]))

    label_J = torch.full((kept,), NO_LINE)
    sign_J = torch.zeros(kept, dtype=torch.int64)
    axes, tightness, directions = [], 0.0, 0
    for number, group in enumerate(groups):
        unit_GK = tree.unit_JK[group]
        axes.append(principal_axis(unit_GK))
        side_G = torch.where(unit_GK @ axes[-1] < 0, -1, 1)
        label_J[group], sign_J[group] = number, side_G
        tightness += len(group) * _abs_cos(unit_GK, axes[-1])
        sides = [int((side_G == side).sum()) for side in (1, -1)]
        directions += sum(side >= 1 and 2 * side / kept >= smallest_share for side in sides)

    label_M = torch.full(tree.kept_M.shape, DROPPED)
    label_M[tree.kept_M] = label_J
    sign_M = torch.zeros(tree.kept_M.shape, dtype=torch.int64)
    sign_M[tree.kept_M] = sign_J
    covered = sum(map(len, groups))
    return CondensedLines(
        label_M=label_M,
        sign_M=sign_M,
        axes_LK=torch.stack(axes) if axes else tree.unit_JK.new_zeros(0, tree.unit_JK.shape[1]),
        sizes=tuple(map(len, groups)),
        directions=directions,
        kept=kept,
        coverage=covered / kept if kept else float("nan"),
        mean_abs_cos=tree.mean_abs_cos,
        tightness=tightness / covered if covered else float("nan"),
    )


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
    weight_MK = weight_MK.detach().cpu()
    unit_JK = unit_kernels(weight_MK[keep_kernels(kernel_norms(weight_MK), threshold)])
    return _abs_cos(unit_JK, principal_axis(unit_JK)) if len(unit_JK) > 1 else float("nan")


def display_order(label_M: Tensor, sign_M: Tensor) -> Tensor:
    """Order in which a heatmap shows its blocks, a permutation (M,): by line, within it by side, the rest after."""
    place_M = torch.where(label_M >= 0, 2 * label_M + (sign_M < 0), torch.iinfo(torch.int64).max - 2 - label_M)
    return place_M.argsort(stable=True)


def _quantile(values: Tensor, share: float) -> float:
    """As torch.quantile, which takes a hundred times as long on so few values."""
    ordered = values.sort().values.tolist()
    below, between = divmod(share * (len(ordered) - 1), 1.0)
    low, high = ordered[int(below)], ordered[min(int(below) + 1, len(ordered) - 1)]
    return float(low + between * (high - low))


def _groups(tree: Tree, cut: float) -> list[list[int]]:
    if tree.merges is None:
        return []
    # scipy's fcluster spends ten times as long on checking the tree as on cutting it
    groups = {number: [number] for number in range(len(tree.unit_JK))}
    for number, (left, right, height, _) in enumerate(tree.merges.tolist(), start=len(tree.unit_JK)):
        # merges come in the order of their height, which average linkage never lowers
        if not height <= 1.0 - cut:
            break
        groups[number] = groups.pop(int(left)) + groups.pop(int(right))
    return [sorted(group) for group in groups.values()]


def _abs_cos(unit_JK: Tensor, axis_K: Tensor) -> float:
    return float((unit_JK @ axis_K).abs().clamp_(max=1.0).mean())
