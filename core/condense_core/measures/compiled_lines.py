"""Lines of all members in compiled code, as `clusters.cut_at_each` finds them.

# C cuts, S members, M kernels, J of them kept, R of them on a line, K entries a kernel, L lines at most

Imported where `in_compiled_code` has it compiled, and nowhere else: it needs Numba.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray

from condense_core.measures.compiled_joining import group_one, join_one, padded
from condense_core.measures.compiled_ways import EPSILON, inner, summing
from condense_core.thresholds import DROPPED, NO_LINE

# A second direction of this share of the first is gone once the matrix is squared again.
GONE = 1e-9
# Squared so often, no second direction is left that is not equal to the first in float64.
MOST_SQUARES = 60


def pairs(unit: Any, upper: Any, mean: Any, numbers: Any, members: Any, kernels: Any, entries: Any) -> None:
    """`similarity.Pairs` of the directions `unit` (S, M, K). Scratch: `numbers` (K, M)."""
    unit_SMK, mean_S = carray(unit, (members, kernels, entries)), carray(mean, (members,))
    upper_ST = carray(upper, (members, kernels * (kernels + 1) // 2))
    unit_KM = carray(numbers, (entries, kernels))
    for member in range(members):
        for kernel in range(kernels):
            for entry in range(entries):
                unit_KM[entry, kernel] = unit_SMK[member, kernel, entry]
        at, known, own = 0, 0, 0.0
        for first in range(kernels):
            row_M = upper_ST[member, at : at + kernels - first]
            for place in range(len(row_M)):
                row_M[place] = unit_KM[0, first] * unit_KM[0, first + place]
            for entry in range(1, entries):
                value = unit_KM[entry, first]
                for place in range(len(row_M)):
                    row_M[place] += value * unit_KM[entry, first + place]
            for place in range(len(row_M)):
                cosine = row_M[place]
                # in this order NaN stays NaN
                cosine = min(cosine, 1.0)
                row_M[place] = max(cosine, -1.0)
            if not math.isnan(row_M[0]):
                known += 1
                own += row_M[0]
            at += len(row_M)
        others = 2.0 * (_sizes(upper_ST[member]) - own)
        mean_S[member] = others / (known * (known - 1)) if known > 1 else np.nan


def lines(
    unit: Any,
    kept: Any,
    upper: Any,
    cos: Any,
    share: Any,
    label: Any,
    sign: Any,
    axis: Any,
    size: Any,
    doubtful: Any,
    count: Any,
    directions: Any,
    close: Any,
    mean: Any,
    distance: Any,
    pair: Any,
    numbers: Any,
    squares: Any,
    whole: Any,
    cuts: Any,
    members: Any,
    kernels: Any,
    entries: Any,
    most: Any,
) -> None:
    """Lines at each cut (`cos`, `share`, (C,)) of the directions `unit` (S, M, K), of which those `kept` (S, M) count.

    Written are labels and signs (C, S, M), axes (C, S, L, K) and sizes (C, S, L) of lines, which axes have entries that
    cancel, so that their sign is not known yet (C, S, L); how many lines and directions there are (C, S); the sum of
    |cos| of kernels on lines with their axes (C, S), and the mean of it over all kept kernels with an axis in common
    (S,). Scratch: `distance` (M, `padded` M), `pair` (M, 2), `numbers` (K + 2, M), `squares` (3, K, K), `whole` (7, M).
    """
    unit_SMK, kept_SM = carray(unit, (members, kernels, entries)), carray(kept, (members, kernels))
    upper_ST = carray(upper, (members, kernels * (kernels + 1) // 2))
    cos_C, share_C = carray(cos, (cuts,)), carray(share, (cuts,))
    label_CSM, sign_CSM = carray(label, (cuts, members, kernels)), carray(sign, (cuts, members, kernels))
    axis_CSLK, size_CSL = carray(axis, (cuts, members, most, entries)), carray(size, (cuts, members, most))
    doubtful_CSL, mean_S = carray(doubtful, (cuts, members, most)), carray(mean, (members,))
    count_CS, directions_CS = carray(count, (cuts, members)), carray(directions, (cuts, members))
    close_CS, distance_MM = carray(close, (cuts, members)), carray(distance, (kernels, padded(kernels)))
    pair_M2, number_XM = carray(pair, (kernels, 2)), carray(numbers, (entries + 2, kernels))
    square_XKK, whole_XM = carray(squares, (3, entries, entries)), carray(whole, (7, kernels))
    # the kernels of one line are copied entry by entry
    unit_KM, along_M, height_M = number_XM[:entries], number_XM[entries], number_XM[entries + 1]
    first_M, count_M, number_M = whole_XM[0], whole_XM[1], whole_XM[2]
    before_M, size_before_M, on_M, end_L = whole_XM[3], whole_XM[4], whole_XM[5], whole_XM[6]
    for member in range(members):
        unit_MK, kept_M = unit_SMK[member], kept_SM[member]
        join_one(upper_ST[member], kept_M, distance_MM, pair_M2, height_M, first_M, count_M)
        total = 0
        for kernel in range(kernels):
            size_before_M[kernel] = 0
            if kept_M[kernel]:
                on_M[total] = kernel
                total += 1
        mean_S[member] = np.nan
        if total > 1:
            # as if all that are kept were a line
            _copy(unit_MK, on_M[:total], unit_KM)
            _axis(unit_KM, total, square_XKK[0], square_XKK[1], square_XKK[2, 0])
            mean_S[member] = _along(unit_KM, total, square_XKK[2, 0], along_M) / total
        for cut in range(cuts):
            label_M, sign_M, least = label_CSM[cut, member], sign_CSM[cut, member], share_C[cut]
            group_one(pair_M2, height_M, kept_M, 1.0 - cos_C[cut], first_M)
            found = _number_lines(first_M, total, least, count_M, number_M, size_CSL[cut, member], end_L)
            end = 0
            for line in range(found):
                # the place of the line's next kernel, and in the end where the line ends
                end_L[line] = end
                end += size_CSL[cut, member, line]
            for kernel in range(kernels):
                line = number_M[first_M[kernel]] if kept_M[kernel] else DROPPED
                label_M[kernel] = line
                sign_M[kernel] = 0
                if line >= 0:
                    on_M[end_L[line]] = kernel
                    end_L[line] += 1
            directed, close_to, begin = 0, 0.0, 0
            for line in range(found):
                on_R, axis_K = on_M[begin : end_L[line]], axis_CSLK[cut, member, line]
                first, size_of = on_R[0], len(on_R)
                _copy(unit_MK, on_R, unit_KM)
                if size_before_M[first] == size_of:
                    # groups of one tree are inside or outside each other: of one size they are the same
                    for entry in range(entries):
                        axis_K[entry] = axis_CSLK[cut - 1, member, before_M[first], entry]
                else:
                    _axis(unit_KM, size_of, square_XKK[0], square_XKK[1], axis_K)
                close_to += _along(unit_KM, size_of, axis_K, along_M)
                doubtful_CSL[cut, member, line] = is_doubtful(axis_K)
                positive = 0
                for place in range(size_of):
                    side = -1 if along_M[place] < 0 else 1
                    sign_M[on_R[place]] = side
                    positive += side > 0
                for on_side in (positive, size_of - positive):
                    directed += on_side >= 1 and 2 * on_side / total >= least
                begin = end_L[line]
            count_CS[cut, member], directions_CS[cut, member], close_CS[cut, member] = found, directed, close_to
            for kernel in range(kernels):
                # of the first kernel of a line, its number and size
                is_line = kept_M[kernel] and first_M[kernel] == kernel and number_M[kernel] >= 0
                before_M[kernel] = number_M[kernel]
                size_before_M[kernel] = count_M[kernel] if is_line else 0


@inner
def _number_lines(first_M: Any, kept: Any, share: Any, count_M: Any, number_M: Any, size_L: Any, first_L: Any) -> Any:
    """How many groups are lines; the number of each by its first kernel, the largest first, and their sizes. Scratch:
    `first_L`."""
    kernels = len(first_M)
    count_M[:] = 0
    for kernel in range(kernels):
        if first_M[kernel] >= 0:
            count_M[first_M[kernel]] += 1
    lines = 0
    for kernel in range(kernels):
        number_M[kernel] = NO_LINE
        size = count_M[kernel]
        if size > 1 and size / kept >= share:
            place = lines
            while place > 0 and size_L[place - 1] < size:
                size_L[place], first_L[place] = size_L[place - 1], first_L[place - 1]
                place -= 1
            size_L[place], first_L[place] = size, kernel
            lines += 1
    for line in range(lines):
        number_M[first_L[line]] = line
    return lines


@inner
def _copy(unit_MK: Any, on_R: Any, unit_KM: Any) -> None:
    """These kernels, side by side."""
    for place in range(len(on_R)):
        for entry in range(unit_MK.shape[1]):
            unit_KM[entry, place] = unit_MK[on_R[place], entry]


@inner
def _axis(unit_KM: Any, size: Any, gram_KK: Any, other_KK: Any, axis_K: Any) -> None:
    """The direction that the first `size` of these lie along, by the sign of `principal.fix_signs`: the first
    eigenvector of their Gram matrix, which is squared until nothing else is left of it."""
    entries = len(axis_K)
    trace = 0.0
    for one in range(entries):
        for other in range(one + 1):
            gram_KK[one, other] = _product(unit_KM[one], unit_KM[other], size)
        trace += gram_KK[one, one]
    _scale(gram_KK, trace)
    for _ in range(MOST_SQUARES):
        trace = 0.0
        for one in range(entries):
            for other in range(one + 1):
                other_KK[one, other] = _product(gram_KK[one], gram_KK[other], entries)
            trace += other_KK[one, one]
        gram_KK, other_KK = other_KK, gram_KK
        _scale(gram_KK, trace)
        # the eigenvalues added up to 1, and their squares do once a single one is left
        if trace >= 1.0 - GONE:
            break
    largest = 0
    for one in range(entries):
        if gram_KK[one, one] > gram_KK[largest, largest]:
            largest = one
    square, total = 0.0, 0.0
    for entry in range(entries):
        square += gram_KK[largest, entry] * gram_KK[largest, entry]
        total += gram_KK[largest, entry]
    norm = -math.sqrt(square) if total < 0 else math.sqrt(square)
    for entry in range(entries):
        axis_K[entry] = gram_KK[largest, entry] / norm


@inner
def _scale(matrix_KK: Any, trace: Any) -> None:
    """Divide a matrix, of which one half is filled, by its trace, and fill the other half."""
    scale = 1.0 / trace
    for one in range(len(matrix_KK)):
        for other in range(one + 1):
            matrix_KK[one, other] *= scale
            matrix_KK[other, one] = matrix_KK[one, other]


@summing
def _product(one_R: Any, other_R: Any, size: Any) -> Any:
    product = 0.0
    for place in range(size):
        product += one_R[place] * other_R[place]
    return product


@summing
def _sizes(cosine_N: Any) -> Any:
    """The sum of |cos| of all that are known."""
    total = 0.0
    for place in range(len(cosine_N)):
        size = abs(cosine_N[place])
        total += 0.0 if math.isnan(size) else size
    return total


@summing
def _along(unit_KM: Any, size: Any, axis_K: Any, along_M: Any) -> Any:
    """The cosine of each of the first `size` kernels with an axis, and the sum of their sizes."""
    for place in range(size):
        along_M[place] = 0.0
    for entry in range(len(axis_K)):
        for place in range(size):
            along_M[place] += unit_KM[entry, place] * axis_K[entry]
    close = 0.0
    for place in range(size):
        close += min(abs(along_M[place]), 1.0)
    return close


@inner
def is_doubtful(axis_K: Any) -> Any:
    """Whether the entries cancel, so that a plain sum does not tell the sign, as in `principal.fix_signs`."""
    total, size = 0.0, 0.0
    for value in axis_K:
        total += value
        size += abs(value)
    return abs(total) <= 4 * len(axis_K) * EPSILON * size
