"""The axis that a set of directions lies along, and one rule for its sign.   # J directions, K entries a kernel"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

# Up to this many rows or columns a dense eigensolver takes at most about 0.1 s; above it, Lanczos is faster.
DENSE_SIDE = 1024
# Relative residual at which Lanczos stops: an axis is then right to about 1e-6, enough to draw and to compare, and a
# 4096 × 4096 layer without any axis (its top eigenvalues nearly equal) takes 5 s, one with an axis 1 s.
LANCZOS_TOLERANCE = 1e-6


def principal_axis(unit_JK: Tensor) -> Tensor:
    """Top principal axis of J directions, shape (K,), float64, norm 1: the v that maximises Σ_j ⟨û_j, v⟩².

    Blind to the sign of each row, as a line is. Rows must be finite and J ≥ 1 (ValueError). Where the two largest
    principal values are equal (two orthogonal directions) the axis is any one in their plane.
    """
    if len(unit_JK) == 0 or not bool(torch.isfinite(unit_JK).all()):
        raise ValueError("principal axis: expected at least one direction, and finite entries")
    rows_JK = unit_JK.detach().to("cpu", torch.float64)
    if min(rows_JK.shape) > DENSE_SIDE:
        axis_K = largest_by_lanczos(rows_JK, 1)[1][0]
    elif len(rows_JK) < rows_JK.shape[1]:
        axis_K = rows_JK.T @ torch.linalg.eigh(rows_JK @ rows_JK.T).eigenvectors[:, -1]
    else:
        axis_K = torch.linalg.eigh(rows_JK.T @ rows_JK).eigenvectors[:, -1]
    return fix_sign(axis_K / torch.linalg.vector_norm(axis_K))


def fix_sign(axis_K: Tensor) -> Tensor:
    """±axis_K, the one whose entries sum to more than zero; where they cancel, the one whose largest entry is positive.

    "Cancel" means to within the rounding of the sum itself, so that noise in the last bits does not choose the sign;
    of several largest entries, equal to within the same rounding, the first counts. NaN passes through.
    """
    values = axis_K.tolist()
    total, size = math.fsum(values), math.fsum(map(abs, values))
    rounding = len(values) * torch.finfo(torch.float64).eps
    if abs(total) <= rounding * size:
        largest = max(map(abs, values), default=0.0)
        total = next((value for value in values if abs(value) >= largest * (1 - rounding)), 0.0)
    return -axis_K if total < 0 else axis_K


def largest_by_lanczos(rows_JK: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` largest singular values (count,), largest first, and their right singular vectors (count, K).

    For matrices too large to decompose whole; count < K. Entries must be of order 1, since values are squared.
    """
    rows, entries = rows_JK.numpy(), rows_JK.shape[1]
    gram = LinearOperator((entries, entries), matvec=lambda v: rows.T @ (rows @ v), dtype=np.float64)
    # a fixed start: scipy would draw one from the global generator
    start = np.random.default_rng(0).standard_normal(entries)
    squares, vectors = eigsh(gram, k=count, which="LA", v0=start, tol=LANCZOS_TOLERANCE)
    values = np.sqrt(squares.clip(min=0.0))
    return torch.from_numpy(values[::-1].copy()), torch.from_numpy(vectors.T[::-1].copy())
