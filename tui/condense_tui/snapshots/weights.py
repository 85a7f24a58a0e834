"""A layer's weights as they are at the playhead: norms, singular values, and for a layer with one input the orientation
and amplitude of each neuron.   # S steps at which weights were kept, M kernels, K entries a kernel

Norms are recorded at every measured step. The weights themselves are kept at a few steps (`record.probes`), with their
singular values, so all else is of the newest of those: what says when it was, and nothing is drawn between. Of a large
network the singular values alone are there, and of files of before those of the weights that were kept, or none.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from condense_core.runfile.kept_weights import kernels_of
from condense_core.runfile.reader import RunReader
from condense_core.thresholds import DROPPED, LEAST_COVERAGE

# Steps that the trails of neurons go back over; a run keeps twenty.
MOST_STEPS = 64
# What was computed of kept weights, of some layers and seeds.
KEPT_LAYERS = 512
Nothing = np.empty(0)


@dataclass(frozen=True)
class KeptLayer:
    """What is shown of the weights of a layer that were kept at one step.

    `singular` (r,): of its kernels (M, K), the bias their last entry. `angle` (M,) of (weight, bias) in (-π, π] and
    `amplitude` (M,) ‖(weight, bias)‖ · |output weights|: of a layer with one input [L], else empty.
    """

    singular: np.ndarray = field(default_factory=lambda: Nothing)
    angle: np.ndarray = field(default_factory=lambda: Nothing)
    amplitude: np.ndarray = field(default_factory=lambda: Nothing)


@dataclass(frozen=True)
class WeightsView:
    """Norms (M,) at step `norms_at` and which of the kernels were dropped; the newest kept weights, of step `kept_at`;
    singular values (r,) of step `singular_at`, of those or as they were recorded; and orientation (S, M) and amplitude
    (S, M) at all kept steps up to then."""

    layer: str
    norm: np.ndarray
    dropped: np.ndarray
    norms_at: int | None
    kept: KeptLayer
    kept_at: int | None
    singular: np.ndarray
    singular_at: int | None
    angle: np.ndarray
    amplitude: np.ndarray
    origin: np.ndarray
    """The line (M,) that each neuron was on at step `origin_at`, NO_LINE or DROPPED on none: which line it has split
    from. That is the kept step with the fewest lines that most neurons were on; empty where there is none."""
    origin_at: int | None
    ever_kept: bool
    """Weights are kept at some step of this run, or the layer's singular values."""


