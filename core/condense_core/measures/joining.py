"""How kernels join to groups: average linkage and its cut, in compiled code, Numba's or SciPy's.

# S members, M kernels, J of them kept, P pairs of those, T pairs of all, each kernel with itself too
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from condense_core.measures import in_compiled_code
from condense_core.measures.distance_rows import room_for_distances
from condense_core.measures.from_scipy import compiled_function
from condense_core.measures.in_compiled_code import Functions
from condense_core.measures.similarity import other_pairs, pair_kernels

_Array = np.ndarray[Any, Any]

# What `linkage` and `fcluster` call once they have checked what they were given, which takes them longer than the work
# itself of so few kernels: used where this SciPy has it, and tested to be the same.
# SciPy 1.18 moved them down into a package.
_WHERE = ("_hierarchy", "cluster/hierarchy", "cluster")
_chain = compiled_function("nn_chain", *_WHERE)
_cut = compiled_function("cluster_dist", *_WHERE)
# SciPy's number for the average.
_AVERAGE = 2


class Joins(Protocol):
    """How the kept kernels of each member join, before any cut."""

    def groups_at(self, height: float) -> _Array:
        """A number for each kernel, (S, M) int64, 1 to 2 M: the same where a member's are joined at or below `height`;
        0 for one that is not kept."""


def joins(upper_ST: _Array, kept_SM: _Array) -> Joins:
    """The joins of kernels whose cosines are `upper_ST` (`similarity.upper_triangle`), by average linkage of 1 - |cos|.

    The groups are the same whether or not measures are compiled (`in_compiled_code`).
    """
    functions = in_compiled_code.functions()
    return _SciPys(upper_ST, kept_SM) if functions is None else _Compiled(functions, upper_ST, kept_SM)


class _Compiled:
    """All members in one call."""

    def __init__(self, functions: Functions, upper_ST: _Array, kept_SM: _Array) -> None:
        members, kernels = kept_SM.shape
        self._group = functions["group"]
        self._kept_SM = np.ascontiguousarray(kept_SM)
        self._pair_SM2 = np.empty((members, kernels, 2), np.int64)
        self._height_SM = np.empty((members, kernels))
        upper_ST = np.ascontiguousarray(upper_ST)
        scratch = room_for_distances(kernels), np.empty((2, kernels), int)
        functions["join"](upper_ST, self._kept_SM, self._pair_SM2, self._height_SM, *scratch, members, kernels)

    def groups_at(self, height: float) -> _Array:
        group_SM = np.empty(self._kept_SM.shape, np.int64)
        given = self._pair_SM2, self._height_SM, self._kept_SM
        self._group(*given, group_SM, np.array([height]), *group_SM.shape)
        return group_SM


class _SciPys:
    """By SciPy, one member after the other; cut together where all kernels are kept, as nearly always."""

    def __init__(self, upper_ST: _Array, kept_SM: _Array) -> None:
        kernels = kept_SM.shape[1]
        distance_SP = upper_ST.take(other_pairs(kernels), axis=1)
        np.abs(distance_SP, out=distance_SP)
        np.subtract(1.0, distance_SP, out=distance_SP)
        self._kept_SM = kept_SM
        self._merges: dict[int, _Array] = {}
        kept_S = kept_SM.sum(axis=1)
        for row in np.flatnonzero(kept_S >= 2).tolist():
            distance_P, kept = distance_SP[row], int(kept_S[row])
            if kept < kernels:
                first_P, second_P = pair_kernels(kernels)
                distance_P = distance_P[kept_SM[row, first_P] & kept_SM[row, second_P]]
            self._merges[row] = average_linkage(distance_P, kept)
        self._whole = [row for row, merges in self._merges.items() if len(merges) == kernels - 1]
        self._of_whole = np.array([self._merges.pop(row) for row in self._whole])

    def groups_at(self, height: float) -> _Array:
        # a single kernel is a group
        group_SM = self._kept_SM.astype(np.int64)
        if self._whole:
            group_SM[self._whole] = groups_of_each(self._of_whole, height)
        for row, merges in self._merges.items():
            group_SM[row, self._kept_SM[row]] = groups_at(merges, height)
        return group_SM


def average_linkage(distance_P: _Array, kernels: int) -> _Array:
    """SciPy's linkage matrix (J - 1, 4), in the order of heights; `distance_P` is of each pair, float64, row by row of
    the upper triangle. J ≥ 2."""
    if _chain is not None:
        found: _Array = _chain(distance_P, kernels, _AVERAGE)
        return found
    from scipy.cluster import hierarchy

    merges: _Array = hierarchy.linkage(distance_P, method="average")
    return merges


def groups_at(merges: _Array, height: float) -> _Array:
    """A number for each kernel, (J,) int32 from 1 on: the same where they are joined at or below `height`."""
    if _cut is None:
        from scipy.cluster import hierarchy

        found: _Array = hierarchy.fcluster(merges, height, criterion="distance")
        return found
    group_J = np.empty(len(merges) + 1, np.int32)
    _cut(merges, group_J, height, len(group_J))
    return group_J


def groups_of_each(merges_SJ4: _Array, height: float) -> _Array:
    """`groups_at` of several members with as many kernels M, (S, M) int64 up to 2 M, from the last join down: what is
    joined above `height` is a group of its own."""
    members, joined, _ = merges_SJ4.shape
    nodes = 2 * joined + 1
    # places of both sides of each join among the nodes of all members: first those of all first joins
    base_S = np.arange(members) * nodes
    place_2JS = merges_SJ4[:, :, :2].astype(np.int64).transpose(2, 1, 0) + base_S
    low_JS = np.ascontiguousarray((merges_SJ4[:, :, 2] <= height).T)
    group_N = np.tile(np.arange(1, nodes + 1), members)
    for join in range(joined - 1, -1, -1):
        low_S = low_JS[join]
        if low_S.any():
            own_S = group_N[base_S + (joined + 1 + join)]
            for place_S in place_2JS[:, join]:
                group_N[place_S] = np.where(low_S, own_S, group_N[place_S])
    return group_N.reshape(members, nodes)[:, : joined + 1]
