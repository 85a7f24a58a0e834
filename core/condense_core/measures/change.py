"""How far weights have moved, and how strongly they are pushed."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from condense_core.measures.kernels import norms_of, safe_norm


def relative_change(weight: Tensor, initial: Tensor) -> float:
    """RD(t) = ‖θ(t) - θ(0)‖ / ‖θ(0)‖ of one layer's weights, any shape (Luo et al. 2021; Zhou et al. 2025, thm 1).

    The difference is taken in float64, so a change in the last bits of float32 weights counts. NaN if the initial
    weights are all zero or a weight is not finite; ValueError if the shapes differ.
    """
    if weight.shape != initial.shape:
        raise ValueError(f"weight, initial: expected one shape, got {tuple(weight.shape)} and {tuple(initial.shape)}")
    return float(relative_changes(weight.reshape(1, -1), initial.reshape(1, -1)))


def relative_changes(weight: Tensor, initial: Tensor, start_S: Tensor | None = None) -> Tensor:
    """`relative_change` of each of S members, whose weights are (S, …): shape (S,), float64; `start_S` are the norms
    of the initial ones (`kernels.norms_of`), where they are known."""
    start_S = norms_of(initial.flatten(1)) if start_S is None else start_S
    moved_S = norms_of(weight.detach().flatten(1).to(torch.float64) - initial.detach().flatten(1).to(torch.float64))
    return torch.where(start_S == 0, torch.nan, moved_S / start_S)


def gradient_norm(gradients: Iterable[Tensor | None]) -> float:
    """Euclidean norm over all gradients of a model in float64; None (a parameter without one) counts as zero."""
    norms = [safe_norm(gradient) for gradient in gradients if gradient is not None]
    return safe_norm(torch.tensor(norms, dtype=torch.float64))


def gradient_norms(gradients: Iterable[Tensor]) -> Tensor:
    """`gradient_norm` of each of S members, whose gradients are (S, …): shape (S,), float64."""
    return norms_of(torch.stack([norms_of(gradient.flatten(1)) for gradient in gradients], dim=1))
