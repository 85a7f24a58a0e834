"""Lines of all members at several cuts, in the fastest way there is.

# C cuts, S members, M kernels, K entries a kernel, L lines at most, G lines of all members
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from condense_core.measures import in_compiled_code
from condense_core.measures.clusters import MembersLines, check_cut, cut_at_each, linkage_trees
from condense_core.measures.distance_rows import room_for_distances
from condense_core.measures.in_compiled_code import Functions
from condense_core.measures.principal import sign_of
from condense_core.thresholds import Cut

_Array = np.ndarray[Any, Any]


def members_lines(unit_SMK: Tensor, kept_SM: _Array, upper_ST: _Array, cuts: Sequence[Cut]) -> list[MembersLines]:
    """`clusters.cut_at_each` of the members' trees, from the same as `clusters.linkage_trees`.

    In compiled code where there is any for so few entries: kernels are on the same lines, and axes are the same to
    rounding. ValueError for a cut that is none.
    """
    functions = in_compiled_code.functions()
    if functions is None or not in_compiled_code.is_for(unit_SMK):
        return cut_at_each(linkage_trees(unit_SMK, kept_SM, upper_ST), cuts)
    return _compiled(functions, unit_SMK.contiguous().numpy(), np.ascontiguousarray(kept_SM), upper_ST, cuts)


def _compiled(
    functions: Functions, unit_SMK: _Array, kept_SM: _Array, upper_ST: _Array, cuts: Sequence[Cut]
) -> list[MembersLines]:
    for cut in cuts:
        check_cut(cut)
    members, kernels, entries = unit_SMK.shape
    most = max(1, kernels // 2)
    label_CSM, sign_CSM = np.empty((2, len(cuts), members, kernels), np.int64)
    axis_CSLK = np.empty((len(cuts), members, most, entries))
    size_CSL = np.empty((len(cuts), members, most), np.int64)
    doubtful_CSL = np.zeros(size_CSL.shape, bool)
    count_CS, directions_CS = np.empty((2, len(cuts), members), np.int64)
    close_CS, mean_S = np.empty((len(cuts), members)), np.empty(members)
    scratch = (
        room_for_distances(kernels),
        np.empty((kernels, 2), np.int64),
        np.empty((entries + 2, kernels)),
        np.empty((3, entries, entries)),
        np.empty((7, kernels), np.int64),
    )
    functions["lines"](
        unit_SMK,
        kept_SM,
        np.ascontiguousarray(upper_ST),
        np.array([cut.cos for cut in cuts]),
        np.array([cut.share for cut in cuts]),
        label_CSM,
        sign_CSM,
        axis_CSLK,
        size_CSL,
        doubtful_CSL,
        count_CS,
        directions_CS,
        close_CS,
        mean_S,
        *scratch,
        len(cuts),
        members,
        kernels,
        entries,
        most,
    )
    for place, member, line in zip(*doubtful_CSL.nonzero(), strict=True):
        if sign_of(axis_CSLK[place, member, line].tolist()) < 0:
            axis_CSLK[place, member, line] *= -1
            sign_CSM[place, member, label_CSM[place, member] == line] *= -1
    kept_S, inside_CSL = kept_SM.sum(axis=1), np.arange(most) < count_CS[:, :, None]
    found = []
    for place in range(len(cuts)):
        size_G = size_CSL[place][inside_CSL[place]]
        covered_S = np.where(inside_CSL[place], size_CSL[place], 0).sum(axis=1)
        with np.errstate(invalid="ignore"):
            coverage_S, tightness_S = covered_S / kept_S, close_CS[place] / covered_S
        found.append(
            MembersLines(
                label_SM=label_CSM[place],
                sign_SM=sign_CSM[place],
                axis_GK=torch.from_numpy(axis_CSLK[place][inside_CSL[place]]),
                size_G=size_G,
                end_S=np.cumsum(count_CS[place]),
                directions_S=directions_CS[place],
                kept_S=kept_S,
                coverage_S=coverage_S,
                mean_abs_cos_S=mean_S,
                tightness_S=tightness_S,
            )
        )
    return found
