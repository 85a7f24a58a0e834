"""Norms, directions and velocities of kernels in compiled code.   # S members, M kernels, K entries a kernel, N = S·M

Imported where `in_compiled_code` has it compiled, and nowhere else: it needs Numba.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray

from condense_core.measures.compiled_ways import inner, summing

# The bits of a float that are its size: of larger numbers they are larger, and largest of NaN.
SIZE_BITS = np.iinfo(np.int64).max
# Those of infinity, which are those of its exponent alone; of 2 to the power of -1022 and of 1023.
INFINITY_BITS = 2047 << 52
LEAST_BITS, MOST_BITS = 1 << 52, 2046 << 52


def units(rows: Any, norms: Any, directions: Any, count: Any, entries: Any, wanted: Any) -> None:
    """Euclidean norms (N,) of kernels (N, K), as `kernels.norms_of`, and where they are `wanted` (1) also directions
    (N, K), as `kernels.units_of`."""
    row_NK, norm_N = carray(rows, (count, entries)), carray(norms, (count,))
    unit_NK = carray(directions, (count * wanted, entries))
    bits_NK, norm_bits_N = row_NK.view(np.int64), norm_N.view(np.int64)
    for row in range(count):
        # a number is made of bits where it lies in memory
        norm_bits_N[row] = scale_of(largest_of(bits_NK[row]))
        scale = norm_N[row]
        length = math.sqrt(_square(row_NK[row], scale))
        norm_N[row] = length / scale
        for entry in range(entries if wanted else 0):
            unit_NK[row, entry] = row_NK[row, entry] * scale / length


def along(units: Any, directions: Any, cosines: Any, members: Any, kernels: Any, entries: Any) -> None:
    """Cosines (S, M) of kernels with these directions (S, M, K) with a direction of each member (S, K), both of norm
    1."""
    unit_SMK, direction_SK = carray(units, (members, kernels, entries)), carray(directions, (members, entries))
    cosine_SM = carray(cosines, (members, kernels))
    for member in range(members):
        for kernel in range(kernels):
            cosine = _product(unit_SMK[member, kernel], direction_SK[member])
            # in this order NaN stays NaN
            cosine = min(cosine, 1.0)
            cosine_SM[member, kernel] = max(cosine, -1.0)


def turning(units: Any, norms: Any, velocities: Any, ratios: Any, cosines: Any, count: Any, entries: Any) -> None:
    """`motion.Turning` (N,) of kernels with these directions (N, K), norms (N,) and velocities (N, K)."""
    unit_NK, velocity_NK = carray(units, (count, entries)), carray(velocities, (count, entries))
    norm_N, ratio_N, cosine_N = carray(norms, (count,)), carray(ratios, (count,)), carray(cosines, (count,))
    bits_NK, ratio_bits_N = velocity_NK.view(np.int64), ratio_N.view(np.int64)
    for row in range(count):
        unit_K, velocity_K = unit_NK[row], velocity_NK[row]
        ratio_bits_N[row] = scale_of(largest_of(bits_NK[row]))
        scale = ratio_N[row]
        along, across = 0.0, 0.0
        for entry in range(entries):
            along += velocity_K[entry] * scale * unit_K[entry]
        for entry in range(entries):
            part = velocity_K[entry] * scale - along * unit_K[entry]
            across += part * part
        ratio_N[row] = math.sqrt(across) / norm_N[row] / abs(along)
        cosine_N[row] = min(abs(along) / math.sqrt(_square(velocity_K, scale)), 1.0)


@inner
def scale_of(largest: Any) -> Any:
    """What the largest of some numbers, as bits of its size, is multiplied by so that its square is a number, and that
    of what is as small as rounding of it: bits of a power of 2, which changes no other bit. 0 of what is not finite."""
    if largest >= INFINITY_BITS:
        return 0
    return max(MOST_BITS - (largest & INFINITY_BITS), LEAST_BITS)


@inner
def largest_of(bits_K: Any) -> Any:
    largest = 0
    for entry in range(len(bits_K)):
        largest = max(largest, bits_K[entry] & SIZE_BITS)
    return largest


@summing
def _product(one_K: Any, other_K: Any) -> Any:
    product = 0.0
    for entry in range(len(one_K)):
        product += one_K[entry] * other_K[entry]
    return product


@summing
def _square(row_K: Any, scale: Any) -> Any:
    square = 0.0
    for entry in range(len(row_K)):
        square += (row_K[entry] * scale) * (row_K[entry] * scale)
    return square
