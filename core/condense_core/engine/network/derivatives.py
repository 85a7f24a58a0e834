"""Activations with their derivatives in closed form, for gradients that need no autograd.

Each pair runs the very kernels that PyTorch's own backward pass would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from condense_core.engine.network.activations import activation
from condense_core.errors import ScenarioError
from condense_core.scenario.experiment import CENTRED_PREFIX

Saved = tuple[Tensor, ...]
_aten = torch.ops.aten


class Elementwise(NamedTuple):
    """σ as `forward(z)` = (σ(z), what the way back needs), and `backward(d, saved)` = d · σ'(z).

    `forward` may write into z.
    """

    forward: Callable[[Tensor], tuple[Tensor, Saved]]
    backward: Callable[[Tensor, Saved], Tensor]


Tanh = Callable[[Tensor], Tensor]
"""tanh in place of its argument, which it returns."""


def _tanh(z: Tensor, tanh: Tanh) -> tuple[Tensor, Saved]:
    value = tanh(z)
    return value, (value,)


def _sigmoid(z: Tensor) -> tuple[Tensor, Saved]:
    value = z.sigmoid_()
    return value, (value,)


def _relu(z: Tensor) -> tuple[Tensor, Saved]:
    value = z.relu_()
    return value, (value,)


def _identity(z: Tensor) -> tuple[Tensor, Saved]:
    return z, ()


def _xtanh(z: Tensor, tanh: Tanh) -> tuple[Tensor, Saved]:
    value = tanh(z.clone())
    return z * value, (z, value)


def _xtanh_back(d: Tensor, saved: Saved) -> Tensor:
    z, tanh = saved
    derivative: Tensor = _aten.tanh_backward(z, tanh)
    return derivative.add_(tanh).mul_(d)


def _x2tanh(z: Tensor, tanh: Tanh) -> tuple[Tensor, Saved]:
    value = tanh(z.clone())
    product = z * value
    return z * product, (z, value, product)


def _x2tanh_back(d: Tensor, saved: Saved) -> Tensor:
    z, tanh, product = saved
    derivative: Tensor = _aten.tanh_backward(z * z, tanh)
    return derivative.add_(product, alpha=2).mul_(d)


def _half_tanh(z: Tensor, tanh: Tanh) -> tuple[Tensor, Saved]:
    value = tanh(z.mul_(0.5))
    return 0.5 * value, (value,)


def _kept(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], tuple[Tensor, Saved]]:
    return lambda z: (function(z), (z,))


# those with tanh in them: forward has it as a second argument
_WITH_TANH = {
    "tanh": (_tanh, lambda d, saved: _aten.tanh_backward(d, *saved)),
    "xtanh": (_xtanh, _xtanh_back),
    "x2tanh": (_x2tanh, _x2tanh_back),
    "centred-sigmoid": (_half_tanh, lambda d, saved: _aten.tanh_backward(d, *saved).mul_(0.25)),
}
_PLAIN = {
    "sigmoid": Elementwise(_sigmoid, lambda d, saved: _aten.sigmoid_backward(d, *saved)),
    "softplus": Elementwise(_kept(functional.softplus), lambda d, saved: _aten.softplus_backward(d, *saved, 1, 20)),
    "relu": Elementwise(_relu, lambda d, saved: _aten.threshold_backward(d, *saved, 0)),
    "gelu": Elementwise(_kept(functional.gelu), lambda d, saved: _aten.gelu_backward(d, *saved)),
    "silu": Elementwise(_kept(functional.silu), lambda d, saved: _aten.silu_backward(d, *saved)),
    "identity": Elementwise(_identity, lambda d, saved: d),
}
_CENTRED = {
    **_PLAIN,
    "softplus": Elementwise(
        _kept(activation(f"{CENTRED_PREFIX}softplus")), lambda d, saved: torch.sigmoid(saved[0]).mul_(d)
    ),
}


def has_tanh(name: str) -> bool:
    """Whether tanh is in the activation of that name."""
    return _plain_where_at_zero(name) in _WITH_TANH


def elementwise(name: str, tanh: Tanh = torch.tanh_) -> Elementwise:
    """The activation of that name (`experiment.ACTIVATIONS`, also `centred-`), with the given tanh where one is in it;
    ScenarioError for any other."""
    known = _plain_where_at_zero(name)
    if known in _WITH_TANH:
        forward, backward = _WITH_TANH[known]
        return Elementwise(lambda z: forward(z, tanh), backward)
    table = _CENTRED if name.startswith(CENTRED_PREFIX) else _PLAIN
    try:
        return table[name.removeprefix(CENTRED_PREFIX)]
    except KeyError:
        raise ScenarioError(f"unknown activation {name!r}") from None


def _plain_where_at_zero(name: str) -> str:
    """`tanh` for `centred-tanh`, which is 0 at 0 as it stands."""
    plain = name.removeprefix(CENTRED_PREFIX)
    return plain if plain in _WITH_TANH else name
