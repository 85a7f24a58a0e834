"""The weights themselves at a few of the recorded steps, so that a run can be taken up or reduced anywhere."""

from __future__ import annotations

from condense_core.engine.network.observation import Observation
from condense_core.engine.probes.base import Measurement
from condense_core.measures.rank import singular_values
from condense_core.runfile import frames
from condense_core.runfile.precision import SHORT, round_array
from condense_core.runfile.reader import RunReader
from condense_core.scenario.schedule import scheduled_steps, thinned

# Steps of a run whose weights are kept: a heatmap every five hundredths of a run is what a person picks from.
MOST_STEPS = 20


class WeightsProbe:
    """At most MOST_STEPS steps: frames `weights` of the whole network (layer ''), none above frames.MOST_WEIGHTS
    weights; and frames `singular`, the singular values of each hidden layer's kernels, however large it is."""

    def __init__(self, start: Observation) -> None:
        weights = sum(value.numel() for value in start.parameters().values())
        self._keeps = weights <= frames.MOST_WEIGHTS
        self._steps = set(thinned(scheduled_steps(start.experiment), MOST_STEPS))

    def measure(self, observation: Observation, into: Measurement) -> None:
        if observation.step not in self._steps:
            return
        if self._keeps:
            parameters = {name: value.cpu().numpy() for name, value in observation.parameters().items()}
            into.frame("", frames.Weights.of(parameters))
        for layer in observation.layers:
            kernels_MK = observation.kernels(layer)
            # a network on its way to divergence has none
            if kernels_MK.isfinite().all():
                values_r = round_array(singular_values(kernels_MK).float().cpu().numpy(), SHORT)
                into.frame(layer, frames.Singular(values=frames.Array.of(values_r, "f4")))

    def resume(self, run: RunReader) -> None:
        """Nothing: which steps are kept follows from the scenario."""
