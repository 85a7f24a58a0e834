"""The predicted direction of each layer, and how far its kernels have turned to it."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from condense_core.engine.network.linear_theory import LOOK_AHEAD
from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.change import mean_of
from condense_core.engine.probes.members import MemberViews, NumpyArray, together
from condense_core.engine.probes.view import View
from condense_core.measures.alignment import alignments, projection_ratios
from condense_core.measures.dynamics import LinearDynamics, predicted_condensation, predicted_ratio
from condense_core.measures.kernels import units_of
from condense_core.measures.signal import Spectra, ones_overlaps
from condense_core.runfile.frames import Alignment, Array
from condense_core.runfile.precision import SINGLE, round_array
from condense_core.runfile.reader import RunReader
from condense_core.runfile.stacks import Stack
from condense_core.thresholds import FINE

# Singular values that a frame keeps: more than any screen draws as curves.
KEPT_VALUES = 32
# Of a gradient's spectrum, which changes at every step and was most of what went to a remote viewer, only the head is
# kept, and not the direction itself: how far kernels lie along it is in the alignment.
KEPT_OF_GRADIENT = 8
# Eigenvalues that are recorded as curves of their own.
CURVES = 4
# Steps at which the closed form is worked out at a time.
STEPS_AT_ONCE = 256


class SpectrumProbe:
    """Frames `spectrum`, and scalars `LAYER.eigenvalue.1` … (λ², the eigenvalues of ZᵀZ) and `LAYER.ones_overlap`."""

    takes_several_steps = True

    def __init__(self, start: View | MemberViews) -> None:
        self._geometry = {name: start.geometry(name) for name in start.layers}

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        members = together(view)
        for name in members.layers:
            source = members.prediction_source(name)
            if source == "none":
                continue
            geometry, found = self._geometry[name], members.prediction(name)
            overlap_SC = np.empty((len(members.numbers), 0))
            if geometry.filters is not None:
                filter_SK = found.v1[:, : geometry.filters]
                overlap_SC = ones_overlaps(filter_SK, geometry.channels, geometry.patch).cpu().numpy()
                into.scalar(f"{name}.ones_overlap", overlap_SC.mean(axis=1))
            from_data = source == "data"
            values_Sr = found.values[:, : KEPT_VALUES if from_data else KEPT_OF_GRADIENT].cpu().numpy()
            values_Sr = values_Sr if from_data else round_array(values_Sr, SINGLE)
            v1_SK = found.v1.cpu().numpy() if from_data else np.empty((len(members.numbers), 0))
            into.stack(
                name,
                Stack(
                    of="spectrum",
                    members=members.numbers,
                    same={"bias": geometry.bias, "from_data": from_data},
                    arrays={
                        "values": Array.of(values_Sr, "f8"),
                        "v1": Array.of(v1_SK, "f4"),
                        "ones_overlap": Array.of(overlap_SC if from_data else overlap_SC[:, :0], "f8"),
                    },
                ),
            )
            for rank, value_S in enumerate(values_Sr.T[:CURVES], start=1):
                into.scalar(f"{name}.eigenvalue.{rank}", value_S**2)

    def resume(self, run: RunReader, number: int = 0) -> None:
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

    takes_several_steps = True

    def __init__(
        self, start: View | MemberViews, dynamics: Mapping[int, LinearDynamics] | None = None, steps: Sequence[int] = ()
    ) -> None:
        """`dynamics` is the closed form of the first layer's training by a member's number, where there is one; `steps`
        are all that are measured, ascending."""
        members = together(start)
        from_data = (name for name in members.layers if members.prediction_source(name) == "data")
        self._predicted = {name: members.prediction(name) for name in from_data}
        self._row_of = {number: row for row, number in enumerate(members.numbers)}
        filters = {name: members.geometry(name).filters for name in members.layers}
        self._filters = {name: entries for name, entries in filters.items() if entries is not None}
        self._dynamics = dict(dynamics or {})
        self._arrivals = {
            number: predicted_condensation(each, at_most=LOOK_AHEAD) for number, each in self._dynamics.items()
        }
        self._steps = list(steps)
        self._expected: dict[int, dict[int, float]] = {number: {} for number in self._dynamics}

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        members = together(view)
        if self._dynamics:
            self._measure_theory(members, into)
        for layer in members.layers:
            kept_SM, unit_SMK = members.kept(layer), members.units(layer)
            if members.prediction_source(layer) != "none":
                _toward(layer, members, self._spectra(layer, members), into)
            if layer in self._filters:
                entries = self._filters[layer]
                filter_SMK = units_of(members.kernels(layer)[:, :, :entries])
                ones_SK = torch.ones(len(members.numbers), entries, dtype=torch.float64)
                size_SM = np.abs(alignments(filter_SMK, ones_SK).cpu().numpy())
                into.scalar(f"{layer}.ones_cos", mean_of(size_SM, kept_SM))
                # NaN where one is, as the least of torch's
                least_S = np.where(kept_SM, size_SM, np.inf).min(axis=1)
                into.scalar(f"{layer}.ones_cos_least", np.where(kept_SM.any(axis=1), least_S, np.nan))
            direction_SK = members.input_direction(layer)
            if direction_SK is not None:
                size_SM = np.abs(alignments(unit_SMK, direction_SK).cpu().numpy())
                into.scalar(f"{layer}.case1_cos", mean_of(size_SM, kept_SM))

    def resume(self, run: RunReader, number: int = 0) -> None:
        """Nothing: the prediction is made anew from the seed."""

    def _spectra(self, layer: str, members: MemberViews) -> Spectra:
        if layer not in self._predicted:
            return members.prediction(layer)
        return self._predicted[layer].rows([self._row_of[number] for number in members.numbers])

    def _measure_theory(self, members: MemberViews, into: Measurement) -> None:
        layer = members.layers[0]
        arrival_S, ratio_S = np.full((2, len(members.numbers)), math.nan)
        for at, (step, _, rows) in enumerate(members.instants):
            numbers = members.numbers[rows]
            ratio_S[rows] = [self._ratio(each, step) if each in self._dynamics else math.nan for each in numbers]
            if step == 0:
                arrival_S[rows] = self._arrived(layer, numbers, at, into)
        into.scalar(f"{layer}.predicted_at", arrival_S, known=True)
        into.scalar(f"{layer}.predicted_ratio", ratio_S)

    def _arrived(self, layer: str, numbers: Sequence[int], at: int, into: Measurement) -> list[float]:
        """Say when each member's layer is predicted to condense: the step, NaN where none is."""
        arrivals = [self._arrivals.get(number) for number in numbers]
        for number, arrival in zip(numbers, arrivals, strict=True):
            if arrival is not None:
                into.event("predicted", f"linear dynamics: {layer} condenses at step {arrival}", number, at)
        return [math.nan if arrival is None else arrival for arrival in arrivals]

    def _ratio(self, number: int, step: int) -> float:
        """What the closed form says of the member at that step; the steps that come are worked out with it."""
        known = self._expected[number]
        if step not in known:
            after = bisect.bisect_right(self._steps, step)
            steps = [step, *self._steps[after : after + STEPS_AT_ONCE]]
            found = predicted_ratio(self._dynamics[number], torch.tensor(steps)).tolist()
            known.clear()
            known.update(zip(steps, found, strict=True))
        return known[step]


