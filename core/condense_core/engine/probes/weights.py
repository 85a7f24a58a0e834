"""The weights themselves at a few of the recorded steps, so that a run can be taken up or reduced anywhere."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch

from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.members import MemberViews, together
from condense_core.engine.probes.view import View
from condense_core.measures.rank import singular_values
from condense_core.runfile import frames
from condense_core.runfile.precision import SHORT, round_array
from condense_core.runfile.reader import RunReader
from condense_core.runfile.stacks import Stack
from condense_core.scenario.schedule import thinned

# Steps of a run whose weights are kept: a heatmap every five hundredths of a run is what a person picks from.
MOST_STEPS = 20


class WeightsProbe:
    """At most MOST_STEPS steps: frames `weights` of the whole network (layer ''), none above frames.MOST_WEIGHTS
    weights; and frames `singular`, the singular values of each hidden layer's kernels, however large it is."""

    takes_several_steps = True

    def __init__(self, start: View | MemberViews, steps: Sequence[int]) -> None:
        """`steps` are all that are measured, ascending."""
        weights = sum(value.numel() for value in together(start).views[0].parameters().values())
        self._keeps = weights <= frames.MOST_WEIGHTS
        self._steps = set(thinned(steps, MOST_STEPS))

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        members = together(view)
        due = [(at, instant.rows) for at, instant in enumerate(members.instants) if instant.step in self._steps]
        if not due:
            return
        for at, own in due if self._keeps else ():
            kept = frames.Weights.of_each({name: value[own] for name, value in members.parameters().items()})
            for number, frame in zip(members.numbers[own], kept, strict=True):
                into.frame("", frame, number, at)
        for layer in members.layers:
            self._add_singular(layer, due, members, into)

    def _add_singular(
        self, layer: str, due: Sequence[tuple[int, slice]], members: MemberViews, into: Measurement
    ) -> None:
        kernels_SMK = members.kernels(layer)
        # in rows of all steps that are due
        kernels_RMK = torch.cat([kernels_SMK[own] for _, own in due])
        # a network on its way to divergence has none
        finite_R = kernels_RMK.isfinite().flatten(1).all(dim=1)
        values_Rr = round_array(singular_values(kernels_RMK[finite_R]).float().cpu().numpy(), SHORT)
        is_finite, first = finite_R.tolist(), 0
        for at, own in due:
            numbers = members.numbers[own]
            finite = tuple(itertools.compress(numbers, is_finite))
            del is_finite[: len(numbers)]
            if finite:
                values = {"values": frames.Array.of(values_Rr[first : first + len(finite)], "f4")}
                into.stack(layer, Stack(of="singular", members=finite, arrays=values), at)
            first += len(finite)

    def resume(self, run: RunReader, number: int = 0) -> None:
        """Nothing: which steps are kept follows from the scenario."""
