"""The direction that a layer's kernels should turn to, and what it is known from.   # M kernels, K entries a kernel"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch

from condense_core.measures.signal import SignalSpectrum

Source = Literal["data", "gradient", "none"]
"""`data`: the data alone, good for the whole initial stage; `gradient`: the layer's own gradient, good for the next
moment; `none`: nothing is known."""


class Prediction(NamedTuple):
    """A predicted direction: `spectrum.v1` (K,), with the spectrum that it is the first direction of."""

    source: Source
    spectrum: SignalSpectrum

    @classmethod
    def none(cls, entries: int) -> Prediction:
        """Of a layer with K `entries` a kernel of which nothing is known: no values, and NaN for a direction."""
        unknown_K = torch.full((entries,), torch.nan, dtype=torch.float64)
        return cls("none", SignalSpectrum(unknown_K[:0], unknown_K, unknown_K))
