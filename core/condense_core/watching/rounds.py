"""A training with several optimizers: each layer is measured before the step of the optimizer that changes it.

A step of the run is one of the first optimizer. What another one changes is copied at its own next step, with the
gradient that this step takes; where it makes none before the first one's next, as it is, without a gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from condense_core.watching.copying import LossScale, norm, parameters_of, scale_of
from condense_core.watching.layers import FoundLayer
from condense_core.watching.recording import WeightCopy


@dataclass(eq=False)
class Round:
    """A copy of what the first optimizer changes, and the layers that wait for the step of another, by its identity."""

    copy: WeightCopy
    waiting: dict[int, list[FoundLayer]]
    norms: list[Tensor | float] = field(default_factory=list)

    @property
    def rest(self) -> list[FoundLayer]:
        """All layers that wait."""
        return [layer for layers in self.waiting.values() for layer in layers]


def shared_out(
    layers: Sequence[FoundLayer], others: Sequence[Optimizer]
) -> tuple[list[FoundLayer], dict[int, list[FoundLayer]]]:
    """The layers of the first optimizer, and those of the others; what nobody changes is the first one's."""
    owner = {id(parameter): id(other) for other in others for parameter in parameters_of(other)}
    own: list[FoundLayer] = []
    waiting: dict[int, list[FoundLayer]] = {}
    for layer in layers:
        whose = owner.get(id(layer.parts().weight))
        if whose is None:
            own.append(layer)
        else:
            waiting.setdefault(whose, []).append(layer)
    return own, waiting


def norm_at(optimizer: Optimizer) -> Tensor | float:
    """Norm of the gradient that an optimizer's step takes, scaled by nothing."""
    return _unscaled(norm(parameters_of(optimizer)), scale_of(optimizer))


def unscale(copy: WeightCopy, names: Sequence[str], scale: LossScale) -> None:
    """Divide gradients by what their optimizer's GradScaler multiplied them with."""
    for name in names:
        if name in copy.gradients:
            copy.gradients[name] = _as_tensor(_unscaled(copy.gradients[name], scale))


def together(norms: Sequence[Tensor | float]) -> Tensor | float:
    """The norm of gradients that have these norms, each of other parameters."""
    known = [each for each in norms if isinstance(each, Tensor)]
    if not known:
        return float("nan")
    with torch.no_grad():
        found: Tensor = torch.linalg.vector_norm(torch.stack([each.to(known[0].device) for each in known]))
        return found


def changes(optimizer: Optimizer, model: nn.Module) -> int:
    """How many parameters of a network an optimizer changes."""
    inside = {id(parameter) for parameter in model.parameters()}
    return sum(id(parameter) in inside for parameter in parameters_of(optimizer))


def _unscaled(value: Tensor | float, scale: LossScale) -> Tensor | float:
    if isinstance(scale, Tensor):
        with torch.no_grad():
            return value / (scale.to(value.device) if isinstance(value, Tensor) else float(scale))
    return value / scale if scale != 1.0 else value


def _as_tensor(value: Tensor | float) -> Tensor:
    assert isinstance(value, Tensor)
    return value
