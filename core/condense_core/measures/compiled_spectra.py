"""Singular values and vectors of small matrices in compiled code, many matrices side by side.

# S matrices, R rows, K entries a row, r = min(R, K), W matrices that are worked on at once

Householder reflections leave a triangle of r rows, and one-sided Jacobi rotations make these orthogonal: they are then
the right singular vectors times the singular values (Demmel & Veselić 1992, Drmač & Veselić 2008). Each operation is
one of W matrices, of which a processor takes several at a time; what is found of one does not depend on the others.

Imported where `in_compiled_code` has it compiled, and nowhere else: it needs Numba.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray

from condense_core.measures.compiled_kernels import SIZE_BITS, scale_of
from condense_core.measures.compiled_lines import is_doubtful
from condense_core.measures.compiled_ways import EPSILON, inner

# Six to ten are enough; what is not orthogonal after so many is left to a library.
MOST_SWEEPS = 30
# Of a column whose square is smaller, beside a largest entry of 1, nothing is seen in any value.
LEAST_SQUARE = 1e-280
# What becomes of a matrix.
FOUND, SIGN_IS_OPEN, LEFT_TO_A_LIBRARY = 0, 1, -1


def spectra(
    matrix: Any,
    values: Any,
    vectors: Any,
    state: Any,
    across: Any,
    sides: Any,
    numbers: Any,
    count: Any,
    height: Any,
    entries: Any,
    wanted: Any,
    lanes: Any,
) -> None:
    """Singular values (S, r), largest first, of matrices (S, R, K), and as many as are `wanted` of their right singular
    vectors (S, wanted, K), whose entries sum to more than 0; `lanes` is W.

    `state` (S,) is above 0 where entries of a vector cancel, so that its sign is still open, and below 0 where nothing
    was found. The values of a matrix that is 0 are 0 and those of one that is not finite NaN, and the vectors of both
    NaN. Scratch: `across` (R, K, W), `sides` (r, K, W), `numbers` (6 + r, W).
    """
    least = min(height, entries)
    matrix_SRK, state_S = carray(matrix, (count, height, entries)), carray(state, (count,))
    values_Sr, vector_SVK = carray(values, (count, least)), carray(vectors, (count, wanted, entries))
    across_RKW, side_rKW = carray(across, (height, entries, lanes)), carray(sides, (least, entries, lanes))
    number_XW = carray(numbers, (6 + least, lanes))
    scale_W, turned_W, noise_W, square_rW = number_XW[0], number_XW[4], number_XW[5], number_XW[6:]
    begin = 0
    # `range` refuses a step of 0, and nothing can be raised here
    while begin < count:
        here = min(lanes, count - begin)
        _load(matrix_SRK[begin : begin + here], across_RKW, scale_W)
        if height > entries:
            _reflect(across_RKW, side_rKW, number_XW[1], number_XW[2])
        else:
            for side in range(least):
                for entry in range(entries):
                    for lane in range(lanes):
                        side_rKW[side, entry, lane] = across_RKW[side, entry, lane]
        _rotate(side_rKW, square_rW, noise_W, number_XW[1], number_XW[2], number_XW[3], turned_W)
        for lane in range(here):
            values_r, vector_VK = values_Sr[begin + lane], vector_SVK[begin + lane]
            found = _take(side_rKW, square_rW, lane, scale_W[lane], noise_W[lane], values_r, vector_VK)
            state_S[begin + lane] = LEFT_TO_A_LIBRARY if turned_W[lane] > 0.0 else found
        begin += lanes


@inner
def _load(matrix_SRK: Any, across_RKW: Any, scale_W: Any) -> None:
    """Matrices side by side, each times its `scale_W`; zeros where there are no more, and of one that is not finite,
    whose scale is 0."""
    (here, height, entries), lanes = matrix_SRK.shape, len(scale_W)
    bits_RKW, scale_bits_W = across_RKW.view(np.int64), scale_W.view(np.int64)
    for lane in range(lanes):
        scale_bits_W[lane] = 0
    for row in range(height):
        for entry in range(entries):
            for lane in range(here):
                across_RKW[row, entry, lane] = matrix_SRK[lane, row, entry]
            for lane in range(here, lanes):
                across_RKW[row, entry, lane] = 0.0
            for lane in range(lanes):
                scale_bits_W[lane] = max(scale_bits_W[lane], bits_RKW[row, entry, lane] & SIZE_BITS)
    for lane in range(lanes):
        scale_bits_W[lane] = scale_of(scale_bits_W[lane])
    for row in range(height):
        for entry in range(entries):
            own_W = across_RKW[row, entry]
            for lane in range(lanes):
                own_W[lane] = own_W[lane] * scale_W[lane] if scale_W[lane] > 0.0 else 0.0


@inner
def _reflect(across_RKW: Any, side_rKW: Any, scale_W: Any, product_W: Any) -> None:
    """Reflect column after column, and take over the triangle that is left."""
    height, entries, lanes = across_RKW.shape
    for column in range(entries):
        for lane in range(lanes):
            product_W[lane] = 0.0
        for row in range(column, height):
            _add_product(product_W, across_RKW[row, column], across_RKW[row, column])
        corner_W = across_RKW[column, column]
        for lane in range(lanes):
            length, corner = math.sqrt(product_W[lane]), corner_W[lane]
            end = -length if corner >= 0.0 else length
            side_rKW[column, column, lane] = end
            corner_W[lane] = corner - end
            # 2 over the square of what is reflected at
            half = length * (length + abs(corner))
            scale_W[lane] = 1.0 / half if half > LEAST_SQUARE else 0.0
        for other in range(column):
            for lane in range(lanes):
                side_rKW[column, other, lane] = 0.0
        for other in range(column + 1, entries):
            for lane in range(lanes):
                product_W[lane] = 0.0
            for row in range(column, height):
                _add_product(product_W, across_RKW[row, column], across_RKW[row, other])
            for lane in range(lanes):
                product_W[lane] *= -scale_W[lane]
            for row in range(column, height):
                _add_product(across_RKW[row, other], product_W, across_RKW[row, column])
            for lane in range(lanes):
                side_rKW[column, other, lane] = across_RKW[column, other, lane]


@inner
def _rotate(
    side_rKW: Any, square_rW: Any, noise_W: Any, product_W: Any, cosine_W: Any, sine_W: Any, turned_W: Any
) -> None:
    """Rotate pairs of sides until all are orthogonal, and leave their squares; `turned_W` is above 0 where they are
    not. A side whose square is at most `noise_W`, that of rounding of the largest, stays as it is: made orthogonal to
    others it would be smaller and smaller, and never more than rounding."""
    least, entries, lanes = side_rKW.shape
    close = (entries * EPSILON) ** 2
    for _ in range(MOST_SWEEPS):
        for lane in range(lanes):
            noise_W[lane] = 0.0
            turned_W[lane] = 0.0
        for side in range(least):
            for lane in range(lanes):
                square_rW[side, lane] = 0.0
            for entry in range(entries):
                _add_product(square_rW[side], side_rKW[side, entry], side_rKW[side, entry])
            for lane in range(lanes):
                noise_W[lane] = max(noise_W[lane], EPSILON * EPSILON * square_rW[side, lane])
        turned = 0
        for one in range(least):
            for other in range(one + 1, least):
                for lane in range(lanes):
                    product_W[lane] = 0.0
                for entry in range(entries):
                    _add_product(product_W, side_rKW[one, entry], side_rKW[other, entry])
                of_pair = _angles(
                    square_rW[one], square_rW[other], noise_W, product_W, close, cosine_W, sine_W, turned_W
                )
                for entry in range(entries if of_pair else 0):
                    _turn(side_rKW[one, entry], side_rKW[other, entry], cosine_W, sine_W)
                turned += of_pair
        if turned == 0:
            break


@inner
def _add_product(total_W: Any, one_W: Any, other_W: Any) -> None:
    for lane in range(len(total_W)):
        total_W[lane] += one_W[lane] * other_W[lane]


@inner
def _angles(
    one_W: Any,
    other_W: Any,
    noise_W: Any,
    product_W: Any,
    close: Any,
    cosine_W: Any,
    sine_W: Any,
    turned_W: Any,
) -> Any:
    """What a pair of sides with these squares and products has to be turned by, and the squares after that; how many of
    them have to."""
    turned = 0
    for lane in range(len(product_W)):
        product = product_W[lane]
        is_noise = min(one_W[lane], other_W[lane]) <= noise_W[lane]
        is_orthogonal = is_noise or product * product <= close * one_W[lane] * other_W[lane]
        ratio = (other_W[lane] - one_W[lane]) / (2.0 * product)
        size = 1.0 / (abs(ratio) + math.sqrt(1.0 + ratio * ratio))
        tangent = 0.0 if is_orthogonal else (-size if ratio < 0.0 else size)
        cosine = 1.0 / math.sqrt(1.0 + tangent * tangent)
        cosine_W[lane] = cosine
        sine_W[lane] = cosine * tangent
        one_W[lane] -= tangent * product
        other_W[lane] += tangent * product
        turned_W[lane] += 0.0 if is_orthogonal else 1.0
        turned += not is_orthogonal
    return turned


@inner
def _turn(one_W: Any, other_W: Any, cosine_W: Any, sine_W: Any) -> None:
    for lane in range(len(cosine_W)):
        before = one_W[lane]
        one_W[lane] = cosine_W[lane] * before - sine_W[lane] * other_W[lane]
        other_W[lane] = sine_W[lane] * before + cosine_W[lane] * other_W[lane]


@inner
def _take(side_rKW: Any, square_rW: Any, lane: Any, scale: Any, noise: Any, values_r: Any, vector_VK: Any) -> Any:
    """Write what was found of one matrix; what becomes of it."""
    state, entries = FOUND, side_rKW.shape[1]
    for rank in range(len(values_r)):
        at = 0
        for side in range(1, len(values_r)):
            if square_rW[side, lane] > square_rW[at, lane]:
                at = side
        square = square_rW[at, lane]
        # those that are left are smaller
        square_rW[at, lane] = -1.0
        value = math.sqrt(square)
        values_r[rank] = value / scale
        if rank >= len(vector_VK):
            continue
        own_K, total = vector_VK[rank], 0.0
        for entry in range(entries):
            own_K[entry] = side_rKW[at, entry, lane] / value
            total += own_K[entry]
        for entry in range(entries):
            # of zeros no sign is left
            own_K[entry] = (-own_K[entry] if total < 0.0 else own_K[entry]) + 0.0
        if square <= noise and values_r[0] > 0.0:
            # nothing beside the first, or rounding, which need not be orthogonal to it
            state = LEFT_TO_A_LIBRARY
        elif state == FOUND and is_doubtful(own_K):
            state = SIGN_IS_OPEN
    return state
