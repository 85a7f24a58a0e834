"""Similarity of kernels, and the lines and directions they condense to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.members import Instant, MemberViews, NumpyArray, together
from condense_core.engine.probes.view import View
from condense_core.measures.clusters import MembersLines, abs_cos_with_axes, display_order
from condense_core.measures.kernels import slices
from condense_core.measures.null import are_condensed, calibration_size, is_at_hand, null_condensation
from condense_core.measures.rank import effective_ranks, singular_values
from condense_core.measures.similarity import pool_similarity, upper_triangle
from condense_core.measures.tracking import Tracker
from condense_core.runfile import frames
from condense_core.runfile.levels import SimilarityEncoder, to_levels
from condense_core.runfile.precision import SHORT, round_array
from condense_core.runfile.reader import RunReader
from condense_core.runfile.stacks import Stack
from condense_core.scalar_names import layer_in_words
from condense_core.scenario.geometry import Geometry
from condense_core.thresholds import COARSE, FINE, Cut


class SimilarityProbe:
    """Frames `similarity`: every pair of kernels of each hidden layer."""

    takes_several_steps = True

    def __init__(self, start: View | MemberViews) -> None:
        self._encoders = {layer: SimilarityEncoder() for layer in start.layers}

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        members = together(view)
        for layer in members.layers:
            geometry, pairs_ST = members.geometry(layer), members.pairs(layer)
            kernels = geometry.kernels
            side = min(kernels, frames.LARGEST_SIDE)
            if kernels > side:
                pairs_ST = upper_triangle(_pooled(members, layer, side))
            encoder, levels_ST = self._encoders[layer], to_levels(pairs_ST)
            for at, (_, _, rows) in enumerate(members.instants):
                whose = levels_ST[rows], members.numbers[rows]
                into.stack(layer, encoder.encode_levels(*whose, side, kernels, geometry.sampled), at)

    def resume(self, run: RunReader, number: int = 0) -> None:
        """Nothing: the first frame after a resume is a key frame."""


def _pooled(members: MemberViews, layer: str, side: int) -> NumpyArray:
    """The similarity of each member's kernels in the order of its lines, (S, side, side)."""
    lines = members.lines(layer)
    pooled = []
    for row, cosine_MM in enumerate(members.cosine(layer)):
        own = lines.of(row)
        order_M = display_order(own.label_M, own.sign_M)
        pooled.append(pool_similarity(torch.from_numpy(cosine_MM), order_M, side).numpy())
    return np.stack(pooled)


class _Measured(NamedTuple):
    """What was measured of a layer's lines, before it is held against chance."""

    layer: str
    numbers: tuple[int, ...]
    instants: Sequence[Instant]
    geometry: Geometry
    chance_S: Sequence[int]
    lines: MembersLines
    coarse: MembersLines
    coverage_S: NumpyArray
    mean_S: NumpyArray
    pair_S: NumpyArray
    label_SM: NumpyArray
    sign_SM: NumpyArray
    norm_SM: NumpyArray


