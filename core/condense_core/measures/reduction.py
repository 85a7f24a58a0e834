"""The effective network: one kernel for each condensed line of a layer.

# M kernels, K entries a kernel, L lines, Q outgoing weights a kernel, E kernels of the effective layer
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from condense_core.measures.clusters import CondensedLines
from condense_core.measures.kernels import as_kernels, kernel_norms
from condense_core.thresholds import DROPPED


@dataclass(frozen=True, eq=False)
class EffectiveLayer:
    """Weights of the reduced layer, float64: first one kernel a line, then the kernels that were on none, as they were.

    `offset_Q` is what the next layer's input gains besides, (Σ a_j - Σ a_eff) σ(0): one entry an outgoing weight, to be
    summed over patch positions and added to the next layer's bias. `kept` names the kernels taken over unchanged.
    """

    weight_EK: Tensor
    readout_EQ: Tensor
    offset_Q: Tensor
    kept: tuple[int, ...]


def effective_layer(
    weight_MK: Tensor,
    readout_MQ: Tensor,
    lines: CondensedLines,
    multiplicity: int,
    *,
    at_zero: float = 0.0,
    keep_dropped: bool = True,
) -> EffectiveLayer:
    """Replace each condensed line of a layer by one effective kernel (Zhou et al. 2022, fig. 1; 2025, fig. 1).

    With c the line's axis, s_j = û_j·c, and a_j the kernel's outgoing weights: input weight r·c with
    r = Σ |a_j||w_j|^p |s_j||w_j| / Σ |a_j||w_j|^p, output weight Σ a_j (s_j|w_j|)^p / r^p, which keeps the first term
    x^p of the activation exactly. A kernel's bias belongs in its row. `multiplicity` is p, `at_zero` σ(0). With
    `keep_dropped` false, kernels too small to be on a line are left out and only their σ(0) stays. The change is of
    the order of the angles within a line and of |w·x| to the next power; an activation that is not smooth at 0 (relu)
    has no p and needs one line to be one direction. If all outgoing weights of a line are zero, r weighs by |w_j|^p
    alone. ValueError for p < 1 and for shapes that do not fit.
    """
    weight_MK, readout_MQ = as_kernels(weight_MK.cpu()), as_kernels(readout_MQ.cpu())
    if multiplicity < 1 or not len(weight_MK) == len(readout_MQ) == len(lines.label_M):
        counts = (len(weight_MK), len(readout_MQ), len(lines.label_M))
        raise ValueError(f"expected p ≥ 1 and as many kernels, readouts and labels, got p = {multiplicity}, {counts}")
    on_none_M = lines.label_M < 0 if keep_dropped else (lines.label_M < 0) & (lines.label_M != DROPPED)
    merged = [
        _merge(weight_MK[lines.label_M == line], readout_MQ[lines.label_M == line], axis_K, multiplicity)
        for line, axis_K in enumerate(lines.axes_LK)
    ]
    weight_EK = torch.cat([*(weight_K[None] for weight_K, _ in merged), weight_MK[on_none_M]])
    readout_EQ = torch.cat([*(readout_Q[None] for _, readout_Q in merged), readout_MQ[on_none_M]])
    offset_Q = (readout_MQ.sum(dim=0) - readout_EQ.sum(dim=0)) * at_zero
    return EffectiveLayer(weight_EK, readout_EQ, offset_Q, tuple(torch.nonzero(on_none_M)[:, 0].tolist()))


def _merge(weight_GK: Tensor, readout_GQ: Tensor, axis_K: Tensor, multiplicity: int) -> tuple[Tensor, Tensor]:
    """One line's kernels as one: (K,) and (Q,)."""
    norm_G = kernel_norms(weight_GK)
    # relative to the line's largest kernel, so that powers of small weights stay in range
    largest = norm_G.max()
    length_G = norm_G / largest
    along_G = (weight_GK / largest) @ axis_K
    size_G = kernel_norms(readout_GQ)
    size_G = size_G / size_G.max() if float(size_G.max()) > 0 else torch.ones_like(size_G)
    share_G = size_G * length_G**multiplicity
    reach = (share_G * along_G.abs()).sum() / share_G.sum()
    factor_G = (along_G / reach) ** multiplicity
    return reach * largest * axis_K, (readout_GQ * factor_G[:, None]).sum(dim=0)
