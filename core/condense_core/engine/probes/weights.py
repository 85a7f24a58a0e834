"""The weights themselves at a few of the recorded steps, so that a run can be taken up or reduced anywhere."""

from __future__ import annotations

from collections.abc import Sequence

from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.view import View
from condense_core.measures.rank import singular_values
from condense_core.runfile import frames
from condense_core.runfile.precision import SHORT, round_array
from condense_core.runfile.reader import RunReader
from condense_core.scenario.schedule import thinned

# Steps of a run whose weights are kept: a heatmap every five hundredths of a run is what a person picks from.
MOST_STEPS = 20


class WeightsProbe:
    """At most MOST_STEPS steps: frames `weights` of the whole network (layer ''), none above frames.MOST_WEIGHTS
    weights; and frames `singular`, the singular values of each hidden layer's kernels, however large it is."""

    def __init__(self, start: View, steps: Sequence[int]) -> None:
        """`steps` are all that are measured, ascending."""
        weights = sum(value.numel() for value in start.parameters().values())
        self._keeps = weights <= frames.MOST_WEIGHTS
        self._steps = set(thinned(steps, MOST_STEPS))

    def measure(self, view: View, into: Measurement) -> None:
        if view.step not in self._steps:
            return
        if self._keeps:
            parameters = {name: value.cpu().numpy() for name, value in view.parameters().items()}
            into.frame("", frames.Weights.of(parameters))
        for layer in view.layers:
            kernels_MK = view.kernels(layer)
            # a network on its way to divergence has none
            if kernels_MK.isfinite().all():
                values_r = round_array(singular_values(kernels_MK).float().cpu().numpy(), SHORT)
                into.frame(layer, frames.Singular(values=frames.Array.of(values_r, "f4")))

    def resume(self, run: RunReader) -> None:
        """Nothing: which steps are kept follows from the scenario."""
