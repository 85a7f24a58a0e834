"""Probes: observers that turn a network at one step into scalars and frames, and never change it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from condense_core.engine.network.activations import activation
from condense_core.engine.network.observation import Observation
from condense_core.engine.probes.base import Measurement, Probe
from condense_core.engine.probes.change import Change
from condense_core.engine.probes.condensation import CondensationProbe, SimilarityProbe
from condense_core.engine.probes.curvature import HessianProbe, TangentKernelProbe
from condense_core.engine.probes.members import MemberViews, together
from condense_core.engine.probes.neuron_outputs import NeuronOutputsProbe
from condense_core.engine.probes.one_input import FieldProbe, OutputsProbe
from condense_core.engine.probes.own import PluginProbe
from condense_core.engine.probes.prediction import AlignmentProbe, SpectrumProbe
from condense_core.engine.probes.unseen import UnseenProbe
from condense_core.engine.probes.view import View
from condense_core.engine.probes.vitals import Vitals
from condense_core.engine.probes.weights import WeightsProbe
from condense_core.measures.dynamics import LinearDynamics
from condense_core.measures.in_compiled_code import compile_measures, is_kept
from condense_core.plugins.kinds import OwnProbe
from condense_core.plugins.load import Plugin
from condense_core.rows_of_layers import OUTPUTS_PROBE
from condense_core.scenario.experiment import Experiment, Formula, Sine
from condense_core.scenario.schedule import scheduled_steps

__all__ = ["Measurement", "MemberViews", "Probe", "View", "compile_where_it_repays", "probes_for"]

# What compiled measures save of a pair of kernels of one member at one step; what it takes to load them once they were
# compiled, and what they have to save before: with Numba to be loaded first, and where it is there already.
SAVED_S = 3e-8
LOADING_S = 0.05
COMPILING_S = 1.0
COMPILING_WITH_NUMBA_S = 0.1


def probes_for(
    experiment: Experiment, start: Observation | MemberViews, own: Sequence[tuple[OwnProbe, Plugin]] = ()
) -> dict[str, Probe]:
    """The scenario's probes by name, after the vitals that every run records; `start` is all members at step 0, `own`
    are those of plugins.

    A probe that does not apply to the scenario is not there, so every one may stand in its list.
    """
    members, steps = together(start), scheduled_steps(experiment)
    makers: dict[str, Callable[[], Probe]] = {
        "similarity": lambda: SimilarityProbe(members),
        "condensation": lambda: CondensationProbe(members),
        "spectrum": lambda: SpectrumProbe(members),
        "alignment": lambda: AlignmentProbe(members, _dynamics(members), steps),
        "change": lambda: Change(members),
        "weights": lambda: WeightsProbe(members, steps),
        OUTPUTS_PROBE: lambda: NeuronOutputsProbe(members),
        "hessian": lambda: HessianProbe(experiment),
        "ntk": lambda: TangentKernelProbe(members),
    }
    data, first = experiment.data, experiment.layers[0]
    if isinstance(data, Sine | Formula) and data.inputs == 1 and len(experiment.layers) == 1:
        sigma = activation(first.activation)
        makers["outputs"] = lambda: OutputsProbe(sigma, data.low, data.high)
        if first.bias:
            # the field is over (weight, bias): without a bias it has one dimension, and no line to choose
            makers["field"] = lambda: FieldProbe(sigma)
    asked = {name: make() for name, make in makers.items() if name in experiment.record.probes}
    first_view = members.views[0]
    if isinstance(first_view, Observation) and first_view.has_unseen:
        asked = {"unseen": UnseenProbe(), **asked}
    plugged = {f"own:{probe.name}": PluginProbe(probe, plugin) for probe, plugin in own}
    return {"vitals": Vitals(members), **asked, **plugged}


def compile_where_it_repays(experiment: Experiment, members: MemberViews) -> float:
    """Have measures of this scenario compiled where that saves more than it takes, which leaves them the same; seconds
    that it took to compile them for this machine, 0 where that has been done before."""
    pairs = sum(members.geometry(layer).kernels ** 2 for layer in members.layers)
    saved = SAVED_S * experiment.ensemble.members * pairs * len(scheduled_steps(experiment))
    if "condensation" not in experiment.record.probes or saved <= LOADING_S:
        return 0.0
    if saved <= (COMPILING_WITH_NUMBA_S if "numba" in sys.modules else COMPILING_S) and not is_kept():
        return 0.0
    try:
        return compile_measures()
    except ImportError:
        return 0.0


def _dynamics(members: MemberViews) -> dict[int, LinearDynamics]:
    """The closed form of each member's training, where there is one."""
    found = {}
    for number, view in zip(members.numbers, members.views, strict=True):
        assert isinstance(view, Observation)
        dynamics = view.linear_dynamics()
        if dynamics is not None:
            found[number] = dynamics
    return found
