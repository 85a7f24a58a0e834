"""The predicted direction of each layer, and how far its kernels have turned to it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from condense_core.engine.network.linear_theory import LOOK_AHEAD
from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.view import View
from condense_core.measures.alignment import alignment, ones_alignment, projection_ratio
from condense_core.measures.dynamics import LinearDynamics, predicted_condensation, predicted_ratio
from condense_core.measures.signal import SignalSpectrum, ones_overlap
from condense_core.runfile import frames
from condense_core.runfile.precision import SINGLE, round_array, rounded
from condense_core.runfile.reader import RunReader
from condense_core.thresholds import FINE

# Singular values that a frame keeps: more than any screen draws as curves.
KEPT_VALUES = 32
# Of a gradient's spectrum, which changes at every step and was most of what went to a remote viewer, only the head is
# kept, and not the direction itself: how far kernels lie along it is in the alignment.
KEPT_OF_GRADIENT = 8
# Eigenvalues that are recorded as curves of their own.
CURVES = 4


class SpectrumProbe:
    """Frames `spectrum`, and scalars `LAYER.eigenvalue.1` … (λ², the eigenvalues of ZᵀZ) and `LAYER.ones_overlap`."""

    def __init__(self, start: View) -> None:
        self._geometry = {name: start.geometry(name) for name in start.layers}

    def measure(self, view: View, into: Measurement) -> None:
        for name in view.layers:
            geometry = self._geometry[name]
            source, found = view.prediction(name)
            if source == "none":
                continue
            overlap = np.empty(0)
            if geometry.filters is not None:
                filter_K = found.v1[: geometry.filters]
                overlap = ones_overlap(filter_K, geometry.channels, geometry.patch).cpu().numpy()
                into.scalar(f"{name}.ones_overlap", float(overlap.mean()))
            from_data = source == "data"
            values = found.values[: KEPT_VALUES if from_data else KEPT_OF_GRADIENT].cpu().numpy()
            values = values if from_data else round_array(values, SINGLE)
            into.frame(name, _frame(found, values, overlap, bias=geometry.bias, from_data=from_data))
            for rank, value in enumerate(values[:CURVES], start=1):
                into.scalar(f"{name}.eigenvalue.{rank}", float(value) ** 2)

    def resume(self, run: RunReader) -> None:
        """Nothing: a spectrum depends on its own step alone."""


class AlignmentProbe:
    """Frames `alignment`, and scalars `LAYER.alignment` (mean |cos| of kept kernels with the predicted direction),
    `LAYER.share_on_v1` and `LAYER.share_on_v2` (of the kept kernels, those with a |cos| of 0.9 or more with it and with
    the second singular direction) and `LAYER.ratio`; of a convolution `LAYER.ones_cos` and `LAYER.ones_cos_least` (mean
    and least |cos| of the kept filters with all-ones), of a dense layer of multiplicity 1 `LAYER.case1_cos` (mean |cos|
    of the kept neurons with Σ e_i x_i). Where the linear dynamics apply also `LAYER.predicted_ratio`, what they make of
    the start by that step, and at step 0 `LAYER.predicted_at`, their step of condensation.

    Where the data alone predict the direction it is the one of step 0, held against all later steps; elsewhere it is
    the direction of the current gradient.
    """

    def __init__(self, start: View, dynamics: LinearDynamics | None = None) -> None:
        """`dynamics` is the closed form of the first layer's training, where there is one."""
        from_data = (name for name in start.layers if start.prediction_source(name) == "data")
        self._predicted = {name: start.prediction(name) for name in from_data}
        filters = {name: start.geometry(name).filters for name in start.layers}
        self._filters = {name: entries for name, entries in filters.items() if entries is not None}
        self._dynamics = dynamics
        self._arrival = None
        if self._dynamics is not None:
            self._arrival = predicted_condensation(self._dynamics, at_most=LOOK_AHEAD)

    def measure(self, view: View, into: Measurement) -> None:
        if view.step == 0 and self._arrival is not None:
            layer = view.layers[0]
            into.scalar(f"{layer}.predicted_at", self._arrival)
            into.event("predicted", f"linear dynamics: {layer} condenses at step {self._arrival}")
        if self._dynamics is not None:
            (expected,) = predicted_ratio(self._dynamics, torch.tensor([view.step])).tolist()
            into.scalar(f"{view.layers[0]}.predicted_ratio", expected)
        for layer in view.layers:
            source, found = self._predicted[layer] if layer in self._predicted else view.prediction(layer)
            weight_MK, kept_M = view.kernels(layer), view.kept(layer).cpu()
            if source != "none":
                _toward(layer, weight_MK, found, kept_M, into)
            if layer in self._filters:
                cosine_J = ones_alignment(weight_MK, self._filters[layer]).cpu()[kept_M].abs()
                into.scalar(f"{layer}.ones_cos", float(cosine_J.mean()))
                into.scalar(f"{layer}.ones_cos_least", float(cosine_J.min()) if len(cosine_J) else float("nan"))
            direction_K = view.input_direction(layer)
            if direction_K is not None:
                cosine_J = alignment(weight_MK, direction_K).cpu()[kept_M].abs()
                into.scalar(f"{layer}.case1_cos", float(cosine_J.mean()))

    def resume(self, run: RunReader) -> None:
        """Nothing: the prediction is made anew from the seed."""


def _toward(layer: str, weight_MK: Tensor, found: SignalSpectrum, kept_M: Tensor, into: Measurement) -> None:
    """How far the kernels lie along the predicted direction, and along the second one."""
    frame = _align(weight_MK, found.v1, kept_M)
    into.frame(layer, frame)
    into.scalar(f"{layer}.alignment", frame.mean_abs_cos)
    into.scalar(f"{layer}.ratio", frame.ratio)
    into.scalar(f"{layer}.share_on_v1", _share_along(weight_MK, found.v1, kept_M))
    into.scalar(f"{layer}.share_on_v2", _share_along(weight_MK, found.v2, kept_M))


def _align(weight_MK: Tensor, direction_K: Tensor, kept_M: Tensor) -> frames.Alignment:
    cosine_M = alignment(weight_MK, direction_K).cpu()
    return frames.Alignment.of(
        cosine_M.numpy(),
        mean_abs_cos=rounded(float(cosine_M[kept_M].abs().mean())),
        ratio=rounded(projection_ratio(weight_MK, direction_K)),
    )


def _share_along(weight_MK: Tensor, direction_K: Tensor, kept_M: Tensor) -> float:
    """Share of the kept kernels that lie along the direction as closely as kernels of one line do; NaN without any."""
    cosine_J = alignment(weight_MK, direction_K).cpu()[kept_M].abs()
    known = len(cosine_J) and bool(torch.isfinite(cosine_J).all())
    return float((cosine_J >= FINE.cos).double().mean()) if known else float("nan")


def _frame(
    found: SignalSpectrum, values: np.ndarray, overlap: np.ndarray, *, bias: bool, from_data: bool
) -> frames.Spectrum:
    return frames.Spectrum(
        values=frames.Array.of(values, "f8"),
        v1=frames.Array.of(found.v1.cpu().numpy() if from_data else np.empty(0), "f4"),
        bias=bias,
        ones_overlap=frames.Array.of(overlap if from_data else np.empty(0), "f8"),
        from_data=from_data,
    )
