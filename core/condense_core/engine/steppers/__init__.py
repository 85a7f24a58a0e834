"""The members of a scenario in training, and how the gradients of their kind of network are found."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.steppers.ensemble import TrainingEnsemble
from condense_core.engine.steppers.gradients import cnn, mlp
from condense_core.engine.steppers.gradients.autograd import AutogradGradients
from condense_core.engine.steppers.gradients.method import GradientMethod
from condense_core.engine.steppers.gradients.vmap import VmapGradients
from condense_core.scenario.experiment import Experiment

__all__ = ["TrainingEnsemble", "gradient_method", "make_ensemble"]


def gradient_method(experiment: Experiment, device: torch.device) -> type[GradientMethod]:
    """The fastest way that was measured for that kind of network; `fast` asks for autograd's."""
    if not experiment.fast:
        if mlp.applies(experiment):
            return mlp.MlpGradients
        if cnn.applies(experiment, device):
            return cnn.CnnGradients
    if device.type == "cuda" and experiment.ensemble.members > 1 and experiment.trunk is None:
        return VmapGradients
    return AutogradGradients


def make_ensemble(experiment: Experiment, datasets: Sequence[Dataset], device: torch.device) -> TrainingEnsemble:
    """The scenario's members, ready to be trained; `datasets` as `TrainingEnsemble` takes them."""
    return TrainingEnsemble(experiment, datasets, device, gradient_method(experiment, device))
