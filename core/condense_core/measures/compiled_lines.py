"""Lines of all members in compiled code, as `clusters.cut_at_each` finds them.

# C cuts, S members, M kernels, J of them kept, K entries a kernel, L lines at most

Imported where `compiled_measures` loads it, and nowhere else: it needs Numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

from condense_core.measures.compiled_joining import group_one, join_one
from condense_core.thresholds import DROPPED, NO_LINE


def _numbers(dimensions: int) -> Any:
    return types.Array(types.float64, dimensions, "C")


def _whole(dimensions: int) -> Any:
    return types.Array(types.int64, dimensions, "C")


_FLAGS = types.Array(types.boolean, 2, "C")

PAIRS_SIGNATURE = types.void(_numbers(3), _numbers(2))
LINES_SIGNATURE = types.void(
    _numbers(3),
    _FLAGS,
    _numbers(2),
    _numbers(1),
    _numbers(1),
    _whole(3),
    _whole(3),
    _numbers(4),
    _whole(3),
    types.Array(types.boolean, 3, "C"),
    _whole(2),
    _whole(2),
    _numbers(2),
    _numbers(1),
)

# Rounding of one operation.
EPSILON = float(np.finfo(np.float64).eps)
# A second direction of this share of the first is gone once the matrix is squared again.
GONE = 1e-9
# Squared so often, no second direction is left that is not equal to the first in float64.
MOST_SQUARES = 60

_inner = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


def pairs(unit_SMK: Any, upper_ST: Any) -> None:
    """Cosines of all pairs, each pair once, row by row (`similarity.upper_triangle`)."""
    members, kernels, entries = unit_SMK.shape
    unit_KM, cosine_M = np.empty((entries, kernels)), np.empty(kernels)
    for member in range(members):
        for kernel in range(kernels):
            for entry in range(entries):
                unit_KM[entry, kernel] = unit_SMK[member, kernel, entry]
        at = 0
        for first in range(kernels):
            cosine_M[:] = 0.0
            for entry in range(entries):
                value = unit_KM[entry, first]
                for second in range(kernels):
                    cosine_M[second] += value * unit_KM[entry, second]
            for second in range(first, kernels):
                cosine = cosine_M[second]
                # in this order NaN stays NaN
                cosine = min(cosine, 1.0)
                upper_ST[member, at] = max(cosine, -1.0)
                at += 1


def lines(
    unit_SMK: Any,
    kept_SM: Any,
    upper_ST: Any,
    cos_C: Any,
    share_C: Any,
    label_CSM: Any,
    sign_CSM: Any,
    axis_CSLK: Any,
    size_CSL: Any,
    doubtful_CSL: Any,
    count_CS: Any,
    directions_CS: Any,
    close_CS: Any,
    mean_S: Any,
) -> None:
    """Everything after the first five is written: labels, signs, axes and sizes of lines, how many there are, which
    axes have entries that cancel, so that their sign is not known yet, how many directions there are; the sum of |cos|
    of kernels on lines with their axes, and the mean of it over all kept kernels with an axis in common."""
    members, kernels, entries = unit_SMK.shape
    distance_MM, height_M, pair_M2 = np.empty((kernels, kernels)), np.empty(kernels), np.empty((kernels, 2), np.int64)
    first_M, count_M, number_M = np.empty(kernels, np.int64), np.empty(kernels, np.int64), np.empty(kernels, np.int64)
    before_M, size_before_M = np.empty(kernels, np.int64), np.empty(kernels, np.int64)
    on_M, along_M = np.empty(kernels, np.int64), np.empty(kernels)
    gram_KK, other_KK, common_K = np.empty((entries, entries)), np.empty((entries, entries)), np.empty(entries)
    for member in range(members):
        unit_MK, kept_M = unit_SMK[member], kept_SM[member]
        join_one(upper_ST[member], kept_M, distance_MM, pair_M2, height_M)
        kept = 0
        for kernel in range(kernels):
            kept += kept_M[kernel]
        # before the first cut all that are kept, as if they were a line
        for cut in range(-1, len(cos_C)):
            label_M, sign_M = label_CSM[max(0, cut), member], sign_CSM[max(0, cut), member]
            if cut < 0:
                lines = 1 if kept > 1 else 0
                for kernel in range(kernels):
                    label_M[kernel] = 0 if kept_M[kernel] else DROPPED
                    size_before_M[kernel] = 0
            else:
                group_one(pair_M2, height_M, kept_M, 1.0 - cos_C[cut], first_M)
                lines = _number_lines(first_M, kept, share_C[cut], count_M, number_M, size_CSL[cut, member])
                for kernel in range(kernels):
                    label_M[kernel] = number_M[first_M[kernel]] if kept_M[kernel] else DROPPED
                    sign_M[kernel] = 0
            directions, close = 0, 0.0
            for line in range(lines):
                size = 0
                for kernel in range(kernels):
                    if label_M[kernel] == line:
                        on_M[size] = kernel
                        size += 1
                axis_K = common_K if cut < 0 else axis_CSLK[cut, member, line]
                first = on_M[0]
                if size_before_M[first] == size:
                    # groups of one tree are inside or outside each other: of one size they are the same
                    for entry in range(entries):
                        axis_K[entry] = axis_CSLK[cut - 1, member, before_M[first], entry]
                else:
                    _axis(unit_MK, on_M, size, gram_KK, other_KK, axis_K)
                close += _along(unit_MK, on_M, size, axis_K, along_M)
                if cut >= 0:
                    doubtful_CSL[cut, member, line] = _is_doubtful(axis_K)
                    positive = 0
                    for place in range(size):
                        side = -1 if along_M[place] < 0 else 1
                        sign_M[on_M[place]] = side
                        positive += side > 0
                    directions += positive >= 1 and 2 * positive / kept >= share_C[cut]
                    directions += size - positive >= 1 and 2 * (size - positive) / kept >= share_C[cut]
            if cut < 0:
                mean_S[member] = close / kept if lines else np.nan
                continue
            count_CS[cut, member], directions_CS[cut, member], close_CS[cut, member] = lines, directions, close
            for kernel in range(kernels):
                # of the first kernel of a line, its number and size
                is_line = kept_M[kernel] and first_M[kernel] == kernel and number_M[kernel] >= 0
                before_M[kernel] = number_M[kernel]
                size_before_M[kernel] = count_M[kernel] if is_line else 0


@_inner
def _number_lines(first_M: Any, kept: Any, share: Any, count_M: Any, number_M: Any, size_L: Any) -> Any:
    """How many groups are lines; the number of each by its first kernel, the largest first, and their sizes."""
    kernels = len(first_M)
    count_M[:] = 0
    for kernel in range(kernels):
        number_M[kernel] = NO_LINE
        if first_M[kernel] >= 0:
            count_M[first_M[kernel]] += 1
    lines = 0
    while True:
        best, size = -1, 1
        for kernel in range(kernels):
            if number_M[kernel] == NO_LINE and count_M[kernel] > size and count_M[kernel] / kept >= share:
                best, size = kernel, count_M[kernel]
        if best < 0:
            return lines
        number_M[best] = lines
        size_L[lines] = size
        lines += 1


@_inner
def _axis(unit_MK: Any, on_M: Any, size: Any, gram_KK: Any, other_KK: Any, axis_K: Any) -> None:
    """The direction that so many of the kernels lie along, by the sign of `principal.fix_signs`: the first eigenvector
    of their Gram matrix, which is squared until nothing else is left of it."""
    entries = len(axis_K)
    for one in range(entries):
        for other in range(entries):
            gram_KK[one, other] = 0.0
    for place in range(size):
        kernel = on_M[place]
        for one in range(entries):
            value = unit_MK[kernel, one]
            for other in range(entries):
                gram_KK[one, other] += value * unit_MK[kernel, other]
    last = False
    for _ in range(MOST_SQUARES):
        trace = 0.0
        for one in range(entries):
            trace += gram_KK[one, one]
        scale = 1.0 / trace
        for one in range(entries):
            for other in range(entries):
                gram_KK[one, other] *= scale
        if last:
            break
        of_squares = 0.0
        for one in range(entries):
            for other in range(entries):
                other_KK[one, other] = 0.0
            for between in range(entries):
                value = gram_KK[one, between]
                for other in range(entries):
                    other_KK[one, other] += value * gram_KK[between, other]
            of_squares += other_KK[one, one]
        gram_KK, other_KK = other_KK, gram_KK
        # the eigenvalues add up to 1, and their squares to that once a single one is left
        last = of_squares >= 1.0 - GONE
    largest = 0
    for one in range(entries):
        if gram_KK[one, one] > gram_KK[largest, largest]:
            largest = one
    square, total = 0.0, 0.0
    for entry in range(entries):
        square += gram_KK[largest, entry] * gram_KK[largest, entry]
        total += gram_KK[largest, entry]
    norm = -np.sqrt(square) if total < 0 else np.sqrt(square)
    for entry in range(entries):
        axis_K[entry] = gram_KK[largest, entry] / norm


@_inner
def _along(unit_MK: Any, on_M: Any, size: Any, axis_K: Any, along_M: Any) -> Any:
    """The cosine of each of so many kernels with an axis, and the sum of their sizes."""
    close = 0.0
    for place in range(size):
        along = 0.0
        for entry in range(len(axis_K)):
            along += unit_MK[on_M[place], entry] * axis_K[entry]
        along_M[place] = along
        close += min(abs(along), 1.0)
    return close


@_inner
def _is_doubtful(axis_K: Any) -> Any:
    """Whether the entries cancel, so that a plain sum does not tell the sign, as in `principal.fix_signs`."""
    total, size = 0.0, 0.0
    for value in axis_K:
        total += value
        size += abs(value)
    return abs(total) <= 4 * len(axis_K) * EPSILON * size