class CondensationProbe:
    """Frames `condensation` and scalars `LAYER.lines`, `.directions`, `.coverage`, `.condensed`, each also `_coarse`
    with its null's coverage (`.null_coverage_coarse`), `.mean_abs_cos`, `.pair_abs_cos`; of a convolution with several
    input channels also `.slice_abs_cos`, the mean |cos| of its slices per output and input channel with their common
    axis; event `condensed` at the first step where a layer is."""

    takes_several_steps = True

    def __init__(self, start: View | MemberViews) -> None:
        self._trackers = {layer: Tracker() for layer in start.layers}
        self._condensed: set[tuple[str, int]] = set()
        self._slices: dict[str, tuple[int, int]] = {}
        for name in start.layers:
            geometry = start.geometry(name)
            if geometry.patch and geometry.channels > 1:
                self._slices[name] = geometry.channels, math.prod(geometry.patch)

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        members = together(view)
        for layer in members.layers:
            self._measure_layer(layer, members, into)
            values_Sr = singular_values(members.kept_units(layer))
            into.scalar(f"{layer}.effective_rank", effective_ranks(values_Sr).numpy())
            if layer in self._slices:
                weight_SMK = members.kernels(layer)
                rows_SMK = torch.stack([slices(weight_MK, *self._slices[layer]) for weight_MK in weight_SMK])
                into.scalar(f"{layer}.slice_abs_cos", abs_cos_with_axes(rows_SMK))

    def resume(self, run: RunReader, number: int = 0) -> None:
        for layer, tracker in self._trackers.items():
            if (run.curve(f"{layer}.condensed")[1] > 0).any():
                self._condensed.add((layer, number))
            frame = run.condensation(layer)
            if frame is not None:
                label_M, sign_M = (each.numpy().astype(np.int64) for each in (frame.label, frame.sign))
                tracker.take_up(number, label_M, sign_M)

    def _measure_layer(self, layer: str, members: MemberViews, into: Measurement) -> None:
        geometry = members.geometry(layer)
        lines, coarse = members.lines(layer, FINE), members.lines(layer, COARSE)
        coverage_S, mean_S = round_array(lines.coverage_S), round_array(lines.mean_abs_cos_S)
        pair_S = round_array(members.pair_abs_cos(layer))
        into.scalar(f"{layer}.directions_coarse", coarse.directions_S)
        into.scalar(f"{layer}.coverage_coarse", coarse.coverage_S)
        # these have their place among the others, and their values once it is known what chance would make
        into.scalar(f"{layer}.null_coverage_coarse", math.nan)
        into.scalar(f"{layer}.condensed_coarse", math.nan)
        into.scalar(f"{layer}.lines", lines.lines_S)
        into.scalar(f"{layer}.lines_coarse", coarse.lines_S)
        into.scalar(f"{layer}.directions", lines.directions_S)
        into.scalar(f"{layer}.coverage", coverage_S)
        into.scalar(f"{layer}.mean_abs_cos", mean_S)
        into.scalar(f"{layer}.pair_abs_cos", pair_S)
        into.scalar(f"{layer}.condensed", math.nan)
        tracker = self._trackers[layer]
        followed = [
            tracker.follow(members.numbers[rows], lines.label_SM[rows], lines.sign_SM[rows])
            for _, _, rows in members.instants
        ]
        label_SM, sign_SM = followed[0] if len(followed) == 1 else map(np.concatenate, zip(*followed, strict=True))
        chance = members.chance_entries(layer)
        found = _Measured(
            layer,
            members.numbers,
            members.instants,
            geometry,
            chance,
            lines,
            coarse,
            coverage_S,
            mean_S,
            pair_S,
            label_SM,
            sign_SM,
            round_array(members.norms(layer), SHORT),
        )
        if all(map(is_at_hand, set(chance))):
            self._judge(found, into)
        else:
            # a simulation, which is nothing that training should wait for
            into.later(lambda: self._judge(found, into))

    def _judge(self, found: _Measured, into: Measurement) -> None:
        """Hold what was measured against chance, and add what follows from it."""
        layer, geometry, lines, coarse = found.layer, found.geometry, found.lines, found.coarse
        null_SQ, condensed_S = _judged(lines, FINE, found.chance_S)
        coarse_SQ, condensed_coarse_S = _judged(coarse, COARSE, found.chance_S)
        into.scalar(f"{layer}.null_coverage_coarse", coarse_SQ[:, 0])
        into.scalar(f"{layer}.condensed_coarse", condensed_coarse_S)
        into.scalar(f"{layer}.condensed", condensed_S)
        into.stack(
            layer,
            Stack(
                of="condensation",
                members=found.numbers,
                same={"kernels": geometry.kernels, "drawn_of": geometry.sampled},
                each={
                    "kept": lines.kept_S.tolist(),
                    "lines": lines.lines_S.tolist(),
                    "lines_coarse": coarse.lines_S.tolist(),
                    "directions": lines.directions_S.tolist(),
                    "coverage": found.coverage_S.tolist(),
                    "mean_abs_cos": found.mean_S.tolist(),
                    "pair_abs_cos": found.pair_S.tolist(),
                    "null_coverage": null_SQ[:, 0].tolist(),
                    "null_abs_cos": null_SQ[:, 1].tolist(),
                    "condensed": condensed_S.tolist(),
                    "sizes": lines.sizes_S,
                },
                arrays={
                    "label": frames.Array.of(found.label_SM, "i2"),
                    "sign": frames.Array.of(found.sign_SM, "i1"),
                    "norm": frames.Array.of(found.norm_SM, "f4"),
                },
            ),
        )
        rows = range(len(found.numbers))
        for at, instant in enumerate(found.instants):
            for row in np.array(rows[instant.rows])[condensed_S[instant.rows]].tolist():
                number = found.numbers[row]
                if (layer, number) not in self._condensed:
                    self._condensed.add((layer, number))
                    count = _count(int(lines.lines_S[row]), "line")
                    into.event("condensed", f"{layer_in_words(layer)} condensed: {count} at {FINE.short}", number, at)


def _judged(lines: MembersLines, cut: Cut, entries_S: Sequence[int]) -> tuple[NumpyArray, NumpyArray]:
    """What chance makes of as many kernels as each member keeps, a `Null` in each row (S, 3), and whether each has
    condensed (S,)."""
    # of many members few differ in these
    pairs = list(zip(entries_S, lines.kept_S.tolist(), strict=True))
    at = {pair: place for place, pair in enumerate(dict.fromkeys(pairs))}
    nulls = [
        null_condensation(entries, calibration_size(kept), cut=cut.cos, smallest_share=cut.share)
        for entries, kept in at
    ]
    null_SQ = np.array(nulls)[[at[pair] for pair in pairs]]
    return null_SQ, are_condensed(lines.coverage_S, lines.tightness_S, null_SQ, np.array(entries_S))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
