"""Whether neurons give similar outputs over the sample, beside whether their weights are alike.

# S members, M neurons, E outputs of each
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import msgspec
import torch
from torch import Tensor

from condense_core.engine.network.observation import Observation
from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.condensation import CondensationProbe, SimilarityProbe
from condense_core.engine.probes.members import MemberViews, NumpyArray, together
from condense_core.engine.probes.view import View
from condense_core.measures.clusters import kept_kernels
from condense_core.measures.outputs import centred_rows, fewer_entries, input_dimensions
from condense_core.measures.sample import drawn, drawn_kernels
from condense_core.rows_of_layers import outputs_of
from condense_core.runfile.reader import RunReader
from condense_core.scenario.geometry import Geometry


class OutputRows(MemberViews):
    """Members of which each layer `LAYER-outputs` has the centred outputs of the neurons of `LAYER` as its rows."""

    def __init__(self, members: MemberViews, samples: Sequence[Sequence[int]]) -> None:
        """`samples` are those that are looked at, of each of the members."""
        super().__init__(members.views, members.numbers)
        first = members.views[0]
        assert isinstance(first, Observation)
        self._of = {outputs_of(layer): members.geometry(layer) for layer in first.neuron_layers}
        self._rows: dict[str, Tensor] = {}
        self._chance: dict[str, list[int]] = {}
        found = []
        for own, looked_at in zip(members.views, samples, strict=True):
            assert isinstance(own, Observation)
            found.append(own.layer_samples(looked_at))
        for layer in first.neuron_layers:
            name = outputs_of(layer)
            rows, chance = [], []
            for own, sample in zip(members.views, found, strict=True):
                assert isinstance(own, Observation)
                output_ME = sample[layer].output.transpose(0, 1).flatten(1)
                drawn_M = drawn_kernels(layer, len(output_ME))
                output_ME = output_ME if drawn_M is None else output_ME[drawn_M.to(output_ME.device)]
                rows.append(fewer_entries(centred_rows(output_ME)))
                chance.append(input_dimensions(own.input_rows(layer, sample[layer].input)))
            self._rows[name], self._chance[name] = torch.stack(rows), chance

    @cached_property
    def layers(self) -> tuple[str, ...]:
        return tuple(self._of)

    def geometry(self, layer: str) -> Geometry:
        entries = self._rows[layer].shape[2]
        return msgspec.structs.replace(self._of[layer], entries=entries, channels=entries, patch=(), bias=False)

    def kernels(self, layer: str) -> Tensor:
        return self._rows[layer]

    def chance_entries(self, layer: str) -> Sequence[int]:
        return self._chance[layer]

    def _kept(self, layer: str) -> NumpyArray:
        return kept_kernels(self.norms(layer))


class NeuronOutputsProbe:
    """What SimilarityProbe and CondensationProbe find of `LAYER`, under the name `LAYER-outputs`, where rows are not
    kernels but the neurons' outputs over the sample, less their mean (`measures.outputs`); of a convolution at every
    position, of a decoder's hidden layers at every token. They are those after the activation, without dropout and
    before a residual is added.

    A neuron of constant output has no direction. Chance is that of random vectors of as many entries as the layer's
    inputs fill dimensions. Of a large sample some are looked at, the same at every step, and an event says so.
    """

    def __init__(self, start: MemberViews) -> None:
        self._samples: dict[int, list[int]] = {}
        self._of = 0, 0
        for number, own in zip(start.numbers, start.views, strict=True):
            assert isinstance(own, Observation)
            count, (_, samples) = own.most_samples(), own.outputs_and_samples
            self._of = count, samples
            self._samples[number] = drawn("neuron-outputs", samples, count).tolist()
        rows = self._rows(start)
        self._similarity, self._condensation = SimilarityProbe(rows), CondensationProbe(rows)

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        members = together(view)
        count, samples = self._of
        if members.step == 0 and count < samples:
            for number in members.numbers:
                into.event("outputs", f"outputs of neurons are those for {count:,} of {samples:,} samples", number)
        rows = self._rows(members)
        self._similarity.measure(rows, into)
        self._condensation.measure(rows, into)

    def resume(self, run: RunReader, number: int = 0) -> None:
        self._similarity.resume(run, number)
        self._condensation.resume(run, number)

    def _rows(self, members: MemberViews) -> OutputRows:
        return OutputRows(members, [self._samples[number] for number in members.numbers])
