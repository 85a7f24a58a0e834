"""Singular values and vectors of many small matrices at once, in compiled code.

# S matrices, R rows, K entries a row, r = min(R, K), V vectors of each
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from condense_core.measures import in_compiled_code
from condense_core.measures.principal import fix_signs

_Array = np.ndarray[Any, Any]

# Of larger ones libraries find the values as fast.
MOST_SIDE = 10
# Memory that a few of them take side by side: a megabyte.
MOST_ENTRIES = 4_096
# How many are worked on at once, and what they are rounded up to where there are fewer: what a processor takes at once.
LANES, LEAST_LANES = 32, 8


class Decomposed(NamedTuple):
    """Singular values (S, r), largest first, and right singular vectors (S, V, K) with the sign of
    `principal.fix_sign`, float64. Of a matrix that is 0 the values are 0, of one that is not finite NaN, and the
    vectors of both NaN."""

    values: Tensor
    vectors: Tensor


def decomposed(
    matrix_SRK: Tensor, vectors: int, by_a_library: Callable[[Tensor], tuple[Tensor, Tensor]]
) -> Decomposed | None:
    """Values and so many vectors, at most r, of matrices in float64; None where there is no compiled code, or a
    library is as fast. `by_a_library` gives both where rotations do not converge, or a vector that is asked for is no
    more than rounding."""
    functions, (count, rows, entries) = in_compiled_code.functions(), matrix_SRK.shape
    least = min(rows, entries)
    if functions is None or matrix_SRK.device.type != "cpu" or not 1 <= least <= MOST_SIDE:
        return None
    if rows * entries > MOST_ENTRIES:
        return None
    values_Sr, vector_SVK = np.empty((count, least)), np.empty((count, vectors, entries))
    state_S, lanes = np.empty(count, np.int64), min(LANES, LEAST_LANES * -(-count // LEAST_LANES))
    scratch = np.empty((rows, entries, lanes)), np.empty((least, entries, lanes)), np.empty((6 + least, lanes))
    written = values_Sr, vector_SVK, state_S
    functions["spectra"](matrix_SRK.contiguous().numpy(), *written, *scratch, count, rows, entries, vectors, lanes)
    found = Decomposed(torch.from_numpy(values_Sr), torch.from_numpy(vector_SVK))
    left, open_ = np.flatnonzero(state_S < 0), np.flatnonzero(state_S > 0)
    if len(left):
        found.values[left], found.vectors[left] = by_a_library(matrix_SRK[left])
    if len(open_):
        found.vectors[open_] = fix_signs(found.vectors[open_].flatten(0, 1)).reshape(len(open_), vectors, entries)
    return found
