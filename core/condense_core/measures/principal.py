"""The axis that a set of directions lies along, and one rule for its sign.

# J directions, K entries a kernel, G sets of them
"""

from __future__ import annotations

import math

import numpy as np
import torch
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
    return principal_axes(unit_JK.detach().to("cpu", torch.float64)[None])[0]


def principal_axes(unit_GJK: Tensor) -> Tensor:
    """`principal_axis` of each of several sets, (G, K); finite float64 rows on the CPU, those that do not count 0.

    Of a set without any direction it is any axis.
    """
    rows, entries = unit_GJK.shape[1:]
    if min(rows, entries) > DENSE_SIDE:
        # Lanczos finds nothing in a set without any direction
        axis_GK = torch.stack(
            [largest_by_lanczos(unit_JK, 1)[1][0] if unit_JK.any() else unit_JK[0] + 1.0 for unit_JK in unit_GJK]
        )
    elif rows < entries:
        last_GJ = torch.linalg.eigh(unit_GJK @ unit_GJK.mT).eigenvectors[:, :, -1]
        axis_GK = (last_GJ[:, None, :] @ unit_GJK)[:, 0]
    else:
        axis_GK = torch.linalg.eigh(unit_GJK.mT @ unit_GJK).eigenvectors[:, :, -1]
    return fix_signs(axis_GK / torch.linalg.vector_norm(axis_GK, dim=1, keepdim=True))


def fix_sign(axis_K: Tensor) -> Tensor:
    """±axis_K, the one whose entries sum to more than zero; where they cancel, the one whose largest entry is positive.

    "Cancel" means to within the rounding of the sum itself, so that noise in the last bits does not choose the sign;
    of several largest entries, equal to within the same rounding, the first counts. NaN passes through.
    """
    return axis_K * sign_of(axis_K.tolist())


def fix_signs(axes_GK: Tensor) -> Tensor:
    """`fix_sign` of each row."""
    total_G, size_G = axes_GK.sum(dim=1), axes_GK.abs().sum(dim=1)
    sign_G = torch.where(total_G < 0, -1.0, 1.0)
    # a plain sum is off by no more than this: only near 0 the exact one may have the other sign
    close_G = total_G.abs() <= 4 * axes_GK.shape[1] * torch.finfo(torch.float64).eps * size_G
    for row in close_G.nonzero()[:, 0].tolist():
        sign_G[row] = sign_of(axes_GK[row].tolist())
    return axes_GK * sign_G[:, None]


def sign_of(values: list[float]) -> float:
    """What `fix_sign` multiplies an axis of these entries by."""
    total, size = math.fsum(values), math.fsum(map(abs, values))
    rounding = len(values) * torch.finfo(torch.float64).eps
    if abs(total) <= rounding * size:
        largest = max(map(abs, values), default=0.0)
        total = next((value for value in values if abs(value) >= largest * (1 - rounding)), 0.0)
    return -1.0 if total < 0 else 1.0


def largest_by_lanczos(rows_JK: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` largest singular values (count,), largest first, and their right singular vectors (count, K).

    For matrices too large to decompose whole; count < K. Entries must be of order 1, since values are squared.
    """
    # a tenth of a second, which only such matrices are worth
    from scipy.sparse.linalg import LinearOperator, eigsh

    rows, entries = rows_JK.numpy(), rows_JK.shape[1]
    gram = LinearOperator((entries, entries), matvec=lambda v: rows.T @ (rows @ v), dtype=np.float64)
    # a fixed start: scipy would draw one from the global generator
    start = np.random.default_rng(0).standard_normal(entries)
    squares, vectors = eigsh(gram, k=count, which="LA", v0=start, tol=LANCZOS_TOLERANCE)
    values = np.sqrt(squares.clip(min=0.0))
    return torch.from_numpy(values[::-1].copy()), torch.from_numpy(vectors.T[::-1].copy())
