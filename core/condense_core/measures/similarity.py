"""Pairwise similarity of kernels.   # M kernels, K entries a kernel"""

from __future__ import annotations

import torch
from torch import Tensor

from condense_core.measures.kernels import unit_kernels


def cosine_similarity(weight_MK: Tensor) -> Tensor:
    """Cosine of the angle between every two kernels, shape (M, M), float64, in [-1, 1].

    Each row of `weight_MK` is one vectorised kernel (Zhou et al. 2025, eq. 5). A row of norm zero, or with an entry
    that is not finite, has no direction and gives NaN in its row and column, its diagonal entry included.
    """
    unit_MK = unit_kernels(weight_MK)
    return (unit_MK @ unit_MK.T).clamp_(-1.0, 1.0)


def pair_abs_cos(cosine_MM: Tensor) -> float:
    """Mean |cos| over all pairs of two different kernels, in [0, 1], kernels without a direction left out.

    NaN if fewer than two kernels have a direction. 1 says one line; for M random kernels in K dimensions it is
    about sqrt(2 / (π K)), so it says little in few dimensions.
    """
    _check_square(cosine_MM)
    defined_M = ~cosine_MM.diagonal().isnan()
    if not bool(defined_M.all()):
        cosine_MM = cosine_MM[defined_M][:, defined_M]
    kernels = len(cosine_MM)
    if kernels < 2:
        return float("nan")
    # the 1-norm sums |cos| without a second matrix, which halves the time at M = 4096
    total = torch.linalg.vector_norm(cosine_MM, ord=1) - cosine_MM.diagonal().abs().sum()
    return float(total) / (kernels * (kernels - 1))


def pool_similarity(cosine_MM: Tensor, order_M: Tensor, side: int) -> Tensor:
    """The similarity matrix with its kernels in the order given, mean-pooled to at most side × side cells.

    Cell (i, j) is the mean over a block of kernels, blocks being as equal in size as can be; where M ≤ side nothing is
    pooled and the shape is (M, M). Kernels without a direction (NaN on the diagonal) are left out of the means, and a
    cell with no others is NaN. `order_M` is a permutation: kernel order_M[i] stands at place i; anything else, or a
    side below 1, raises ValueError.
    """
    _check_square(cosine_MM)
    kernels = len(cosine_MM)
    if side < 1:
        raise ValueError(f"side: expected 1 or more, got {side}")
    order_M = order_M.to(cosine_MM.device)
    if not torch.equal(order_M.sort().values, torch.arange(kernels, device=order_M.device, dtype=order_M.dtype)):
        raise ValueError(f"order_M: expected a permutation of the {kernels} kernels")
    if kernels <= side:
        return cosine_MM[order_M][:, order_M]
    block_M = torch.empty_like(order_M)
    block_M[order_M] = torch.arange(kernels, device=order_M.device, dtype=order_M.dtype) * side // kernels
    defined_M = ~cosine_MM.diagonal().isnan()
    filled_MM = cosine_MM if bool(defined_M.all()) else cosine_MM.nan_to_num(nan=0.0)
    count_B = cosine_MM.new_zeros(side).index_add_(0, block_M, defined_M.to(cosine_MM.dtype))
    return _sum_blocks(filled_MM, block_M, side) / torch.outer(count_B, count_B)


def _sum_blocks(values_MM: Tensor, block_M: Tensor, side: int) -> Tensor:
    rows = values_MM.new_zeros(side, len(values_MM)).index_add_(0, block_M, values_MM)
    return values_MM.new_zeros(side, side).index_add_(1, block_M, rows)


def _check_square(cosine_MM: Tensor) -> None:
    if cosine_MM.ndim != 2 or cosine_MM.shape[0] != cosine_MM.shape[1]:
        raise ValueError(f"cosine_MM: expected a square matrix (M, M), got {tuple(cosine_MM.shape)}")
