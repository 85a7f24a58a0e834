"""The members of a scenario in training, and how the gradients of their kind of network are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from condense_core.compiling import Compiled
from condense_core.engine.data.datasets import Dataset
from condense_core.engine.steppers import compiled
from condense_core.engine.steppers.ensemble import TrainingEnsemble
from condense_core.engine.steppers.gradients import cnn, convolutions, mlp
from condense_core.engine.steppers.gradients.autograd import AutogradGradients
from condense_core.engine.steppers.gradients.compiled import CompiledGradients, applies, repays
from condense_core.engine.steppers.gradients.convolutions import CompiledConvolutions
from condense_core.engine.steppers.gradients.method import GradientMethod
from condense_core.engine.steppers.gradients.numpys_tanh import with_faster_tanh
from condense_core.engine.steppers.gradients.vmap import VmapGradients
from condense_core.errors import ScenarioError
from condense_core.scenario.experiment import OWN_PREFIX, Experiment
from condense_core.text import printable

__all__ = ["TrainingEnsemble", "compiled_code", "gradient_method", "make_ensemble"]


def compiled_code(method: type[GradientMethod]) -> Callable[[str], Compiled] | None:
    """What loads the compiled code that a method wants, given the precision; None where it wants none."""
    if method is CompiledGradients:
        return compiled.load
    return compiled.load_convolutions if method is CompiledConvolutions else None


def gradient_method(experiment: Experiment, device: torch.device, way: str | None = None) -> type[GradientMethod]:
    """The fastest way that was measured for that kind of network; `fast` asks for autograd's.

    It follows from the scenario and from `way`, the name of the one in which its steps were taken so far, if any were:
    never from the speed of this moment, so that the same run gives the same bits. ScenarioError where `fast` slows
    down a run that begins whatever the processor; where that has to be tried, `training.fast` does.
    """
    # formulas know the derivatives of the program's own activations
    own = any(layer.activation.startswith(OWN_PREFIX) for layer in experiment.layers)
    cpu = device.type == "cpu"
    compiles = cpu and convolutions.applies(experiment)
    if way is None and "channels-last" in experiment.fast and cnn.applies(experiment, device):
        raise ScenarioError(
            "fast: 'channels-last' slows this network: one convolution on a CPU is trained by formulas of its own, up"
            " to four times as fast; leave it out (--set 'fast=[]')"
        )
    if not experiment.fast and not own:
        begun = way is not None
        if mlp.applies(experiment):
            takes = way == CompiledGradients.name if begun else applies(experiment) and repays(experiment)
            return CompiledGradients if takes and cpu else mlp.MlpGradients
        if compiles and (way == CompiledConvolutions.name if begun else convolutions.repays(experiment)):
            return CompiledConvolutions
        if cnn.applies(experiment, device):
            return cnn.CnnGradients
    drops = any(layer.dropout for layer in experiment.layers)
    if device.type == "cuda" and experiment.ensemble.members > 1 and experiment.trunk is None and not drops:
        return VmapGradients
    return AutogradGradients


def make_ensemble(
    experiment: Experiment, datasets: Sequence[Dataset], device: torch.device, way: str | None = None
) -> TrainingEnsemble:
    """The scenario's members, ready to be trained; `datasets` as `TrainingEnsemble` takes them, `way` the name of how
    their steps were taken so far (`TrainingEnsemble.name`), None where none was."""
    method = gradient_method(experiment, device, way)
    load = compiled_code(method)
    if load is None:
        if device.type == "cpu":
            method = with_faster_tanh(method, experiment, datasets[0], way)
        return TrainingEnsemble(experiment, datasets, device, method)
    try:
        seconds = load(experiment.dtype).compiled_s
    except ImportError as error:
        # the way of versions that knew no compiled code, with the faster tanh
        method = with_faster_tanh(gradient_method(experiment, device, ""), experiment, datasets[0], None)
        ensemble = TrainingEnsemble(experiment, datasets, device, method)
        other = "" if way is None else "; the steps so far were compiled: from here on the last digits may differ"
        ensemble.notes.append(f"steps are not compiled: {printable(str(error))}{other}")
        return ensemble
    ensemble = TrainingEnsemble(experiment, datasets, device, method)
    if seconds:
        ensemble.notes.append(f"steps were compiled for this machine, which took {seconds:.0f} s")
    return ensemble
