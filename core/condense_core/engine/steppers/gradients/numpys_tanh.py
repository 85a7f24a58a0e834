"""The formulas of dense networks and of one convolution with NumPy's tanh, where that is the faster one."""

from __future__ import annotations

import math

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network import tanh
from condense_core.engine.network.derivatives import has_tanh
from condense_core.engine.steppers.gradients import cnn, mlp
from condense_core.engine.steppers.gradients.method import GradientMethod
from condense_core.scenario.experiment import Conv, Experiment

NAME = "closed form, NumPy's tanh"


class MlpWithNumpysTanh(mlp.MlpGradients):
    """The same, with the other tanh."""

    name = NAME
    tanh = staticmethod(tanh.by_numpy)


class CnnWithNumpysTanh(cnn.CnnGradients):
    """The same, with the other tanh."""

    name = NAME
    tanh = staticmethod(tanh.by_numpy)


_WITH: dict[type[GradientMethod], type[GradientMethod]] = {
    mlp.MlpGradients: MlpWithNumpysTanh,
    cnn.CnnGradients: CnnWithNumpysTanh,
}
# What PyTorch's tanh takes for a number, where it is slow; and for how long in all the choice is worth making.
TANH_S = 2e-9
TANH_MATTERS_S = 1.0


def with_faster_tanh(
    method: type[GradientMethod], experiment: Experiment, dataset: Dataset, way: str | None
) -> type[GradientMethod]:
    """A method for the CPU with the tanh that is faster there, or with the one of `way`, the name of how steps were
    taken so far."""
    other = _WITH.get(method)
    if other is None:
        return method
    if way is not None:
        return other if way == NAME else method
    if not any(has_tanh(layer.activation) for layer in experiment.layers):
        return method
    numbers = experiment.steps * experiment.ensemble.members * _activations(experiment, dataset)
    matters = numbers * TANH_S > TANH_MATTERS_S
    return other if matters and tanh.faster(experiment.dtype) == tanh.NUMPY else method


def _activations(experiment: Experiment, dataset: Dataset) -> int:
    """Numbers that activations are taken of in a step of one member."""
    samples = experiment.optimizer.batch or len(dataset)
    positions = 1
    if isinstance(layer := experiment.layers[0], Conv):
        positions = math.prod(map(layer.positions, dataset.input_shape[1:]))
    return samples * positions * sum(layer.width for layer in experiment.layers)
