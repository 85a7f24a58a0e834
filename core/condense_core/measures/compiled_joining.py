"""Average linkage of all members in compiled code, to the bit as SciPy's.   # S members, M kernels, J of them kept

Imported where `in_compiled_code` has it compiled, and nowhere else: it needs Numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from condense_core.measures import distance_rows
from condense_core.measures.compiled_ways import inner

padded = inner(distance_rows.padded)

FARTHEST = np.iinfo(np.int64).max


def join(upper: Any, kept: Any, pair: Any, height: Any, distance: Any, whole: Any, members: Any, kernels: Any) -> None:
    """A kernel of either side of each join (S, M, 2), and its height (S, M): those of the first J - 1, in the order in
    which they were found. `upper` is `similarity.upper_triangle` of the cosines, `kept` (S, M); the distance is
    1 - |cos|. Scratch: `distance` (M, `padded` M), `whole` (2, M)."""
    upper_ST, kept_SM = carray(upper, (members, kernels * (kernels + 1) // 2)), carray(kept, (members, kernels))
    pair_SM2, height_SM = carray(pair, (members, kernels, 2)), carray(height, (members, kernels))
    distance_MM = carray(distance, (kernels, padded(kernels)))
    whole_XM = carray(whole, (2, kernels))
    for member in range(members):
        join_one(
            upper_ST[member],
            kept_SM[member],
            distance_MM,
            pair_SM2[member],
            height_SM[member],
            whole_XM[0],
            whole_XM[1],
        )


def group(pair: Any, height: Any, kept: Any, group: Any, highest: Any, members: Any, kernels: Any) -> None:
    """A number for each kernel (S, M) from 1 on, the same where they are joined at or below `highest` (1,), by what
    `join` gives; 0 if it is not kept."""
    pair_SM2, height_SM = carray(pair, (members, kernels, 2)), carray(height, (members, kernels))
    kept_SM, group_SM = carray(kept, (members, kernels)), carray(group, (members, kernels))
    for member in range(members):
        group_one(pair_SM2[member], height_SM[member], kept_SM[member], highest[0], group_SM[member])
        for kernel in range(kernels):
            group_SM[member, kernel] += 1


@inner
def join_one(
    upper_T: Any, kept_M: Any, distance_MM: Any, pair_M2: Any, height_M: Any, size_M: Any, chain_M: Any
) -> None:
    """`join` of one member.

    SciPy's `nn_chain`, step by step: of equal distances it has to take the same. What is joined no more is infinitely
    far from all, as is what rows are filled up with. No distance is NaN or below 0, so that they are in the order of
    their bits, which compilers find the least of several at a time.
    """
    kernels = len(kept_M)
    left = _fill(upper_T, kept_M, distance_MM)
    bits_MM = distance_MM.view(np.int64)
    for kernel in range(kernels):
        size_M[kernel] = 1 if kept_M[kernel] else 0
    length, lowest = 0, 0
    for joined in range(left - 1):
        if length == 0:
            while size_M[lowest] == 0:
                lowest += 1
            chain_M[0] = lowest
            length = 1
        while True:
            here = chain_M[length - 1]
            least = _least(bits_MM[here])
            # of equal ones the one before, or the chain would go round in a circle
            if length > 1 and bits_MM[here, chain_M[length - 2]] == least:
                nearest = chain_M[length - 2]
                break
            nearest = _first(bits_MM[here], least)
            chain_M[length] = nearest
            length += 1
        length -= 2
        gone, stays = min(here, nearest), max(here, nearest)
        pair_M2[joined, 0] = gone
        pair_M2[joined, 1] = stays
        height_M[joined] = distance_MM[here, nearest]
        of_gone, of_stays = size_M[gone], size_M[stays]
        size_M[gone] = 0
        size_M[stays] = of_gone + of_stays
        _mean(distance_MM[gone], distance_MM[stays], float(of_gone), float(of_stays))
        distance_MM[stays, gone] = np.inf
        distance_MM[stays, stays] = np.inf
        for other in range(kernels):
            distance_MM[other, gone] = np.inf
            distance_MM[other, stays] = distance_MM[stays, other]


@inner
def group_one(pair_M2: Any, height_M: Any, kept_M: Any, highest: Any, first_M: Any) -> None:
    """The first kernel of those that each is joined to at or below `highest`; -1 if it is not kept."""
    kernels = len(kept_M)
    count = 0
    for kernel in range(kernels):
        # while groups are made, the first kernel of each that is known so far
        first_M[kernel] = kernel
        count += kept_M[kernel]
    for joined in range(count - 1):
        if height_M[joined] <= highest:
            one, other = pair_M2[joined, 0], pair_M2[joined, 1]
            while first_M[one] != one:
                one = first_M[one]
            while first_M[other] != other:
                other = first_M[other]
            first_M[max(one, other)] = min(one, other)
    for kernel in range(kernels):
        # what it points to comes before it, and points to the first
        first_M[kernel] = first_M[first_M[kernel]] if kept_M[kernel] else -1


@inner
def _fill(upper_T: Any, kept_M: Any, distance_MM: Any) -> Any:
    """Write all distances; how many kernels are kept."""
    kernels = len(kept_M)
    begin, kept = 0, 0
    for first in range(kernels):
        kept += kept_M[first]
        own_T, row_M = upper_T[begin : begin + kernels - first], distance_MM[first, first:kernels]
        for place in range(len(row_M)):
            row_M[place] = 1.0 - abs(own_T[place])
        row_M[0] = np.inf
        distance_MM[first, kernels:] = np.inf
        # read from the matrix, not from `row_M`: LLVM would make a gathering load of that, which takes longer
        for second in range(first + 1, kernels):
            distance_MM[second, first] = distance_MM[first, second]
        begin += kernels - first
    for first in range(kernels if kept < kernels else 0):
        if not kept_M[first]:
            for second in range(kernels):
                distance_MM[first, second] = np.inf
                distance_MM[second, first] = np.inf
    return kept


@inner
def _least(bits_M: Any) -> Any:
    # by place: LLVM takes the least of several at a time then, and not where the array is gone through
    least = FARTHEST
    for place in range(len(bits_M)):
        least = min(least, bits_M[place])
    return least


@inner
def _first(bits_M: Any, value: Any) -> Any:
    """The first place of a value that is there: several are compared at a time."""
    count, left = len(bits_M), 0
    for place in range(count):
        left = max(left, count - place if bits_M[place] == value else 0)
    return count - left


@inner
def _mean(gone_M: Any, stays_M: Any, of_gone: Any, of_stays: Any) -> None:
    """The distances of both joined, in place of those of the one that stays."""
    total = of_gone + of_stays
    for other in range(len(stays_M)):
        stays_M[other] = (of_gone * gone_M[other] + of_stays * stays_M[other]) / total
