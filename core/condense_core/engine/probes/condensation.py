"""Similarity of kernels, and the lines and directions they condense to."""

from __future__ import annotations

import math
import time

import torch
from torch import Tensor

from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.view import View
from condense_core.measures.clusters import abs_cos_with_axis, cut_tree, display_order
from condense_core.measures.kernels import kernel_norms, slices
from condense_core.measures.null import is_condensed, null_condensation
from condense_core.measures.rank import effective_rank, singular_values
from condense_core.measures.similarity import pair_abs_cos, pool_similarity
from condense_core.measures.tracking import match_lines
from condense_core.runfile import frames
from condense_core.runfile.precision import SHORT, round_array, rounded
from condense_core.runfile.reader import RunReader
from condense_core.thresholds import COARSE, FINE


class SimilarityProbe:
    """Frames `similarity`: every pair of kernels of each hidden layer."""

    def __init__(self, start: View) -> None:
        self._encoders = {layer: frames.SimilarityEncoder() for layer in start.layers}

    def measure(self, view: View, into: Measurement) -> None:
        for layer in view.layers:
            encoder = self._encoders[layer]
            kernels, cosine_MM = len(view.kernels(layer)), view.cosine(layer)
            if kernels > frames.LARGEST_SIDE:
                lines = cut_tree(view.tree(layer))
                order_M = display_order(lines.label_M, lines.sign_M)
                cosine_MM = pool_similarity(cosine_MM, order_M, frames.LARGEST_SIDE)
            into.frame(layer, encoder.encode(cosine_MM.cpu().numpy(), kernels))

    def resume(self, run: RunReader) -> None:
        """Nothing: the first frame after a resume is a key frame."""


class CondensationProbe:
    """Frames `condensation` and scalars `LAYER.lines`, `.directions`, `.coverage`, `.condensed`, each also `_coarse`
    with its null's coverage (`.null_coverage_coarse`), `.mean_abs_cos`, `.pair_abs_cos`; of a convolution with several
    input channels also `.slice_abs_cos`, the mean |cos| of its slices per output and input channel with their common
    axis; event `condensed` at the first step where a layer is."""

    def __init__(self, start: View) -> None:
        self._places: dict[str, tuple[Tensor, Tensor]] = {}
        self._condensed: set[str] = set()
        self._slices: dict[str, tuple[int, int]] = {}
        for name in start.layers:
            geometry = start.geometry(name)
            if geometry.patch and geometry.channels > 1:
                self._slices[name] = geometry.channels, math.prod(geometry.patch)

    def measure(self, view: View, into: Measurement) -> None:
        for layer in view.layers:
            frame = self._measure_layer(layer, view, into)
            into.frame(layer, frame)
            for name in ("lines", "lines_coarse", "directions", "coverage", "mean_abs_cos", "pair_abs_cos"):
                into.scalar(f"{layer}.{name}", float(getattr(frame, name)))
            into.scalar(f"{layer}.condensed", float(frame.condensed))
            kept_JK = view.tree(layer).unit_SMK[0]
            into.scalar(f"{layer}.effective_rank", effective_rank(singular_values(kept_JK)))
            if layer in self._slices:
                rows = slices(view.kernels(layer), *self._slices[layer])
                into.scalar(f"{layer}.slice_abs_cos", abs_cos_with_axis(rows))
            if frame.condensed and layer not in self._condensed:
                self._condensed.add(layer)
                into.event("condensed", f"{layer} condensed: {_count(frame.lines, 'line')} at {FINE.short}")

    def resume(self, run: RunReader) -> None:
        for layer in run.layers:
            if (run.curve(f"{layer}.condensed")[1] > 0).any():
                self._condensed.add(layer)
            frame = run.condensation(layer)
            if frame is not None:
                label_M = torch.from_numpy(frame.label.numpy().astype("int64"))
                self._places[layer] = label_M, torch.from_numpy(frame.sign.numpy().astype("int64"))

    def _measure_layer(self, layer: str, view: View, into: Measurement) -> frames.Condensation:
        weight_MK, tree = view.kernels(layer), view.tree(layer)
        lines = cut_tree(tree)
        coarse = cut_tree(tree, cut=COARSE.cos, smallest_share=COARSE.share)
        begun = time.perf_counter()
        entries, size = weight_MK.shape[1], _calibration_size(lines.kept)
        null = null_condensation(entries, size)
        null_coarse = null_condensation(entries, size, cut=COARSE.cos, smallest_share=COARSE.share)
        into.one_time += time.perf_counter() - begun
        into.scalar(f"{layer}.directions_coarse", coarse.directions)
        into.scalar(f"{layer}.coverage_coarse", coarse.coverage)
        into.scalar(f"{layer}.null_coverage_coarse", null_coarse.coverage95)
        into.scalar(f"{layer}.condensed_coarse", is_condensed(coarse, null_coarse, entries))
        label_M, sign_M = lines.label_M, lines.sign_M
        if layer in self._places:
            matched = match_lines(*self._places[layer], label_M, sign_M)
            label_M, sign_M = matched.label_M, matched.sign_M
        self._places[layer] = label_M, sign_M
        return frames.Condensation(
            kernels=len(weight_MK),
            kept=lines.kept,
            lines=lines.lines,
            lines_coarse=coarse.lines,
            directions=lines.directions,
            coverage=rounded(lines.coverage),
            mean_abs_cos=rounded(lines.mean_abs_cos),
            pair_abs_cos=rounded(pair_abs_cos(view.cosine(layer))),
            null_coverage=null.coverage95,
            null_abs_cos=null.abs_cos95,
            condensed=is_condensed(lines, null, entries),
            sizes=lines.sizes,
            label=frames.Array.of(label_M.numpy(), "i2"),
            sign=frames.Array.of(sign_M.numpy(), "i1"),
            norm=frames.Array.of(round_array(kernel_norms(weight_MK).cpu().numpy(), SHORT), "f4"),
        )


def _calibration_size(kept: int) -> int:
    """The number of kernels that the null is simulated for: `kept` down to its two leading binary digits.

    A simulation takes a quarter of a second and `kept` changes from frame to frame; fewer random kernels look more
    condensed, so rounding down is the careful side.
    """
    unit = 1 << max(0, kept.bit_length() - 2)
    return max(1, kept // unit * unit)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
