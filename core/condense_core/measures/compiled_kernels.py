"""Norms and directions of kernels in compiled code.   # N kernels, K entries a kernel

Imported where `in_compiled_code` has it compiled, and nowhere else: it needs Numba.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray, njit

# All of a float but its sign: of larger numbers they are larger, and largest of NaN.
SIZE = np.iinfo(np.int64).max

_inner = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
# Sums in whatever order: several numbers are added up at a time.
_summing = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, fastmath={"reassoc", "contract"})


def units(rows: Any, norms: Any, directions: Any, count: Any, entries: Any, wanted: Any) -> None:
    """Euclidean norms (N,) of kernels (N, K), as `kernels.norms_of`, and where they are `wanted` (1) also directions
    (N, K), as `kernels.units_of`."""
    row_NK, norm_N = carray(rows, (count, entries)), carray(norms, (count,))
    unit_NK = carray(directions, (count * wanted, entries))
    bits_NK, norm_bits_N = row_NK.view(np.int64), norm_N.view(np.int64)
    for row in range(count):
        norm_bits_N[row] = _largest(bits_NK[row])
        largest = norm_N[row]
        scale = 1.0 / largest
        if scale < np.inf:
            length = math.sqrt(_square(row_NK[row], scale))
            norm_N[row] = largest * length
            for entry in range(entries if wanted else 0):
                unit_NK[row, entry] = row_NK[row, entry] * scale / length
        else:
            # 0, which has no direction, or so small that 1 over it is too large
            square = 0.0
            for entry in range(entries if largest > 0.0 else 0):
                square += (row_NK[row, entry] / largest) * (row_NK[row, entry] / largest)
            norm_N[row] = largest * math.sqrt(square)
            for entry in range(entries if wanted else 0):
                unit_NK[row, entry] = row_NK[row, entry] / largest / math.sqrt(square)


@_inner
def _largest(bits_K: Any) -> Any:
    largest = 0
    for entry in range(len(bits_K)):
        largest = max(largest, bits_K[entry] & SIZE)
    return largest


@_summing
def _square(row_K: Any, scale: Any) -> Any:
    square = 0.0
    for entry in range(len(row_K)):
        square += (row_K[entry] * scale) * (row_K[entry] * scale)
    return square
