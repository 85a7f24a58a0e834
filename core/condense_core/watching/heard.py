"""What is differentiated in this process: the losses of a training that nobody tells them of."""

from __future__ import annotations

import functools
from collections import deque
from typing import Any

import torch
from torch import Tensor

# Losses without a step: of a training that takes none, the last ones do.
MOST = 1_000


class Heard:
    """The losses since they were last taken, as they were before a GradScaler scaled them."""

    def __init__(self) -> None:
        self._losses: deque[Tensor] = deque(maxlen=MOST)
        self._scaled: dict[int, Tensor] = {}

    def take(self) -> Tensor | None:
        """Their sum, whose gradient the coming step takes; None where there is none. They are forgotten then."""
        losses = list(self._losses)
        self._losses.clear()
        self._scaled.clear()
        if not losses:
            return None
        return losses[0] if len(losses) == 1 else torch.stack([each.reshape(()) for each in losses]).sum()

    def differentiated(self, tensors: Any) -> None:
        """Something is about to be differentiated."""
        if isinstance(tensors, Tensor) and tensors.numel() == 1:
            self._losses.append(self._scaled.get(id(tensors), tensors.detach()))

    def scaled(self, loss: Any, found: Any) -> None:
        """A loss was scaled."""
        if isinstance(loss, Tensor) and isinstance(found, Tensor) and found is not loss:
            self._scaled[id(found)] = loss.detach()


@functools.cache
def heard() -> Heard:
    """Listen from now on; `Tensor.backward` calls what is heard too."""
    found = Heard()
    backward, scale = torch.autograd.backward, torch.amp.GradScaler.scale

    @functools.wraps(backward)
    def hear(tensors: Any, *args: Any, **kwargs: Any) -> None:
        found.differentiated(tensors)
        backward(tensors, *args, **kwargs)

    @functools.wraps(scale)
    def hear_scaled(scaler: Any, outputs: Any) -> Any:
        made = scale(scaler, outputs)
        found.scaled(outputs, made)
        return made

    torch.autograd.backward = hear
    torch.amp.GradScaler.scale = hear_scaled  # type: ignore[method-assign,assignment]
    return found
