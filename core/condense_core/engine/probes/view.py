"""What probes see of a network at one step, whoever trains it.   # M kernels, K entries a kernel

The engine's `Observation` is one such view; of a network that somebody else trains, `watching` has another. Probes know
nothing else, so that a measure is the same whatever it is taken of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

from condense_core.engine.network.prediction import Prediction, Source
from condense_core.scenario.geometry import Geometry


class View(Protocol):
    """A network at one step, to be read before the next is taken. Reading it changes nothing."""

    step: int
    seconds: float
    """Time trained so far, measuring not counted; NaN where that is not known."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that are measured."""

    def geometry(self, layer: str) -> Geometry:
        """What the layer's rows are."""

    def kernels(self, layer: str) -> Tensor:
        """The layer's kernels (M, K), a copy; a bias is the last entry."""

    def kept(self, layer: str) -> Tensor:
        """Which kernels (M,) are large enough to count, on the kernels' device."""

    def kernel_gradient(self, layer: str) -> Tensor | None:
        """Gradient of the loss by the layer's kernels (M, K), as `kernels` has them; None where there is none."""

    def prediction_source(self, layer: str) -> Source:
        """What `prediction` is of, without making it."""

    def prediction(self, layer: str) -> Prediction:
        """The direction that the layer's kernels should turn to, and what says so."""

    def input_direction(self, layer: str) -> Tensor | None:
        """Σ e_i (x_i, 1) of a dense layer of multiplicity 1, (K,); None where that says nothing, or is not known."""

    def parameters(self) -> Mapping[str, Tensor]:
        """All parameters by name, detached."""

    @property
    def loss(self) -> float:
        """Loss; NaN where it is not known."""

    @property
    def accuracy(self) -> float:
        """Share of the sample that is classified right; NaN where that is not known."""

    @property
    def test_loss(self) -> float:
        """Loss on a held-out sample; NaN where there is none."""

    @property
    def test_accuracy(self) -> float:
        """Share of a held-out sample that is classified right; NaN where there is none."""

    @property
    def gradient_norm(self) -> float:
        """Euclidean norm of the whole gradient; NaN where there is none."""
