"""What is copied of a network before a step, still where it is: rows, gradients, the loss, the gradient's norm."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from condense_core.watching.layers import FoundLayer, whole
from condense_core.watching.recording import WeightCopy

LossScale = Tensor | float
Loss = Tensor | float


def copy_layers(
    layers: Sequence[FoundLayer], into: WeightCopy, *, with_gradient: bool, left_out: Callable[[FoundLayer, str], None]
) -> None:
    """Add layers to a copy; one that cannot be read, or has another shape than before, is said to be `left_out`."""
    for layer in layers:
        try:
            weight = layer.weight()
            gradient = layer.gradient() if with_gradient else None
        except Exception as error:  # noqa: BLE001 - one odd layer does not end the others
            left_out(layer, f"{type(error).__name__}: {error}")
            continue
        if weight.shape != (layer.geometry.kernels, layer.geometry.entries):
            left_out(layer, "its shape has changed")
            continue
        into.geometry[layer.name] = layer.geometry
        into.weights[layer.name] = weight
        if gradient is not None:
            into.gradients[layer.name] = gradient


def number(loss: Loss) -> Loss:
    """A loss as one number that nobody changes."""
    if not isinstance(loss, Tensor):
        return loss
    return loss.to(torch.float32, copy=True) if loss.ndim == 0 else loss.float().mean()


def norm(parameters: Iterable[nn.Parameter]) -> Tensor | float:
    """Norm of the whole gradient of these parameters; NaN without any."""
    grads = [p.grad for p in parameters if p.grad is not None and not p.grad.is_sparse]
    if not grads:
        return math.nan
    with torch.no_grad():
        if any(hasattr(grad, "full_tensor") for grad in grads):
            return whole(nn.utils.get_total_norm([grad.float() for grad in grads]))
        device = grads[0].device
        norms = torch.stack([torch.linalg.vector_norm(grad.float()).to(device) for grad in grads])
        found: Tensor = torch.linalg.vector_norm(norms)
        return found


def scale_of(optimizer: Optimizer | None) -> LossScale:
    """What loss and gradient are multiplied with where a GradScaler left that to the optimizer, as to fused ones."""
    scale = getattr(optimizer, "grad_scale", None)
    return 1.0 if scale is None else scale.detach().clone()


def leaves_out(optimizer: Optimizer | None) -> bool:
    """Whether a scaled gradient has overflowed, of which the optimizer makes no step."""
    skipped = getattr(optimizer, "found_inf", None)
    return skipped is not None and bool(float(skipped))


def parameters_of(optimizer: Optimizer) -> list[nn.Parameter]:
    """All that an optimizer changes."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def in_words(device: torch.device) -> str:
    """The device with its name where it has one."""
    return f"{device} {torch.cuda.get_device_name(device)}" if device.type == "cuda" else device.type
