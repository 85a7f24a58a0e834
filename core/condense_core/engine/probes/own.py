"""Probes of one's own plugins: what they see is copied, and what goes wrong in them ends no training.   # S members"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.members import MemberViews, together
from condense_core.engine.probes.view import View
from condense_core.plugins.kinds import OwnProbe
from condense_core.plugins.load import Plugin, error_in_words
from condense_core.runfile.precision import DOUBLE
from condense_core.runfile.reader import RunReader


class OwnView:
    """What a probe of your own sees of the network at one step. Every tensor is a copy, on the training device."""

    def __init__(self, view: View) -> None:
        self._view = view

    @property
    def step(self) -> int:
        """Steps trained so far."""
        return self._view.step

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the hidden layers, such as `conv1`, `dense1`."""
        return tuple(self._view.layers)

    @property
    def loss(self) -> float:
        """Loss on the whole sample; NaN where it is not known."""
        return float(self._view.loss)

    @property
    def accuracy(self) -> float:
        """Share of the sample that is classified right, 0 to 1; NaN for data without classes."""
        return float(self._view.accuracy)

    def kernels(self, layer: str) -> Tensor:
        """The layer's kernels (M, K): a row is the weights of one neuron or one output channel, its bias last."""
        return self._view.kernels(layer).clone()

    def kept(self, layer: str) -> Tensor:
        """Which kernels (M,) are large enough to count, as bools."""
        return self._view.kept(layer).clone()

    def gradient(self, layer: str) -> Tensor | None:
        """Gradient of the loss by `kernels` (M, K); None where there is none."""
        found = self._view.kernel_gradient(layer)
        return None if found is None else found.clone()

    def parameters(self) -> dict[str, Tensor]:
        """All parameters by name, such as `dense1.weight`, `output.weight`."""
        return {name: value.detach().clone() for name, value in self._view.parameters().items()}


class PluginProbe:
    """One probe of a plugin: a scalar of its name, of each layer or of the network.

    One that raises, or gives no number, is left out from there on, and an event says so.
    """

    def __init__(self, probe: OwnProbe, plugin: Plugin) -> None:
        self._probe = probe
        self._plugin = plugin
        self._called = f"own probe {probe.name} of {plugin}"
        self._broken = False
        self._said = False

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        if self._broken:
            return
        members = together(view)
        with _as_it_was():
            for layer in members.layers if self._probe.of == "layer" else ("",):
                values: list[float] = []
                for number, own in zip(members.numbers, members.views, strict=True):
                    where = f"{layer} at step {members.step}" if layer else f"step {members.step}"
                    try:
                        arguments = (OwnView(own), layer) if layer else (OwnView(own),)
                        values.append(_number(self._probe.function(*arguments)))
                    except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody's own code may raise anything
                        self._broken = True
                        words = error_in_words(error, self._plugin.file)
                        into.event("plugin", f"{self._called}: {words}, in {where}; it measures no more", number)
                        return
                    if not math.isfinite(values[-1]) and not self._said:
                        self._said = True
                        into.event("plugin", f"{self._called} gave {values[-1]} in {where}", number)
                name = f"{layer}.{self._probe.name}" if layer else self._probe.name
                into.scalar(name, np.array(values), DOUBLE)

    def resume(self, run: RunReader, number: int = 0) -> None:
        """Nothing: what it gives depends on its own step alone."""


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """What a probe draws takes nothing from training, and what it sets for the whole process is put back."""
    # asking a GPU that nothing has used would begin to use it
    used = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    gpus = range(torch.cuda.device_count()) if used else ()
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    with torch.random.fork_rng(devices=list(gpus)), torch.set_grad_enabled(torch.is_grad_enabled()):
        yield
    if torch.get_default_dtype() != dtype:
        torch.set_default_dtype(dtype)
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def _number(value: Any) -> float:
    if isinstance(value, Tensor):
        if value.numel() != 1:
            raise TypeError(f"expected one number, got a tensor of shape {tuple(value.shape)}")
        value = value.detach()
    elif isinstance(value, np.ndarray) and value.size != 1:
        raise TypeError(f"expected one number, got an array of shape {value.shape}")
    elif isinstance(value, str) or not hasattr(value, "__float__"):
        raise TypeError(f"expected one number, got {type(value).__name__}")
    return float(value)
