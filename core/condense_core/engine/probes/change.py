"""How far each layer has moved from its initial weights, and how its kernels move now."""

from __future__ import annotations

from condense_core.engine.network.observation import Observation
from condense_core.engine.probes.base import Measurement
from condense_core.measures.change import relative_change
from condense_core.measures.clusters import keep_kernels
from condense_core.measures.kernels import kernel_norms
from condense_core.measures.motion import motion, velocity_alignment
from condense_core.runfile.reader import RunReader


class Change:
    """Scalars `LAYER.relative_change`: ‖θ(t) − θ(0)‖ / ‖θ(0)‖ of the layer's kernels; and of the kept kernels under
    gradient flow `LAYER.velocity_cos`, mean |cos| of each with its own velocity, and `LAYER.turning_to_growth`, the
    median of ‖u̇‖ / |ṙ|, in units of 1 / weight."""

    def __init__(self, start: Observation) -> None:
        self._initial = {layer: start.kernels(layer) for layer in start.layers}

    def measure(self, observation: Observation, into: Measurement) -> None:
        for layer, initial_MK in self._initial.items():
            weight_MK = observation.kernels(layer)
            into.scalar(f"{layer}.relative_change", relative_change(weight_MK, initial_MK))
            kept_M = keep_kernels(kernel_norms(weight_MK), observation.experiment.record.smallest_norm)
            velocity_MK = -observation.kernel_gradient(layer)
            rates = motion(weight_MK, velocity_MK)
            ratio_J = (rates.turning_M / rates.growth_M)[kept_M]
            into.scalar(f"{layer}.velocity_cos", float(velocity_alignment(weight_MK, velocity_MK)[kept_M].mean()))
            into.scalar(f"{layer}.turning_to_growth", float(ratio_J.median()) if len(ratio_J) else float("nan"))

    def resume(self, run: RunReader) -> None:
        """Nothing: the initial weights are made anew from the seed."""
