"""How far each layer has moved from its initial weights, and how its kernels move now."""

from __future__ import annotations

import numpy as np
import torch

from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.members import MemberViews, NumpyArray, together
from condense_core.engine.probes.view import View
from condense_core.measures.change import relative_changes
from condense_core.measures.kernels import norms_of
from condense_core.measures.motion import turning_of
from condense_core.runfile.reader import RunReader


class Change:
    """Scalars `LAYER.relative_change`: ‖θ(t) − θ(0)‖ / ‖θ(0)‖ of the layer's kernels; and of the kept kernels under
    gradient flow `LAYER.velocity_cos`, mean |cos| of each with its own velocity, and `LAYER.turning_to_growth`, the
    median of ‖u̇‖ / |ṙ|, in units of 1 / weight."""

    takes_several_steps = True

    def __init__(self, start: View | MemberViews) -> None:
        members = together(start)
        self._initial = {layer: members.kernels(layer).clone() for layer in members.layers}
        self._start = {layer: norms_of(initial.flatten(1)) for layer, initial in self._initial.items()}
        self._row_of = {number: row for row, number in enumerate(members.numbers)}

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        members = together(view)
        rows = torch.tensor([self._row_of[number] for number in members.numbers])
        for layer in members.layers:
            weight_SMK, own = members.kernels(layer), rows.to(self._start[layer].device)
            # four times as fast as indexing
            initial_SMK, start_S = (each[layer].index_select(0, own) for each in (self._initial, self._start))
            changed_S = relative_changes(weight_SMK, initial_SMK, start_S)
            into.scalar(f"{layer}.relative_change", changed_S.cpu().numpy())
            gradient_SMK = members.kernel_gradient(layer)
            if gradient_SMK is None:
                continue
            kept_SM, unit_SMK = members.kept(layer), members.units(layer)
            norm_SM = torch.from_numpy(members.norms(layer)).to(unit_SMK.device)
            to_growth_SM, cosine_SM = (each.cpu().numpy() for each in turning_of(unit_SMK, norm_SM, gradient_SMK))
            into.scalar(f"{layer}.velocity_cos", mean_of(cosine_SM, kept_SM))
            into.scalar(f"{layer}.turning_to_growth", _medians(to_growth_SM, kept_SM))

    def resume(self, run: RunReader, number: int = 0) -> None:
        """Nothing: the initial weights are made anew from the seed."""


def mean_of(values_SM: NumpyArray, kept_SM: NumpyArray) -> NumpyArray:
    """The mean of each member's kept kernels, (S,); NaN where one is, and without any."""
    count_S = kept_SM.sum(axis=1)
    total_S = np.where(kept_SM, values_SM, 0.0).sum(axis=1)
    return np.where(count_S > 0, total_S / np.maximum(1, count_S), np.nan)


def _medians(values_SM: NumpyArray, kept_SM: NumpyArray) -> NumpyArray:
    """The lower median of each member's kept kernels, (S,); NaN where one is, and without any."""
    count_S = kept_SM.sum(axis=1)
    ordered_SM = np.sort(np.where(kept_SM & ~np.isnan(values_SM), values_SM, np.inf), axis=1)
    middle_S = ordered_SM[np.arange(len(values_SM)), np.maximum(0, (count_S - 1) // 2)]
    unknown_S = (count_S == 0) | (kept_SM & np.isnan(values_SM)).any(axis=1)
    return np.where(unknown_S, np.nan, middle_S)
