"""The newest frames of a layer by their kinds, as whoever reads a run asks for them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, TypeVar, get_args

from condense_core.measure_table import UNKNOWN_SOURCE, PredictionSource
from condense_core.runfile import frames

F = TypeVar("F", bound=frames.Frame)
LayerFrame = frames.Condensation | frames.Spectrum | frames.Alignment | frames.Singular | frames.Outputs | frames.Field


class LayerFrames(ABC):
    """What is recorded of a layer at, or before, a step."""

    def frame(
        self,
        kind: Literal["condensation", "spectrum", "alignment", "singular", "outputs", "field"],
        layer: str,
        step: int | None = None,
    ) -> LayerFrame | None:
        """The layer's newest frame of that kind, at or before `step` where given; None if there is none."""
        return self._newest(_KINDS[kind], layer, step)

    def condensation(self, layer: str, step: int | None = None) -> frames.Condensation | None:
        """`frame("condensation", …)`, typed."""
        return self._newest(frames.Condensation, layer, step)

    def spectrum(self, layer: str, step: int | None = None) -> frames.Spectrum | None:
        """`frame("spectrum", …)`, typed."""
        return self._newest(frames.Spectrum, layer, step)

    def prediction_source(self, layer: str, step: int | None = None) -> PredictionSource:
        """What the layer's predicted direction and its eigenvalues are called; not known without a spectrum."""
        frame = self.spectrum(layer, step)
        return UNKNOWN_SOURCE if frame is None else frame.source

    def alignment(self, layer: str, step: int | None = None) -> frames.Alignment | None:
        """`frame("alignment", …)`, typed."""
        return self._newest(frames.Alignment, layer, step)

    def singular(self, layer: str, step: int | None = None) -> frames.Singular | None:
        """`frame("singular", …)`, typed."""
        return self._newest(frames.Singular, layer, step)

    def outputs(self, layer: str, step: int | None = None) -> frames.Outputs | None:
        """`frame("outputs", …)`, typed."""
        return self._newest(frames.Outputs, layer, step)

    def field(self, layer: str, step: int | None = None) -> frames.Field | None:
        """`frame("field", …)`, typed."""
        return self._newest(frames.Field, layer, step)

    @abstractmethod
    def _newest(self, kind: type[F], layer: str, step: int | None) -> F | None:
        """The layer's newest frame of that type; None if there is none."""


_KINDS: dict[str, type[LayerFrame]] = {frames.kind_of(kind): kind for kind in get_args(LayerFrame)}