def _toward(layer: str, members: MemberViews, found: Spectra, into: Measurement) -> None:
    """How far the kernels lie along the predicted direction, and along the second one."""
    kept_SM, unit_SMK = members.kept(layer), members.units(layer)
    along_SM = alignments(unit_SMK, found.v1)
    cosine_SM, norm_SM = along_SM.cpu().numpy(), torch.from_numpy(members.norms(layer)).to(along_SM.device)
    mean_S = round_array(mean_of(np.abs(cosine_SM), kept_SM))
    ratio_S = round_array(projection_ratios(norm_SM, along_SM).cpu().numpy())
    into.stack(
        layer,
        Stack(
            of="alignment",
            members=members.numbers,
            each={"mean_abs_cos": mean_S.tolist(), "ratio": ratio_S.tolist()},
            arrays={"cosine": Alignment.levels(cosine_SM)},
        ),
    )
    into.scalar(f"{layer}.alignment", mean_S)
    into.scalar(f"{layer}.ratio", ratio_S)
    into.scalar(f"{layer}.share_on_v1", _shares_along(cosine_SM, kept_SM))
    into.scalar(f"{layer}.share_on_v2", _shares_along(alignments(unit_SMK, found.v2).cpu().numpy(), kept_SM))


def _shares_along(cosine_SM: NumpyArray, kept_SM: NumpyArray) -> NumpyArray:
    """Share of each member's kept kernels that lie along the direction as closely as kernels of one line do, (S,); NaN
    without any, and where one is not known."""
    unknown_S = (kept_SM & ~np.isfinite(cosine_SM)).any(axis=1)
    return np.where(unknown_S, np.nan, mean_of((np.abs(cosine_SM) >= FINE.cos).astype(np.float64), kept_SM))
