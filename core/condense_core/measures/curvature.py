"""Eigenvalues of large symmetric matrices that are known by their products only: the Hessian of a loss.

# P parameters
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatVector = NDArray[np.float64]
Product = Callable[[FloatVector], FloatVector]

# Below so many parameters the matrix itself is made: as many products as Lanczos' method would take.
SMALL = 48
# Relative error that an eigenvalue may have; and vectors that Lanczos' method keeps.
TOLERANCE = 1e-9
KEPT_VECTORS = 24
# Of what a learning rate is taken from, or only its sign and size matter.
ROUGHLY = 1e-2


class Extremes(NamedTuple):
    """The largest eigenvalues, first the largest, and the smallest; NaN where they were not found."""

    largest: FloatVector
    smallest: float


def extremes(product: Product, size: int, count: int, tolerance: float = TOLERANCE) -> Extremes:
    """The `count` largest and the smallest eigenvalue of a symmetric matrix (P, P), given v -> its product with v.

    By implicitly restarted Lanczos (ARPACK), started from one vector whatever the matrix: the same product gives the
    same bits. Eigenvalues that are not found to the tolerance are NaN, never a guess. Of one that occurs several times
    Lanczos' method may find fewer than there are.
    """
    count = min(count, size)
    if size <= SMALL:
        values = np.linalg.eigvalsh(np.stack([product(row) for row in np.eye(size)]))
        return Extremes(values[::-1][:count].copy(), float(values[0]))
    largest = _found(product, size, count, "LA", tolerance)
    smallest = _found(product, size, 1, "SA", tolerance)
    return Extremes(largest[::-1].copy(), float(smallest[0]))


def largest_magnitude(product: Product, size: int) -> float:
    """The largest |eigenvalue| of a symmetric matrix (P, P), with a residual below ROUGHLY of it; NaN if not found.

    Lanczos' method is not hindered by λ and -λ of one size: it finds both.
    """
    if size <= SMALL:
        ends = extremes(product, size, 1)
        return max(abs(float(ends.largest[0])), abs(ends.smallest))
    return float(np.abs(_found(product, size, 1, "LM", ROUGHLY)).max())


def _found(product: Product, size: int, count: int, which: str, tolerance: float) -> FloatVector:
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

    start = np.random.default_rng(0).standard_normal(size)
    operator: Any = LinearOperator((size, size), matvec=product, dtype=np.float64)
    try:
        values = eigsh(
            operator,
            count,
            which=which,
            v0=start,
            ncv=min(size, max(KEPT_VECTORS, 2 * count + 1)),
            tol=tolerance,
            return_eigenvectors=False,
        )
    except ArpackError:
        return np.full(count, math.nan)
    return np.sort(np.asarray(values, np.float64))
