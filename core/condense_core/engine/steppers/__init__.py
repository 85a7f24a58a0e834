"""Ways to train the members of a scenario, and which one it gets."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.steppers import cnn, mlp
from condense_core.engine.steppers.base import Stepper
from condense_core.engine.steppers.eager import EagerStepper
from condense_core.engine.steppers.stacked import StackedStepper
from condense_core.scenario.experiment import Experiment

__all__ = ["Stepper", "choose", "make_stepper"]


def choose(experiment: Experiment, device: torch.device) -> type[Stepper]:
    """The fastest way that was measured for that kind of network; `fast` asks for autograd's."""
    if not experiment.fast:
        if mlp.applies(experiment):
            return mlp.MlpStepper
        if cnn.applies(experiment, device):
            return cnn.CnnStepper
    if device.type == "cuda" and experiment.ensemble.members > 1 and experiment.trunk is None:
        return StackedStepper
    return EagerStepper


def make_stepper(experiment: Experiment, datasets: Sequence[Dataset], device: torch.device) -> Stepper:
    """The scenario's stepper; `datasets` as `Stepper` takes them."""
    return choose(experiment, device)(experiment, datasets, device)
