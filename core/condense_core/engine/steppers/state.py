"""What an ensemble takes from a checkpoint: numbers and tensors that fit, or a word on what does not."""

from __future__ import annotations

import torch

from condense_core.engine.checkpoint import State
from condense_core.engine.steppers.parameters import ByName
from condense_core.errors import RunFileError


def copy_from(state: State, start: str, into: ByName) -> None:
    """Fill tensors with those of the state that have `start` before their names; RunFileError where one is missing
    or has another shape."""
    with torch.no_grad():
        for name, value in into.items():
            found = state.get(f"{start}{name}")
            # a shape that could be broadcast would be silent
            if found is None or found.shape != value.shape:
                shape = "missing" if found is None else tuple(found.shape)
                raise does_not_fit(f"{start}{name} is {shape}, expected {tuple(value.shape)}")
            value.copy_(found)


def number_in(state: State, name: str) -> float:
    """The number that the state has under that name; RunFileError where it has none."""
    value = state.get(name)
    if value is None or value.numel() != 1 or not bool(value.isfinite()):
        raise does_not_fit(f"{name} is {'missing' if value is None else 'no number'}")
    return float(value)


def does_not_fit(reason: str) -> RunFileError:
    """What is said of a checkpoint of another network."""
    return RunFileError(f"the checkpoint does not fit this scenario ({reason}); remove it to train from the start")
