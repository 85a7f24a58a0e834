"""How far each layer has moved from its initial weights."""

from __future__ import annotations

from condense_core.engine.network.observation import Observation
from condense_core.engine.probes.base import Measurement
from condense_core.measures.change import relative_change
from condense_core.runfile.reader import RunReader


class Change:
    """Scalar `LAYER.relative_change`: ‖θ(t) − θ(0)‖ / ‖θ(0)‖ of the layer's kernels."""

    def __init__(self, start: Observation) -> None:
        self._initial = {layer: start.kernels(layer) for layer in start.layers}

    def measure(self, observation: Observation, into: Measurement) -> None:
        for layer, initial_MK in self._initial.items():
            into.scalar(f"{layer}.relative_change", relative_change(observation.kernels(layer), initial_MK))

    def resume(self, run: RunReader) -> None:
        """Nothing: the initial weights are made anew from the seed."""
