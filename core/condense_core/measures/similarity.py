"""Pairwise similarity of kernels.

# S members, M kernels, K entries a kernel, T = M(M + 1)/2 pairs, each kernel with itself too, row by row
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from condense_core.measures import in_compiled_code
from condense_core.measures.kernels import unit_kernels

_Floats = np.ndarray[Any, np.dtype[np.float64]]
_Indices = np.ndarray[Any, np.dtype[np.int64]]


def cosine_similarity(weight_MK: Tensor) -> Tensor:
    """Cosine of the angle between every two kernels, shape (M, M), float64, in [-1, 1].

    Each row of `weight_MK` is one vectorised kernel (Zhou et al. 2025, eq. 5). A row of norm zero, or with an entry
    that is not finite, has no direction and gives NaN in its row and column, its diagonal entry included.
    """
    return cosines(unit_kernels(weight_MK))


def cosines(unit_MK: Tensor) -> Tensor:
    """`cosine_similarity` of directions (…, M, K), of any number of members at once: (…, M, M)."""
    return (unit_MK @ unit_MK.mT).clamp_(-1.0, 1.0)


def upper_triangle(cosine_SMM: _Floats) -> _Floats:
    """Each pair once, (S, T)."""
    members, kernels, _ = cosine_SMM.shape
    return cosine_SMM.reshape(members, kernels * kernels).take(_upper(kernels), axis=1)


class Pairs(NamedTuple):
    """Of all pairs of each member's kernels, `upper_triangle` of the cosines (S, T) and `pair_abs_cos` (S,)."""

    upper_ST: _Floats
    mean_abs_S: _Floats


def pairs_of(unit_SMK: Tensor) -> Pairs:
    """Pairs of each member's directions, in compiled code where there is any for so few entries; off by the last bits
    of a sum then."""
    functions, (members, kernels, entries) = in_compiled_code.functions(), unit_SMK.shape
    if functions is None or not in_compiled_code.is_for(unit_SMK):
        upper_ST = upper_triangle(cosines(unit_SMK).cpu().numpy())
        return Pairs(upper_ST, _mean_pair_abs_cos(upper_ST, kernels))
    found = Pairs(np.empty((members, kernels * (kernels + 1) // 2)), np.empty(members))
    functions["pairs"](unit_SMK.contiguous().numpy(), *found, np.empty((entries, kernels)), members, kernels, entries)
    return found


def _mean_pair_abs_cos(upper_ST: _Floats, kernels: int) -> _Floats:
    """`pair_abs_cos` of each member's `upper_triangle`, (S,)."""
    own = own_pairs(kernels)
    count_S = (~np.isnan(upper_ST[:, own])).sum(axis=1)
    size_ST = np.abs(upper_ST)
    if int(count_S.sum()) < len(upper_ST) * kernels:
        size_ST = np.nan_to_num(size_ST, nan=0.0)
    total_S = 2 * (size_ST.sum(axis=1) - size_ST[:, own].sum(axis=1))
    return np.where(count_S < 2, np.nan, total_S / np.maximum(1, count_S * (count_S - 1)))


@lru_cache(maxsize=16)
def own_pairs(kernels: int) -> _Indices:
    """Where in an upper triangle each kernel stands with itself, (M,)."""
    place_M = np.arange(kernels)
    return place_M * kernels - place_M * (place_M - 1) // 2


@lru_cache(maxsize=16)
def other_pairs(kernels: int) -> _Indices:
    """Where in an upper triangle pairs of two different kernels stand, (T - M,)."""
    return np.delete(np.arange(kernels * (kernels + 1) // 2), own_pairs(kernels))


@lru_cache(maxsize=4)
def pair_kernels(kernels: int) -> tuple[_Indices, _Indices]:
    """The two kernels of each pair of `other_pairs`, (T - M,) each."""
    first, second = np.triu_indices(kernels, 1)
    return first, second


@lru_cache(maxsize=16)
def _upper(kernels: int) -> _Indices:
    row, column = np.triu_indices(kernels)
    return row * kernels + column


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
