"""How far each layer has moved from its initial weights, and how its kernels move now."""

from __future__ import annotations

from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.view import View
from condense_core.measures.change import relative_change
from condense_core.measures.motion import motion, velocity_alignment
from condense_core.runfile.reader import RunReader


class Change:
    """Scalars `LAYER.relative_change`: ‖θ(t) − θ(0)‖ / ‖θ(0)‖ of the layer's kernels; and of the kept kernels under
    gradient flow `LAYER.velocity_cos`, mean |cos| of each with its own velocity, and `LAYER.turning_to_growth`, the
    median of ‖u̇‖ / |ṙ|, in units of 1 / weight."""

    def __init__(self, start: View) -> None:
        self._initial = {layer: start.kernels(layer) for layer in start.layers}

    def measure(self, view: View, into: Measurement) -> None:
        for layer in view.layers:
            weight_MK, initial_MK = view.kernels(layer), self._initial[layer]
            into.scalar(f"{layer}.relative_change", relative_change(weight_MK, initial_MK))
            gradient_MK = view.kernel_gradient(layer)
            if gradient_MK is None:
                continue
            kept_M, velocity_MK = view.kept(layer), -gradient_MK
            rates = motion(weight_MK, velocity_MK)
            ratio_J = (rates.turning_M / rates.growth_M)[kept_M]
            into.scalar(f"{layer}.velocity_cos", float(velocity_alignment(weight_MK, velocity_MK)[kept_M].mean()))
            into.scalar(f"{layer}.turning_to_growth", float(ratio_J.median()) if len(ratio_J) else float("nan"))

    def resume(self, run: RunReader) -> None:
        """Nothing: the initial weights are made anew from the seed."""
