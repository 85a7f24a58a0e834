"""What is copied of one training before its steps: its layers as they are found, with one optimizer or with several."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.optim import Optimizer

from condense_core.runfile.status import Status
from condense_core.scalar_names import layer_in_words
from condense_core.scenario.watched import Watched, dumps
from condense_core.watching.budget import FIRST
from condense_core.watching.choice import choose
from condense_core.watching.copying import copy_layers, leaves_out, norm, scale_of
from condense_core.watching.described import with_layers
from condense_core.watching.find import Finder
from condense_core.watching.layers import FoundLayer
from condense_core.watching.recording import Recording, WeightCopy
from condense_core.watching.resumed import Resumed, taken_up
from condense_core.watching.rounds import Round, norm_at, shared_out, together, unscale
from condense_core.watching.sharded import Shards


class Copies:
    """The layers of one training, and the copies that are handed to its recording."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer | None,
        watched: Watched,
        *,
        finder: Finder,
        asked: tuple[str, ...],
        resumed: Resumed | None,
        others: Sequence[Optimizer],
        shards: Shards | None,
    ) -> None:
        self._model, self._optimizer = model, optimizer
        self._finder, self._asked, self._resumed = finder, asked, resumed
        self._modules = -1
        self._round: Round | None = None
        self._step = 0
        self.watched = watched
        """What the run says of the training."""
        self.status: Status = "starting"
        """The run's, which is written with what is found."""
        self.layers: list[FoundLayer] = []
        """Those that are measured."""
        self.others = list(others)
        """Optimizers beside the one whose steps count."""
        self.shards = shards

    def find(self, recording: Recording, step: int) -> None:
        """Look for layers, where the network has other modules than the last time."""
        self._step = step
        modules = sum(1 for _ in self._model.modules()) + sum(1 for _ in self._model.parameters()) * 1_000_003
        # the same ones in all processes
        if modules == self._modules or (self.shards is not None and self._modules >= 0):
            return
        again = self._modules >= 0
        self._modules = modules
        if self.shards is not None:
            self.layers, words = self.shards.chosen()
            self._found(recording, words)
            return
        found = self._finder.layers()
        if not found:
            self._modules = -1
            return
        if self._resumed is not None:
            self.layers = self.layers or taken_up(self._resumed, found)
            return
        names = {layer.name for layer in self.layers}
        chosen, words = choose(found, self._asked, self._finder.not_measured)
        new = [layer for layer in chosen if layer.name not in names]
        if again and not new:
            return
        self.layers += new
        self._found(recording, words if not names else f"new: {', '.join(layer_in_words(each.name) for each in new)}")

    def take(self, recording: Recording, copy: WeightCopy, *, last: bool) -> bool:
        """Copy all layers and have the copy measured, the `last` one without gradients; False where the optimizer
        leaves this step out, since a scaled gradient has overflowed."""
        if self.shards is None and leaves_out(self._optimizer):
            return False
        self.find(recording, copy.step)
        # a loss needs no layer
        alone = copy.probes == (FIRST,) and self.shards is None and not copy.must
        if last:
            self._copy(recording, self.layers, copy, with_gradient=False)
            self._send(recording, copy)
        elif self.others:
            own, waiting = shared_out(self.layers, self.others)
            if alone:
                own, waiting = [], {whose: [] for whose in waiting}
            self._round = Round(copy, waiting)
            self._take_part(recording, self._optimizer, own)
        else:
            self._take_all(recording, copy, [] if alone else self.layers)
        return True

    def waits_for(self, optimizer: Optimizer) -> bool:
        """Whether a copy waits for the step of an optimizer beside the first."""
        return self._round is not None and id(optimizer) in self._round.waiting

    def other_step(self, recording: Recording, optimizer: Optimizer) -> None:
        """Before the step of an optimizer that a copy waits for."""
        if self._round is not None and not leaves_out(optimizer):
            self._take_part(recording, optimizer, self._round.waiting.pop(id(optimizer)))

    def end_round(self, recording: Recording) -> None:
        """Have a copy measured; what still waits for its optimizer's step is copied as it is."""
        found, self._round = self._round, None
        if found is None:
            return
        self._copy(recording, found.rest, found.copy, with_gradient=False)
        found.copy.in_order_of([layer.name for layer in self.layers])
        found.copy.norm = together(found.norms)
        self._send(recording, found.copy)

    def _take_all(self, recording: Recording, copy: WeightCopy, layers: list[FoundLayer]) -> None:
        try:
            copy.norm, copy.scale = norm(self._model.parameters()), scale_of(self._optimizer)
            self._copy(recording, layers, copy)
        except Exception:
            if self.shards is not None:
                # the other processes have met the same
                self.shards.off = True
            raise
        self._send(recording, copy)

    def _take_part(self, recording: Recording, optimizer: Optimizer | None, layers: list[FoundLayer]) -> None:
        """Copy the layers of one of several optimizers, before its step; after the last of them the copy is whole."""
        found = self._round
        if found is None:
            return
        self._copy(recording, layers, found.copy)
        if optimizer is not None:
            unscale(found.copy, [layer.name for layer in layers], scale_of(optimizer))
            found.norms.append(norm_at(optimizer))
        if not found.waiting:
            self.end_round(recording)

    def _found(self, recording: Recording, words: str) -> None:
        recording.event(self._step, "layers", words)
        self.watched = with_layers(self.watched, self.layers)
        recording.set_status(self.status, experiment=dumps(self.watched))

    def _copy(
        self, recording: Recording, layers: list[FoundLayer], into: WeightCopy, *, with_gradient: bool = True
    ) -> None:
        def left_out(layer: FoundLayer, why: str) -> None:
            self.layers.remove(layer)
            recording.event(into.step, "layers", f"{layer_in_words(layer.name)} is left out: {why}")

        copy_layers(list(layers), into, with_gradient=with_gradient, left_out=left_out)

    @staticmethod
    def _send(recording: Recording, copy: WeightCopy) -> None:
        gpu = next((weight.device for weight in copy.weights.values() if weight.is_cuda), None)
        if gpu is not None:
            copy.ready = torch.cuda.Event()  # type: ignore[no-untyped-call]
            # the network's, which need not be the current one
            copy.ready.record(torch.cuda.current_stream(gpu))
        recording.measure(copy)
