"""How many directions a layer uses, without clustering.

# S members, M kernels, K entries a kernel, r singular values
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from condense_core.measures.kernels import unit_kernels
from condense_core.measures.small_matrices import decomposed

# Up to this shorter side an SVD takes at most 20 ms; beyond, eigenvalues of the Gram matrix are twice as fast.
EXACT_SIDE = 256


def direction_spectrum(weight_MK: Tensor) -> Tensor:
    """Singular values of the kernels scaled to norm 1, shape (min(M', K),), float64, largest first; Σ s² = M'.

    M' counts the kernels that have a direction (norm not 0, entries finite), so small kernels weigh as much as large
    ones; drop them first (`clusters.keep_kernels`). On one line s = (√M', 0, …). Above 256 kernels and entries,
    values under 1e-8 of the largest are noise.
    """
    unit_MK = unit_kernels(weight_MK)
    return singular_values(unit_MK[~unit_MK.isnan().any(dim=1)])


def singular_values(matrix_MK: Tensor) -> Tensor:
    """Singular values of matrices (…, M, K) of finite entries, shape (…, min(M, K)), float64, largest first, to
    rounding of the largest. With more than 256 rows and columns, values under 1e-8 of it are noise."""
    matrix_MK = matrix_MK.detach().to(torch.float64)
    rows, entries = matrix_MK.shape[-2:]
    matrix_SMK = matrix_MK.reshape(math.prod(matrix_MK.shape[:-2]), rows, entries)
    found = decomposed(matrix_SMK, 0, lambda left_SMK: (torch.linalg.svdvals(left_SMK), left_SMK[:, :0]))
    if found is not None:
        return found.values.reshape(*matrix_MK.shape[:-2], min(rows, entries))
    if min(rows, entries) <= EXACT_SIDE:
        values: Tensor = torch.linalg.svdvals(matrix_MK)
        return values
    gram = matrix_MK @ matrix_MK.mT if rows < entries else matrix_MK.mT @ matrix_MK
    squares: Tensor = torch.linalg.eigvalsh(gram).flip(-1)
    return squares.clamp_(min=0.0).sqrt_()


def effective_rank(values_r: Tensor) -> float:
    """exp of the entropy of singular values divided by their sum, from 1 (one line) to r (Roy & Vetterli 2007).

    Counts lines only in the mean: two lines of 9 and 1 kernels give less than 2. NaN if there is no value above 0.
    """
    return float(effective_ranks(values_r[None]))


def effective_ranks(values_Sr: Tensor) -> Tensor:
    """`effective_rank` of each row, (S,) float64."""
    total_S = values_Sr.to(torch.float64).sum(dim=1)
    entropy_S = torch.special.entr(values_Sr.to(torch.float64) / total_S[:, None]).sum(dim=1)
    return torch.where(total_S > 0, entropy_S.exp(), torch.nan)
