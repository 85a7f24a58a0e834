"""Checkpoints measured one after the other, as layers of a watched network are.   # M kernels, K entries a kernel"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from condense_core.engine.probes.base import Measurement, Probe
from condense_core.engine.probes.members import MemberViews
from condense_core.errors import DataError
from condense_core.importing.checkpoint_files import read_weights
from condense_core.importing.sources import Checkpoint
from condense_core.importing.stand_in import StandIn
from condense_core.runfile.writer import StepRecord
from condense_core.scalar_names import layer_in_words
from condense_core.scenario.watched import Watched
from condense_core.watching.choice import choose
from condense_core.watching.described import with_layers
from condense_core.watching.find import Finder
from condense_core.watching.measuring import MAKERS
from condense_core.watching.pipe import Shot
from condense_core.watching.view import WatchedView


class Checkpoints:
    """A series of checkpoints of one network."""

    def __init__(self, first: Checkpoint, asked: Sequence[str]) -> None:
        """`asked` are patterns of layers' names, `*` for the usual ones. DataError for a file without layers,
        ScenarioError for a pattern that fits none."""
        self._network = StandIn(read_weights(first.files))
        finder = Finder(self._network.root)
        found = finder.layers()
        if not found:
            raise DataError(
                f"{first.files[0]} holds no layer: expected weights such as conv1.weight, of two dimensions or more"
            )
        self._layers, self.words = choose(found, asked, finder.not_measured, ordered=False)
        if not self._layers:
            raise DataError(f"{first.files[0]}: {self.words}")
        self._probes: list[Probe] = []

    def described(self, watched: Watched) -> Watched:
        """The same with the layers that are measured."""
        return with_layers(watched, self._layers)

    def measured(self, saved: Checkpoint) -> StepRecord:
        """What there is to measure of a checkpoint; the first one says how layers began."""
        odd = self._network.take(read_weights(saved.files))
        weights, events = {}, []
        for layer in self._layers:
            rows = layer.weight()
            rows = rows if rows.dtype in {torch.float32, torch.float64} else rows.float()
            if any(layer.name.startswith(name.rpartition(".")[0]) for name in odd) and bool(rows.isnan().any()):
                events.append(
                    ("layers", f"{layer_in_words(layer.name)} is not in this checkpoint, or has another shape there")
                )
                continue
            weights[layer.name] = rows
        shot = Shot(
            step=saved.step,
            seconds=0.0,
            loss=math.nan,
            norm=math.nan,
            scale=1.0,
            probes=tuple(MAKERS),
            geometry={layer.name: layer.geometry for layer in self._layers},
            tensors=(),
        )
        view = WatchedView(shot, weights, {}, tuple(weights))
        if not self._probes:
            self._probes = [make(view) for make in MAKERS.values()]
        found = Measurement(saved.step)
        for probe in self._probes:
            probe.measure(MemberViews([view]), found)
        return StepRecord(saved.step, found.scalars, found.records, [*events, *found.events])
