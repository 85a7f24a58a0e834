"""Outputs of neurons over a sample as rows, to be compared as kernels are.

# N samples, M neurons, E outputs of each: one a sample, of a convolution one at each position; K inputs of a neuron
"""

from __future__ import annotations

import torch
from torch import Tensor

# Deviations from the mean of so many units in the last place of the largest output are rounding: σ at weights of 1e-17
# is σ(0) plus noise, which has no direction.
ROUNDING = 16
# A null of more entries is no other: random directions of 64 entries form no lines at all.
MOST_DIMENSIONS = 64


def centred_rows(output_ME: Tensor) -> Tensor:
    """Each neuron's outputs less their mean over the sample, (M, E) float64; all 0 where they are constant to within
    rounding, as those of a dead or saturated neuron, and NaN where one is not finite.

    The cosine of two such rows is the correlation of the neurons. The mean is left out because the next layer's bias
    takes it up, and because σ(0) ≠ 0 would make all outputs alike at small weights whatever the weights are.
    """
    rows_ME = output_ME.detach().to(torch.float64)
    largest_M1 = rows_ME.abs().amax(dim=1, keepdim=True)
    scale_M1 = torch.where(largest_M1 > 0, largest_M1, torch.ones_like(largest_M1))
    shares_ME = rows_ME / scale_M1
    # twice: the first mean is rounded, and what is left of it would be common to all rows
    for _ in range(2):
        shares_ME = shares_ME - shares_ME.mean(dim=1, keepdim=True)
    constant_M1 = shares_ME.abs().amax(dim=1, keepdim=True) <= ROUNDING * torch.finfo(torch.float64).eps
    return torch.where(constant_M1, 0.0, shares_ME * scale_M1)


def fewer_entries(rows_ME: Tensor) -> Tensor:
    """Rows (M, M) with the same lengths and angles, where each has more entries than there are rows: their coordinates
    in a common basis. Rows as they are where not, or where one is not finite."""
    rows, entries = rows_ME.shape
    if entries <= rows or not bool(rows_ME.isfinite().all()):
        return rows_ME
    upper: Tensor = torch.linalg.qr(rows_ME.T, mode="r").R
    return upper.T.contiguous()


def input_dimensions(input_NK: Tensor) -> int:
    """How many dimensions a layer's inputs fill: (Σλ)² / Σλ², λ the eigenvalues of their covariance, rounded.

    Outputs of random linear neurons have a mean squared cosine of Σλ² / (Σλ)², as random vectors of so many entries
    have, which are therefore the null of outputs. At least 1, also of constant inputs, and at most 64.
    """
    rows_NK = input_NK.detach().to(torch.float64)
    rows_NK = rows_NK - rows_NK.mean(dim=0)
    largest = rows_NK.abs().max()
    if not (float(largest) > 0 and bool(largest.isfinite())):
        return 1
    rows_NK = rows_NK / largest
    gram = rows_NK.T @ rows_NK if rows_NK.shape[0] > rows_NK.shape[1] else rows_NK @ rows_NK.T
    filled = float(gram.trace() ** 2 / gram.square().sum())
    return max(1, min(MOST_DIMENSIONS, round(filled)))
