"""Average linkage of all members in compiled code, to the bit as SciPy's.   # S members, M kernels, J of them kept

Imported where `joining.compile_joining` loads it, and nowhere else: it needs Numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

_NUMBERS, _WHOLE = types.Array(types.float64, 2, "C"), types.Array(types.int64, 2, "C")
_FLAGS = types.Array(types.boolean, 2, "C")

JOIN_SIGNATURE = types.void(_NUMBERS, _FLAGS, types.Array(types.int64, 3, "C"), _NUMBERS)
GROUP_SIGNATURE = types.void(types.Array(types.int64, 3, "C"), _NUMBERS, _FLAGS, types.float64, _WHOLE)


def join(upper_ST: Any, kept_SM: Any, pair_SJ2: Any, height_SJ: Any) -> None:
    """A kernel of either side of each join, and its height: those of the first J - 1 rows, in the order in which they
    were found. `upper_ST` is `similarity.upper_triangle` of the cosines; the distance is 1 - |cos|.

    SciPy's `nn_chain`, step by step: of equal distances it has to take the same.
    """
    members, kernels = kept_SM.shape
    distance_MM = np.empty((kernels, kernels))
    size_M = np.empty(kernels, np.int64)
    chain_M = np.empty(kernels + 1, np.int64)
    # the groups that are left, by their kernel, in rising order
    left_M = np.empty(kernels, np.int64)
    for member in range(members):
        left, at = 0, 0
        for first in range(kernels):
            size_M[first] = 0
            if kept_SM[member, first]:
                size_M[first] = 1
                left_M[left] = first
                left += 1
            for second in range(first, kernels):
                distance = 1.0 - abs(upper_ST[member, at])
                distance_MM[first, second] = distance
                distance_MM[second, first] = distance
                at += 1
        length = 0
        for joined in range(left - 1):
            if length == 0:
                chain_M[0] = left_M[0]
                length = 1
            while True:
                here = chain_M[length - 1]
                nearest, least = -1, np.inf
                if length > 1:
                    # of equal ones the one before, or the chain would go round in a circle
                    nearest = chain_M[length - 2]
                    least = distance_MM[here, nearest]
                for place in range(left):
                    other = left_M[place]
                    if other != here and distance_MM[here, other] < least:
                        nearest, least = other, distance_MM[here, other]
                if length > 1 and nearest == chain_M[length - 2]:
                    break
                chain_M[length] = nearest
                length += 1
            length -= 2
            gone, stays = min(here, nearest), max(here, nearest)
            pair_SJ2[member, joined, 0] = gone
            pair_SJ2[member, joined, 1] = stays
            height_SJ[member, joined] = least
            kept = 0
            for place in range(left):
                if left_M[place] != gone:
                    left_M[kept] = left_M[place]
                    kept += 1
            left = kept
            of_gone, of_stays = size_M[gone], size_M[stays]
            size_M[stays] = of_gone + of_stays
            for place in range(left):
                other = left_M[place]
                if other != stays:
                    distance = (of_gone * distance_MM[other, gone] + of_stays * distance_MM[other, stays]) / (
                        of_gone + of_stays
                    )
                    distance_MM[other, stays] = distance
                    distance_MM[stays, other] = distance


def group(pair_SJ2: Any, height_SJ: Any, kept_SM: Any, height: Any, group_SM: Any) -> None:
    """A number for each kernel from 1 on, the same where they are joined at or below `height`; 0 if it is not kept."""
    members, kernels = kept_SM.shape
    for member in range(members):
        count = 0
        for kernel in range(kernels):
            # while groups are made, the first kernel of each that is known so far
            group_SM[member, kernel] = kernel
            count += kept_SM[member, kernel]
        for joined in range(count - 1):
            if height_SJ[member, joined] <= height:
                one, other = pair_SJ2[member, joined, 0], pair_SJ2[member, joined, 1]
                while group_SM[member, one] != one:
                    one = group_SM[member, one]
                while group_SM[member, other] != other:
                    other = group_SM[member, other]
                group_SM[member, max(one, other)] = min(one, other)
        for kernel in range(kernels):
            if not kept_SM[member, kernel]:
                group_SM[member, kernel] = 0
            elif group_SM[member, kernel] == kernel:
                group_SM[member, kernel] = kernel + 1
            else:
                # what it points to comes before it, and has its number
                group_SM[member, kernel] = group_SM[member, group_SM[member, kernel]]
