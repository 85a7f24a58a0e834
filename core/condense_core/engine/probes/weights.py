"""The weights themselves at a few of the recorded steps, so that a run can be taken up or reduced anywhere."""

from __future__ import annotations

from condense_core.engine.network.observation import Observation
from condense_core.engine.probes.base import Measurement
from condense_core.runfile import frames
from condense_core.runfile.reader import RunReader
from condense_core.scenario.schedule import scheduled_steps, thinned

# Steps of a run whose weights are kept: a heatmap every five hundredths of a run is what a person picks from.
MOST_STEPS = 20


class WeightsProbe:
    """Frames `weights` of the whole network (layer ''), at most MOST_STEPS, none above frames.MOST_WEIGHTS weights."""

    def __init__(self, start: Observation) -> None:
        weights = sum(value.numel() for value in start.parameters().values())
        experiment = start.experiment
        steps = scheduled_steps(experiment) if weights <= frames.MOST_WEIGHTS else []
        self._steps = set(thinned(steps, MOST_STEPS))

    def measure(self, observation: Observation, into: Measurement) -> None:
        if observation.step in self._steps:
            parameters = {name: value.cpu().numpy() for name, value in observation.parameters().items()}
            into.frame("", frames.Weights.of(parameters))

    def resume(self, run: RunReader) -> None:
        """Nothing: which steps are kept follows from the scenario."""
