"""Average linkage of all members in compiled code, to the bit as SciPy's.   # S members, M kernels, J of them kept

Imported where `compiled_measures` loads it, and nowhere else: it needs Numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

_NUMBERS, _WHOLE = types.Array(types.float64, 2, "C"), types.Array(types.int64, 2, "C")
_FLAGS = types.Array(types.boolean, 2, "C")

JOIN_SIGNATURE = types.void(_NUMBERS, _FLAGS, types.Array(types.int64, 3, "C"), _NUMBERS)
GROUP_SIGNATURE = types.void(types.Array(types.int64, 3, "C"), _NUMBERS, _FLAGS, types.float64, _WHOLE)

# Called by compiled code only. No distance is NaN, and zeros of either sign are equal: so the least of a row is found
# several numbers at a time.
_inner = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
_least_inner = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, fastmath={"nnan", "nsz"})


def join(upper_ST: Any, kept_SM: Any, pair_SJ2: Any, height_SJ: Any) -> None:
    """A kernel of either side of each join, and its height: those of the first J - 1 rows, in the order in which they
    were found. `upper_ST` is `similarity.upper_triangle` of the cosines; the distance is 1 - |cos|."""
    members, kernels = kept_SM.shape
    distance_MM = np.empty((kernels, kernels))
    for member in range(members):
        join_one(upper_ST[member], kept_SM[member], distance_MM, pair_SJ2[member], height_SJ[member])


def group(pair_SJ2: Any, height_SJ: Any, kept_SM: Any, height: Any, group_SM: Any) -> None:
    """A number for each kernel from 1 on, the same where they are joined at or below `height`; 0 if it is not kept."""
    members, kernels = kept_SM.shape
    for member in range(members):
        group_one(pair_SJ2[member], height_SJ[member], kept_SM[member], height, group_SM[member])
        for kernel in range(kernels):
            group_SM[member, kernel] += 1


@_inner
def join_one(upper_T: Any, kept_M: Any, distance_MM: Any, pair_J2: Any, height_J: Any) -> None:
    """`join` of one member.

    SciPy's `nn_chain`, step by step: of equal distances it has to take the same. What is joined no more is infinitely
    far from all.
    """
    kernels = len(kept_M)
    size_M = np.empty(kernels, np.int64)
    chain_M = np.empty(kernels + 1, np.int64)
    left, at = 0, 0
    for first in range(kernels):
        size_M[first] = 1 if kept_M[first] else 0
        left += size_M[first]
        for second in range(first, kernels):
            distance = 1.0 - abs(upper_T[at]) if kept_M[first] and kept_M[second] and first < second else np.inf
            distance_MM[first, second] = distance
            distance_MM[second, first] = distance
            at += 1
    length, lowest = 0, 0
    for joined in range(left - 1):
        if length == 0:
            while size_M[lowest] == 0:
                lowest += 1
            chain_M[0] = lowest
            length = 1
        while True:
            here = chain_M[length - 1]
            least = _least(distance_MM[here])
            # of equal ones the one before, or the chain would go round in a circle
            if length > 1 and distance_MM[here, chain_M[length - 2]] == least:
                nearest = chain_M[length - 2]
                break
            nearest = 0
            while distance_MM[here, nearest] != least:
                nearest += 1
            chain_M[length] = nearest
            length += 1
        length -= 2
        gone, stays = min(here, nearest), max(here, nearest)
        pair_J2[joined, 0] = gone
        pair_J2[joined, 1] = stays
        height_J[joined] = least
        of_gone, of_stays = size_M[gone], size_M[stays]
        size_M[gone] = 0
        size_M[stays] = of_gone + of_stays
        for other in range(kernels):
            distance_MM[stays, other] = (of_gone * distance_MM[gone, other] + of_stays * distance_MM[stays, other]) / (
                of_gone + of_stays
            )
        distance_MM[stays, gone] = np.inf
        distance_MM[stays, stays] = np.inf
        for other in range(kernels):
            distance_MM[other, gone] = np.inf
            distance_MM[other, stays] = distance_MM[stays, other]


@_inner
def group_one(pair_J2: Any, height_J: Any, kept_M: Any, height: Any, first_M: Any) -> None:
    """The first kernel of those that each is joined to at or below `height`; -1 if it is not kept."""
    kernels = len(kept_M)
    count = 0
    for kernel in range(kernels):
        # while groups are made, the first kernel of each that is known so far
        first_M[kernel] = kernel
        count += kept_M[kernel]
    for joined in range(count - 1):
        if height_J[joined] <= height:
            one, other = pair_J2[joined, 0], pair_J2[joined, 1]
            while first_M[one] != one:
                one = first_M[one]
            while first_M[other] != other:
                other = first_M[other]
            first_M[max(one, other)] = min(one, other)
    for kernel in range(kernels):
        # what it points to comes before it, and points to the first
        first_M[kernel] = first_M[first_M[kernel]] if kept_M[kernel] else -1


@_least_inner
def _least(distance_M: Any) -> Any:
    least = np.inf
    for distance in distance_M:
        least = min(least, distance)
    return least
