"""The weights themselves at a few of the recorded steps, so that a run can be taken up or reduced anywhere."""

from __future__ import annotations

from collections.abc import Sequence

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
        for at, instant in enumerate(members.instants):
            if instant.step in self._steps:
                self._measure_at(at, instant.rows, members, into)

    def _measure_at(self, at: int, own: slice, members: MemberViews, into: Measurement) -> None:
        numbers = members.numbers[own]
        if self._keeps:
            kept = frames.Weights.of_each({name: value[own] for name, value in members.parameters().items()})
            for number, frame in zip(numbers, kept, strict=True):
                into.frame("", frame, number, at)
        for layer in members.layers:
            kernels_SMK = members.kernels(layer)[own]
            # a network on its way to divergence has none
            rows = kernels_SMK.isfinite().all(dim=2).all(dim=1).nonzero()[:, 0].tolist()
            values_Sr = round_array(singular_values(kernels_SMK[rows]).float().cpu().numpy(), SHORT)
            if rows:
                finite = tuple(numbers[row] for row in rows)
                values = {"values": frames.Array.of(values_Sr, "f4")}
                into.stack(layer, Stack(of="singular", members=finite, arrays=values), at)

    def resume(self, run: RunReader, number: int = 0) -> None:
        """Nothing: which steps are kept follows from the scenario."""
