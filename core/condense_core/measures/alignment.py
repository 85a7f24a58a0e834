"""How far kernels lie along a predicted direction.   # S members, M kernels, K entries a kernel"""

from __future__ import annotations

import torch
from torch import Tensor

from condense_core.measures import in_compiled_code
from condense_core.measures.kernels import kernel_norms, unit_kernels, units_of


def alignment(weight_MK: Tensor, direction_K: Tensor) -> Tensor:
    """Cosine of each kernel with a direction, shape (M,), float64, in [-1, 1], signed.

    The direction is usually v1 of the signal matrix, whose own sign is a convention: ±1 both say aligned. NaN for a
    kernel of norm zero, everywhere where the direction is zero or NaN. ValueError if K differs (a bias left out).
    """
    unit_K = _unit_direction(weight_MK, direction_K)
    return alignments(unit_kernels(weight_MK)[None], unit_K[None])[0]


def alignments(unit_SMK: Tensor, direction_SK: Tensor) -> Tensor:
    """`alignment` of the directions of each member's kernels with a direction of its own, (S, M) float64."""
    unit_SK, functions = units_of(direction_SK.to(unit_SMK.device)), in_compiled_code.functions()
    if functions is None or not in_compiled_code.is_for(unit_SMK):
        return (unit_SMK @ unit_SK[:, :, None])[:, :, 0].clamp_(-1.0, 1.0)
    members, kernels, entries = unit_SMK.shape
    cosine_SM, unit_SK = unit_SMK.new_empty(members, kernels), unit_SK.expand(members, entries)
    arrays = (each.contiguous().numpy() for each in (unit_SMK, unit_SK, cosine_SM))
    functions["along"](*arrays, members, kernels, entries)
    return cosine_SM


def projection_ratio(weight_MK: Tensor, direction_K: Tensor) -> float:
    """‖P_v θ_W‖ / ‖θ_W‖, in [0, 1]: the share of a layer's weight that lies on one direction (Zhou et al. 2025, thm 1).

    1 says all kernels are multiples of the direction. Kernels count by their norm, unlike in `alignment`. NaN if all
    weights are zero, one is not finite, or the direction is zero or NaN. ValueError if K differs.
    """
    cosine_M, norm_M = alignment(weight_MK, direction_K), kernel_norms(weight_MK)
    return float(projection_ratios(norm_M[None], cosine_M[None])) if len(norm_M) else float("nan")


def projection_ratios(norm_SM: Tensor, cosine_SM: Tensor) -> Tensor:
    """`projection_ratio` of each member, (S,) float64, by the norms of its kernels and their `alignments`."""
    norm_SM = norm_SM / norm_SM.amax(dim=1, keepdim=True)
    # a kernel of norm 0 has no direction, and nothing on this one
    along_SM = torch.where(norm_SM == 0, norm_SM, norm_SM * cosine_SM)
    ratio_S: Tensor = torch.linalg.vector_norm(along_SM, dim=1) / torch.linalg.vector_norm(norm_SM, dim=1)
    return ratio_S.clamp_(max=1.0)


def ones_alignment(weight_MK: Tensor, entries: int) -> Tensor:
    """Cosine of each filter with the all-ones vector of its size, shape (M,), float64, signed.

    Zhou et al. 2025, fig. 6b, whose vector's name is missing from the text that we have. The first `entries` of a
    kernel are its filter; a bias behind them is no part of it. NaN for a filter that is zero. ValueError where the
    kernels are shorter.
    """
    if weight_MK.ndim != 2 or not 1 <= entries <= weight_MK.shape[1]:
        raise ValueError(f"entries: expected 1 to the kernels' own length, got {entries} of {tuple(weight_MK.shape)}")
    return alignment(weight_MK[:, :entries], torch.ones(entries, dtype=torch.float64))


def _unit_direction(weight_MK: Tensor, direction_K: Tensor) -> Tensor:
    if direction_K.ndim != 1 or weight_MK.ndim != 2 or len(direction_K) != weight_MK.shape[1]:
        shapes = f"{tuple(weight_MK.shape)} and {tuple(direction_K.shape)}"
        raise ValueError(f"expected kernels (M, K) and a direction (K,), a bias in both or in neither, got {shapes}")
    return unit_kernels(direction_K[None].to(weight_MK.device))[0]
