"""Probes: observers that turn the network at one step into scalars and frames, and never change it."""

from __future__ import annotations

from collections.abc import Callable

from condense_core.engine.network.observation import Observation
from condense_core.engine.probes.base import Measurement, Probe
from condense_core.engine.probes.change import Change
from condense_core.engine.probes.condensation import CondensationProbe, SimilarityProbe
from condense_core.engine.probes.one_input import FieldProbe, OutputsProbe
from condense_core.engine.probes.prediction import AlignmentProbe, SpectrumProbe
from condense_core.engine.probes.vitals import Vitals
from condense_core.engine.probes.weights import WeightsProbe
from condense_core.scenario.experiment import Experiment

__all__ = ["Measurement", "Probe", "probes_for"]


def probes_for(experiment: Experiment, start: Observation) -> dict[str, Probe]:
    """The scenario's probes by name, after the vitals that every run records; `start` is the network at step 0."""
    makers: dict[str, Callable[[Observation], Probe]] = {
        "similarity": SimilarityProbe,
        "condensation": CondensationProbe,
        "spectrum": SpectrumProbe,
        "alignment": AlignmentProbe,
        "change": Change,
        "weights": WeightsProbe,
        "outputs": OutputsProbe,
        "field": FieldProbe,
    }
    asked = {name: make(start) for name, make in makers.items() if name in experiment.record.probes}
    return {"vitals": Vitals(start), **asked}
