"""How kernels join to groups: average linkage and its cut, in SciPy's compiled code.   # J kernels, P pairs of them"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.cluster import hierarchy

_Array = np.ndarray[Any, Any]

# What `linkage` and `fcluster` call once they have checked what they were given, which takes them longer than the work
# itself of so few kernels: used where this SciPy has it, and tested to be the same.
_compiled: Any = getattr(hierarchy, "_hierarchy", None)
_chain: Callable[[_Array, int, int], _Array] | None = getattr(_compiled, "nn_chain", None)
_cut: Callable[[_Array, _Array, float, int], None] | None = getattr(_compiled, "cluster_dist", None)
# SciPy's number for the average.
_AVERAGE = 2


def average_linkage(distance_P: _Array, kernels: int) -> _Array:
    """SciPy's linkage matrix (J - 1, 4), in the order of heights; `distance_P` is of each pair, float64, row by row of
    the upper triangle. J ≥ 2."""
    if _chain is None:
        merges: _Array = hierarchy.linkage(distance_P, method="average")
        return merges
    return _chain(distance_P, kernels, _AVERAGE)


def groups_at(merges: _Array, height: float) -> _Array:
    """A number for each kernel, (J,) int32 from 1 on: the same where they are joined at or below `height`."""
    if _cut is None:
        found: _Array = hierarchy.fcluster(merges, height, criterion="distance")
        return found
    group_J = np.empty(len(merges) + 1, np.int32)
    _cut(merges, group_J, height, len(group_J))
    return group_J
