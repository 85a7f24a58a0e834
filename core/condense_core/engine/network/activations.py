"""Activation functions, and the multiplicity that decides how many directions they condense to.

Apart from the model because the multiplicity is found for any callable, a user's own included.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from condense_core.engine.network.own import own_activation
from condense_core.errors import ScenarioError
from condense_core.plugins.kinds import OwnActivation
from condense_core.scenario.experiment import ACTIVATIONS, CENTRED_PREFIX, OWN_PREFIX

Activation = Callable[[Tensor], Tensor]

# The highest derivative looked at: x^7 tanh x, far beyond any activation in use, and autograd still takes milliseconds.
HIGHEST_ORDER = 8
# A derivative at 0 below this share of its own largest value nearby is rounding: eps is 2e-16, and eight
# differentiations were seen to lose up to four digits.
ROUNDING = 1e-10
# Distances from 0 for one-sided limits. The jump of a smooth function shrinks with the distance, here by 2^10.
NEAR, NEARER = 2.0**-16, 2.0**-26


def _identity(x: Tensor) -> Tensor:
    return x


def _xtanh(x: Tensor) -> Tensor:
    return x * torch.tanh(x)


def _x2tanh(x: Tensor) -> Tensor:
    return x * x * torch.tanh(x)


def _gelu(x: Tensor) -> Tensor:
    return functional.gelu(x, approximate="none")


def _centred_sigmoid(x: Tensor) -> Tensor:
    return 0.5 * torch.tanh(0.5 * x)


def _centred_softplus(x: Tensor) -> Tensor:
    # log((1 + e^x) / 2); the first form would overflow for large x, the second cancels near 0.
    near = torch.log1p(0.5 * torch.expm1(torch.clamp(x, max=1.0)))
    return torch.where(x < 1.0, near, functional.softplus(x) - math.log(2.0))


_PLAIN: dict[str, Activation] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": functional.softplus,
    "relu": torch.relu,
    "gelu": _gelu,
    "silu": functional.silu,
    "xtanh": _xtanh,
    "x2tanh": _x2tanh,
    "identity": _identity,
}

# At weights of 1e-5, sigmoid(x) - 1/2 in float32 keeps two digits: the difference is taken by hand. The others are
# 0 at 0 as they stand.
_CENTRED: dict[str, Activation] = {**_PLAIN, "sigmoid": _centred_sigmoid, "softplus": _centred_softplus}


def activation(name: str) -> Activation:
    """The elementwise function σ of that name, or σ − σ(0) for `centred-` names; keeps shape and dtype.

    Every one can be differentiated by autograd as often as wanted, at 0 too. Names are `experiment.ACTIVATIONS`;
    those of plugins (`own:NAME`); ScenarioError for any other.
    """
    if name.startswith(OWN_PREFIX):
        return own_activation(name.removeprefix(OWN_PREFIX))
    table = _CENTRED if name.startswith(CENTRED_PREFIX) else _PLAIN
    try:
        return table[name.removeprefix(CENTRED_PREFIX)]
    except KeyError:
        raise ScenarioError(f"unknown activation {name!r}; expected one of {', '.join(ACTIVATIONS)}") from None


@lru_cache(maxsize=64)
def multiplicity(function: Activation) -> int | None:
    """The smallest s ≥ 1 with σ^(s)(0) ≠ 0, the multiplicity p of Zhou et al. 2022 (definition 1), or None.

    None where σ has no derivative of the order needed at 0 (relu), or where the first eight vanish. Found by
    repeated automatic differentiation in float64, so any elementwise callable will do. "≠ 0" is judged against the
    same derivative's largest value on [-1, 1], so c·σ has the multiplicity of σ for every c.
    """
    return _examine(function)[0]


def describe_multiplicity(name: str) -> str:
    """The multiplicity of a named activation in words: `2`, or `none: not smooth at 0`."""
    order, reason = _examine(activation(name))
    return f"none: {reason}" if order is None else str(order)


def _examine(function: Activation) -> tuple[int | None, str]:
    if isinstance(function, OwnActivation) and function.multiplicity != "measured":
        return function.multiplicity, "its plugin says so"
    here = torch.tensor([0.0, NEAR, -NEAR, NEARER, -NEARER], dtype=torch.float64)
    # An even number of points, so that 0 is not among them.
    around = torch.linspace(-1.0, 1.0, 64, dtype=torch.float64)
    x = torch.cat([here, around]).requires_grad_()
    value = function(x)
    for order in range(HIGHEST_ORDER + 1):
        if order > 0:
            try:
                value = _derivative(value, x)
            except RuntimeError:
                return None, f"derivative {order} cannot be taken by autograd"
        at_zero, *sides = value.detach()[: len(here)].tolist()
        scale = float(value.detach()[len(here) :].abs().max())
        if not _continuous(at_zero, sides, ROUNDING * scale):
            return None, "not smooth at 0"
        if order > 0 and abs(at_zero) > ROUNDING * scale:
            return order, ""
    return None, f"the first {HIGHEST_ORDER} derivatives vanish at 0"


def _derivative(value: Tensor, x: Tensor) -> Tensor:
    if not value.requires_grad:
        return torch.zeros_like(x)
    (derivative,) = torch.autograd.grad(value.sum(), x, create_graph=True, materialize_grads=True)
    return derivative


def _continuous(at_zero: float, sides: list[float], rounding: float) -> bool:
    """Whether the values at ±NEAR and ±NEARER close in on one limit, which is the value at 0."""
    right, left, righter, lefter = sides
    if not math.isfinite(sum(sides) + at_zero):
        return False
    gap = max(abs(right - at_zero), abs(left - at_zero))
    smaller_gap = max(abs(righter - at_zero), abs(lefter - at_zero))
    return smaller_gap <= rounding or smaller_gap < gap / 2


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(f"{name:18} multiplicity {describe_multiplicity(name)}")  # noqa: T201 - a table for `presets activations`