class WeightsReader:
    """Reads what is shown of weights, and remembers what it has computed."""

    def __init__(self) -> None:
        self._known: dict[tuple[int | None, str, int], KeptLayer] = {}
        self._lines: dict[tuple[int | None, str, int], tuple[int, np.ndarray]] = {}
        self._last: tuple[tuple[object, ...], WeightsView] | None = None

    def at(self, run: RunReader, layer: str, step: int) -> WeightsView:
        """The layer at the newest steps at or before `step`; the same object while nothing of it has changed."""
        steps = run.weight_steps[-MOST_STEPS:]
        before = steps[steps <= step].tolist()
        measured = run.curve(f"{layer}.lines")[0]
        measured = measured[measured <= step]
        norms_at = int(measured[-1]) if len(measured) else None
        kept_at = before[-1] if before else None
        recorded_at = run.step_of("singular", layer, step)
        ever = len(steps) > 0 or run.step_of("singular", layer) is not None
        key = (run.member_number, layer, tuple(before), norms_at, recorded_at, ever)
        if self._last is not None and self._last[0] == key:
            return self._last[1]
        frame = None if norms_at is None else run.condensation(layer, norms_at)
        norm = Nothing if frame is None else frame.norm.numpy().astype(np.float64)
        dropped = np.zeros(0, bool) if frame is None else frame.label.numpy() == DROPPED
        newest = KeptLayer() if kept_at is None else self._kept(run, layer, kept_at)
        singular, singular_at = newest.singular, kept_at
        if recorded_at is not None and (not len(singular) or kept_at is None or recorded_at > kept_at):
            recorded = run.singular(layer, recorded_at)
            singular = Nothing if recorded is None else recorded.values.numpy().astype(np.float64)
            singular_at = recorded_at
        # only of a layer with one input the weights before are looked at
        history = [self._kept(run, layer, kept_at) for kept_at in before] if len(newest.angle) else []
        history = [kept for kept in history if len(kept.angle) == len(newest.angle)]
        shape = len(history), len(newest.angle)
        origin_at, origin = self._origin(run, layer, before, len(newest.angle)) if history else (None, Nothing)
        view = WeightsView(
            layer=layer,
            norm=norm,
            dropped=dropped if len(dropped) == len(norm) else np.zeros(len(norm), bool),
            norms_at=norms_at,
            kept=newest,
            kept_at=kept_at,
            singular=singular,
            singular_at=singular_at,
            angle=np.reshape([kept.angle for kept in history], shape),
            amplitude=np.reshape([kept.amplitude for kept in history], shape),
            origin=origin,
            origin_at=origin_at,
            ever_kept=ever,
        )
        self._last = key, view
        return view

    def _origin(self, run: RunReader, layer: str, steps: list[int], neurons: int) -> tuple[int | None, np.ndarray]:
        """The first step of those with the fewest lines that most neurons were on, and the line of each neuron."""
        found: list[tuple[int, int, np.ndarray]] = []
        for step in steps:
            lines, label = self._lines_at(run, layer, step)
            if lines and len(label) == neurons:
                found.append((lines, step, label))
        if not found:
            return None, Nothing
        _, step, label = min(found, key=lambda each: each[:2])
        return step, label

    def _lines_at(self, run: RunReader, layer: str, step: int) -> tuple[int, np.ndarray]:
        """How many lines there were and each neuron's; 0 where too few were on them or nothing was measured."""
        key = (run.member_number, layer, step)
        if key not in self._lines:
            frame = run.condensation(layer, step) if run.step_of("condensation", layer, step) == step else None
            while len(self._lines) >= KEPT_LAYERS:
                del self._lines[next(iter(self._lines))]
            there = frame is not None and frame.coverage > LEAST_COVERAGE
            self._lines[key] = (frame.lines, frame.label.numpy()) if frame is not None and there else (0, Nothing)
        return self._lines[key]

    def _kept(self, run: RunReader, layer: str, step: int) -> KeptLayer:
        key = (run.member_number, layer, step)
        if key not in self._known:
            found = run.weights(step)
            while len(self._known) >= KEPT_LAYERS:
                del self._known[next(iter(self._known))]
            self._known[key] = KeptLayer() if found is None else kept_layer(found[1], layer)
        return self._known[key]


def kept_layer(parameters: dict[str, np.ndarray], layer: str) -> KeptLayer:
    """What is shown of a layer, from all of a network's weights by name; empty where they have none of that layer, or
    one that is no number."""
    kernels_MK = kernels_of(parameters, layer)
    if kernels_MK is None or not np.isfinite(kernels_MK).all():
        return KeptLayer()
    singular = np.linalg.svd(kernels_MK, compute_uv=False)
    out_M = _output_weights(parameters, layer, len(kernels_MK))
    if parameters[f"{layer}.weight"].shape[1:] != (1,) or kernels_MK.shape[1] != 2 or out_M is None:
        return KeptLayer(singular)
    angle, norm = np.arctan2(kernels_MK[:, 1], kernels_MK[:, 0]), np.hypot(*kernels_MK.T)
    return KeptLayer(singular, angle, norm * out_M)


def _output_weights(parameters: dict[str, np.ndarray], layer: str, kernels: int) -> np.ndarray | None:
    """Norm of what leaves each neuron (M,): of the columns of the next layer's matrix; parameters are in its order."""
    names = [name for name in parameters if name.endswith(".weight")]
    place = names.index(f"{layer}.weight") + 1
    following = parameters[names[place]] if place < len(names) else None
    if following is None or following.ndim != 2 or following.shape[1] != kernels or not np.isfinite(following).all():
        return None
    norms: np.ndarray = np.linalg.norm(following.astype(np.float64), axis=0)
    return norms


def neurons_of(run: RunReader, layer: str, step: int) -> tuple[int | None, np.ndarray]:
    """Weight and bias (M, 2) of each neuron of a layer with one input, and the step, the newest at or before `step`, at
    which they were kept; None and an empty array where there are none."""
    kept = run.weights(step)
    none = None, np.empty((0, 2))
    if kept is None:
        return none
    at, values = kept
    weight, bias = values.get(f"{layer}.weight"), values.get(f"{layer}.bias")
    if weight is None or bias is None or weight.shape != (len(bias), 1) or bias.ndim != 1:
        return none
    return at, np.stack([weight[:, 0], bias], axis=1).astype(np.float64)
