"""Whether theory knows what a scenario's training does while its weights are small, and if not, why not.

What a run records and what `theory` predicts ask here, so that both say the same of a scenario.
"""

from __future__ import annotations

import functools
import math

import torch

from condense_core.engine.network.activations import activation, multiplicity
from condense_core.errors import ScenarioError
from condense_core.scenario.experiment import GD, Conv, Experiment

# Steps that are looked through for the predicted step of condensation: further than any preset trains, and done in a
# tenth of a second.
LOOK_AHEAD = 100_000


def why_not_from_data(experiment: Experiment) -> str:
    """Why the data alone do not give the direction that kernels turn to; empty where they do.

    They do for one hidden layer of multiplicity 1 that sees the data themselves (Zhou et al. 2022, case 1; Zhou et al.
    2025, §5), whatever the optimiser.
    """
    if experiment.decodes:
        return "a decoder; the linear dynamics are for one hidden layer"
    name = experiment.layers[0].activation
    order = multiplicity(activation(name))
    if experiment.trunk is not None:
        return (
            f"a {experiment.trunk} trunk before it; the linear dynamics are for a layer that sees the data themselves"
        )
    if len(experiment.layers) > 1:
        return f"{len(experiment.layers)} hidden layers; the linear dynamics are for one"
    if order != 1:
        return f"{name} has multiplicity {order or 'none'}; the linear dynamics need 1"
    return why_not_linear_in_kernels(experiment)


def why_not_linear_in_kernels(experiment: Experiment) -> str:
    """Why what the first layer gives is not linear in its kernels, however small they are and whatever its activation;
    empty where it is. Strides, padding and average pooling are linear: they choose patches, or average them."""
    first = experiment.layers[0]
    if isinstance(first, Conv) and first.batch_norm:
        return "batch norm, after which small kernels give as much as large ones"
    if isinstance(first, Conv) and first.pool == "max":
        return "max pooling, where the kernels choose which patch counts"
    return ""


def why_no_linear_dynamics(experiment: Experiment) -> str:
    """Why the closed form of the linear dynamics is not that of this scenario's training; empty where it is.

    Zhou et al. 2025, app. B and C: gradient flow on the whole sample, so plain gradient descent at one learning rate,
    and an activation of multiplicity 1 that is 0 at 0. They have no output bias; a trained one moves the residuals that
    the form takes as constant, but slowly beside λ1: on `digits-gd` the ratio on v1 was then up to .008 off, and the
    layer arrived at step 77 where 74 was predicted. So such scenarios are predicted, too.
    """
    optimizer = experiment.optimizer
    reason = why_not_from_data(experiment)
    if reason:
        return reason
    if value_and_derivative_at_zero(experiment)[0] != 0:
        name = experiment.layers[0].activation
        return f"{name} is not 0 at 0; centred-{name} is"
    if not isinstance(optimizer, GD):
        return f"{type(optimizer).__name__}; the linear dynamics are for gradient descent"
    drawn = {
        "momentum": optimizer.momentum,
        "weight decay": optimizer.weight_decay,
        "noise in the gradient": optimizer.noise,
        "dropout": experiment.layers[0].dropout,
    }
    for name, value in drawn.items():
        if value:
            return f"{name}; the linear dynamics are for plain gradient descent"
    if optimizer.batch is not None:
        return "batches; the linear dynamics are for the full batch"
    if not optimizer.constant_lr:
        return "a learning rate that changes; the linear dynamics are for a constant one"
    return ""


def value_and_derivative_at_zero(experiment: Experiment) -> tuple[float, float]:
    """σ(0) and σ'(0) of the first layer, the second of which multiplies Z."""
    return _at_zero(experiment.layers[0].activation)


@functools.cache
def _at_zero(name: str) -> tuple[float, float]:
    zero = torch.zeros((), dtype=torch.float64, requires_grad=True)
    value = activation(name)(zero)
    return float(value.detach()), float(torch.autograd.grad(value, zero)[0])


def usable_unit(value: float, field: str, what: str) -> float:
    """The value where a learning rate can be given in units of it, as the optimiser's field says; ScenarioError for 0
    and what is not finite."""
    if not 0 < value < math.inf:
        because = "" if value else ", as where all classes have the same inputs"
        raise ScenarioError(f"optimizer.{field}: {what} is {value}{because}; give optimizer.lr instead")
    return value
