"""A watched network at one step, as probes see it.   # M kernels, K entries a kernel"""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from condense_core.engine.network.prediction import Prediction, Source
from condense_core.measures.clusters import keep_kernels
from condense_core.measures.kernels import kernel_norms
from condense_core.measures.signal import gradient_direction
from condense_core.scenario.geometry import Geometry
from condense_core.watching.pipe import Shot


class WatchedView:
    """Some layers of what was copied of a network before a step; a `View` (engine/probes/view.py).

    `weights` and `gradients` are rows (M, K) by layer, gradients still times `shot.scale`.
    """

    def __init__(
        self,
        shot: Shot,
        weights: Mapping[str, Tensor],
        gradients: Mapping[str, Tensor],
        layers: tuple[str, ...],
        small: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.step = shot.step
        self.seconds = shot.seconds
        self.layers = layers
        self.loss = shot.loss
        self.gradient_norm = shot.norm / shot.scale
        self.accuracy = math.nan
        self.test_loss = math.nan
        self.test_accuracy = math.nan
        self._geometry = shot.geometry
        self._weights = weights
        self._gradients = {layer: gradients[layer] / shot.scale for layer in layers if layer in gradients}
        self._small = small or {}
        self._kept: dict[str, Tensor] = {}
        self._predictions: dict[str, Prediction] = {}

    def geometry(self, layer: str) -> Geometry:
        """What the layer's rows are."""
        return self._geometry[layer]

    def kernels(self, layer: str) -> Tensor:
        """The layer's kernels (M, K), to be read only."""
        return self._weights[layer]

    def kept(self, layer: str) -> Tensor:
        """Kernels (M,) whose norm is not far below the others'."""
        if layer not in self._kept:
            self._kept[layer] = keep_kernels(kernel_norms(self._weights[layer]))
        return self._kept[layer]

    def kernel_gradient(self, layer: str) -> Tensor | None:
        """The gradient by the kernels (M, K), of the objective that was differentiated; None where there is none."""
        return self._gradients.get(layer)

    def prediction_source(self, layer: str) -> Source:
        """`gradient` where there is one: of somebody else's data nothing is known."""
        return "gradient" if layer in self._gradients else "none"

    def prediction(self, layer: str) -> Prediction:
        """The direction that the layer's kernels are driven to at this step."""
        if layer not in self._predictions:
            gradient_MK = self._gradients.get(layer)
            self._predictions[layer] = (
                Prediction.none(self.geometry(layer).entries)
                if gradient_MK is None
                else Prediction("gradient", gradient_direction(gradient_MK))
            )
        return self._predictions[layer]

    def input_direction(self, layer: str) -> Tensor | None:
        """None: what enters the layer is not known."""
        return None

    def parameters(self) -> Mapping[str, Tensor]:
        """All parameters by name, of a small network; else none."""
        return self._small
