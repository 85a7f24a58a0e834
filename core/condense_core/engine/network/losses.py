"""Losses, their residuals in closed form, and accuracy.   # N samples, D outputs

Apart from the training loop because the measures need the residual e_ND without a backward pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from condense_core.errors import ScenarioError

if TYPE_CHECKING:
    from condense_core.engine.data.datasets import Dataset


def _mse(output_ND: Tensor, target_ND: Tensor) -> Tensor:
    return (output_ND - target_ND).square()


def _mse_residual(output_ND: Tensor, target_ND: Tensor) -> Tensor:
    return output_ND - target_ND


def _softmax_mse(output_ND: Tensor, target_ND: Tensor) -> Tensor:
    return _mse(torch.softmax(output_ND, dim=-1), target_ND)


def _softmax_mse_residual(output_ND: Tensor, target_ND: Tensor) -> Tensor:
    share_ND = torch.softmax(output_ND, dim=1)
    error_ND = share_ND - target_ND
    return share_ND * (error_ND - (share_ND * error_ND).sum(dim=1, keepdim=True))


def _cross_entropy(output_ND: Tensor, target_ND: Tensor) -> Tensor:
    return target_ND * torch.log_softmax(output_ND, dim=-1)


def _cross_entropy_residual(output_ND: Tensor, target_ND: Tensor) -> Tensor:
    return torch.softmax(output_ND, dim=1) * target_ND.sum(dim=1, keepdim=True) - target_ND


_Pointwise = Callable[[Tensor, Tensor], Tensor]

# float32 holds 3e38: the squares of as many outputs as a machine has memory for add up to less where none is larger.
MODERATE = 1e12

# The terms that are summed, what their sum is divided by a sample, and the residual.
_LOSSES: dict[str, tuple[_Pointwise, int, _Pointwise]] = {
    "mse": (_mse, 2, _mse_residual),
    "softmax-mse": (_softmax_mse, 2, _softmax_mse_residual),
    "cross-entropy": (_cross_entropy, -1, _cross_entropy_residual),
}


def loss(name: str, output_ND: Tensor, target_ND: Tensor) -> Tensor:
    """The mean loss over the samples, a scalar: `mse` is 1/(2n) Σ‖f−y‖², `softmax-mse` the same after a softmax over
    the outputs, `cross-entropy` −(1/n) Σ y·log softmax f. Outputs and targets have one shape (N, D).

    ScenarioError for another name or for shapes that differ (broadcasting (N,) against (N, 1) would be silent).
    """
    terms, divisor, _ = _look_up(name, output_ND, target_ND)
    return terms(output_ND, target_ND).sum() / (divisor * len(output_ND))


def residual(name: str, output_ND: Tensor, target_ND: Tensor) -> Tensor:
    """e_ND = ∂loss_i/∂f_i = n · ∂loss/∂f, in closed form, shape (N, D): f − y for `mse`, softmax f − y for
    `cross-entropy` (Zhou et al. 2025, sec. 4.1). At a small initialisation f ≈ 0, so it is about −y, or 1/D − y.
    """
    return _look_up(name, output_ND, target_ND)[2](output_ND, target_ND)


def losses(name: str, output_SND: Tensor, target_ND: Tensor) -> Tensor:
    """`loss` of each of S networks on one sample, (S,)."""
    terms, divisor, _ = _look_up(name, output_SND[0], target_ND)
    return terms(output_SND, target_ND).sum(dim=(1, 2)) / (divisor * len(target_ND))


def are_surely_finite(output_SND: Tensor, largest_target: float) -> bool:
    """Whether `losses` are finite by the size of outputs and targets, which takes less than working them out. Where
    this is False they may be, too."""
    # NaN is not, and is the maximum where there is any
    return largest_target <= MODERATE and output_SND.abs().max().item() <= MODERATE


def residual_of(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """`residual` for many networks at once: outputs (S, D, N) and targets that broadcast to them, classes in dim 1."""
    return _LOSSES[name][2]


def accuracy(output_ND: Tensor, dataset: Dataset) -> float:
    """Share of the samples whose class the outputs (N, D) give: the largest output, or for a single output the
    class whose number (shifted as the labels are) lies nearest. NaN for data without classes.
    """
    if dataset.label is None or dataset.class_target is None:
        return math.nan
    if output_ND.shape[1] == 1:
        guess = (output_ND - dataset.class_target.T).abs().argmin(dim=1)
    else:
        guess = output_ND.argmax(dim=1)
    return float((guess == dataset.label).double().mean())


def _look_up(name: str, output_ND: Tensor, target_ND: Tensor) -> tuple[_Pointwise, int, _Pointwise]:
    if name not in _LOSSES:
        raise ScenarioError(f"unknown loss {name!r}; expected one of {', '.join(_LOSSES)}")
    if output_ND.shape != target_ND.shape or output_ND.ndim != 2:
        raise ScenarioError(
            f"loss {name!r}: expected outputs and targets of one shape (samples, outputs), "
            f"got {tuple(output_ND.shape)} and {tuple(target_ND.shape)}"
        )
    return _LOSSES[name]
