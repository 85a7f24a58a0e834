"""Activations of one's own plugins, tried before they train anything."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from condense_core.errors import ScenarioError
from condense_core.plugins.kinds import OwnActivation
from condense_core.plugins.load import Plugin, error_in_words, find


@functools.cache
def own_activation(name: str) -> OwnActivation:
    """The activation of that name; ScenarioError in one line where no plugin here has it, and where it is no
    elementwise function that autograd knows."""
    own, plugin = find(OwnActivation, name)
    for dtype in (torch.float32, torch.float64):
        _try(own, plugin, torch.linspace(-1.5, 1.5, 6, dtype=dtype).reshape(3, 2))
    return own


def _try(own: OwnActivation, plugin: Plugin, x: Tensor) -> None:
    called = f"own activation {own.name} of {plugin}"
    with torch.enable_grad(), torch.random.fork_rng(devices=[]):
        try:
            x = x.requires_grad_()
            value, row = own(x), own(x[:1])
            if not isinstance(value, Tensor):
                raise TypeError(f"expected a tensor, got {type(value).__name__}")
            like = f"{tuple(x.shape)} of {x.dtype}"
            if value.shape != x.shape or value.dtype != x.dtype:
                raise TypeError(f"expected {like}, as it was given, got {tuple(value.shape)} of {value.dtype}")
            if not value.isfinite().all():
                raise ValueError("its value between -1.5 and 1.5 is not finite")
            if not torch.allclose(row, value[:1], rtol=1e-4, atol=1e-6):
                raise ValueError("a value depends on other entries of the tensor; expected an elementwise function")
            torch.autograd.grad(value.sum(), x)
        except (Exception, SystemExit) as error:
            raise ScenarioError(f"{called}: {error_in_words(error, plugin.file)}") from error
