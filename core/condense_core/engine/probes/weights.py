"""The weights themselves at a few of the recorded steps, so that a run can be taken up or reduced anywhere."""

from __future__ import annotations

from collections.abc import Sequence

from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.view import View
from condense_core.runfile import frames
from condense_core.runfile.reader import RunReader
from condense_core.scenario.schedule import thinned

# Steps of a run whose weights are kept: a heatmap every five hundredths of a run is what a person picks from.
MOST_STEPS = 20


class WeightsProbe:
    """Frames `weights` of the whole network (layer ''), at most MOST_STEPS, none above frames.MOST_WEIGHTS weights."""

    def __init__(self, start: View, steps: Sequence[int]) -> None:
        """`steps` are all that are measured, ascending."""
        weights = sum(value.numel() for value in start.parameters().values())
        self._steps = set(thinned(steps if weights <= frames.MOST_WEIGHTS else [], MOST_STEPS))

    def measure(self, view: View, into: Measurement) -> None:
        if view.step in self._steps:
            parameters = {name: value.cpu().numpy() for name, value in view.parameters().items()}
            into.frame("", frames.Weights.of(parameters))

    def resume(self, run: RunReader) -> None:
        """Nothing: which steps are kept follows from the scenario."""
