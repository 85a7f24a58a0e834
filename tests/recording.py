"""Run files for tests: kernels that turn to a few lines over time, written through the runs API, without training."""

from __future__ import annotations

import contextlib
import copy
import fcntl
import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np

from condense_core.runfile import schema
from condense_core.runfile.frames import (
    Alignment,
    Array,
    Condensation,
    Frame,
    Members,
    Singular,
    Spectrum,
)
from condense_core.runfile.levels import SimilarityEncoder
from condense_core.runfile.places import place
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs.create import create_run
from condense_core.scenario.claims import Claim
from condense_core.scenario.experiment import GD, Conv, Digits, Ensemble, Experiment, NormalInit

DROPPED_SHARE = 0.06


class Planted:
    """Kernels of one layer that turn from random to `lines` lines; `place` in [0, 1] is how far they have come."""

    drawn_of: int | None = None
    """Of how many kernels these are said to be drawn."""

    def __init__(self, kernels: int, lines: int, seed: int, entries: int = 12) -> None:
        random = np.random.default_rng(seed)
        self.kernels, self.lines = kernels, lines
        self.start = random.normal(size=(kernels, entries))
        axes, _ = np.linalg.qr(random.normal(size=(entries, max(1, lines))))
        self.line = np.arange(kernels) % lines
        self.sign = random.choice([-1, 1], size=kernels)
        self.goal = axes.T[self.line] * self.sign[:, None] * np.sqrt(entries)
        self.speed = random.uniform(0.7, 1.3, size=kernels)
        self.dropped = random.uniform(size=kernels) < DROPPED_SHARE
        self.v1 = axes[:, 0]

    def weights(self, place: float) -> np.ndarray:
        share = np.clip(place * self.speed, 0, 1)[:, None]
        return self.start * (1 - share) ** 2 + self.goal * share

    def cosine(self, place: float) -> np.ndarray:
        weights = self.weights(place)
        unit = weights / np.linalg.norm(weights, axis=1, keepdims=True)
        return (unit @ unit.T).astype(np.float32)

    def frames(self, place: float, encoder: SimilarityEncoder) -> list[Frame]:
        cosine = self.cosine(place)
        goal = self.goal / np.linalg.norm(self.goal, axis=1, keepdims=True)
        weights = self.weights(place)
        unit = weights / np.linalg.norm(weights, axis=1, keepdims=True)
        near = np.sum(unit * goal, axis=1) > 0.9
        label = np.where(self.dropped, -2, np.where(near, self.line, -1))
        kept = int((~self.dropped).sum())
        on_lines = label >= 0
        found = len(np.unique(label[on_lines]))
        coverage = float(on_lines.sum() / kept)
        to_v1 = unit @ self.v1
        values = np.array([3.0, 0.4 + 0.2 * place, 0.2, 0.05])
        return [
            encoder.encode(cosine, self.kernels),
            Condensation(
                kernels=self.kernels,
                kept=kept,
                lines=found,
                lines_coarse=min(found, 1),
                directions=2 * found,
                coverage=coverage,
                mean_abs_cos=float(np.abs(np.sum(unit * goal, axis=1)).mean()),
                pair_abs_cos=float(np.abs(cosine).mean()),
                null_coverage=0.3,
                null_abs_cos=0.5,
                condensed=coverage > 0.8,
                sizes=tuple(np.bincount(label[on_lines]).tolist()) if on_lines.any() else (),
                label=Array.of(label, "i2"),
                sign=Array.of(self.sign, "i1"),
                norm=Array.of(np.linalg.norm(weights, axis=1), "f4"),
                drawn_of=self.drawn_of,
            ),
            Spectrum(
                from_data=True,
                values=Array.of(values, "f8"),
                v1=Array.of(self.v1, "f4"),
                bias=False,
                ones_overlap=Array.of([0.99], "f8"),
            ),
            Alignment.of(
                to_v1,
                mean_abs_cos=float(np.abs(to_v1).mean()),
                ratio=float(np.linalg.norm(weights @ self.v1) / np.linalg.norm(weights)),
            ),
        ]


def experiment(kernels: tuple[int, ...], steps: int, members: int = 1, claim: Claim | None = None) -> Experiment:
    return Experiment(
        name="digits-gd",
        steps=steps,
        data=Digits(samples=20),
        layers=tuple(Conv(width=width, size=2) for width in kernels),
        init=NormalInit(std=1e-3),
        optimizer=GD(lr=0.1),
        ensemble=Ensemble(members=members),
        claim=claim,
    )


class Recording:
    """A run that grows when it is told to. Each of several `members` loses a bit more than the one before."""

    def __init__(
        self,
        runs: Path,
        *,
        kernels: tuple[int, ...] = (32, 16),
        lines: tuple[int, ...] = (2, 1),
        steps: int = 4000,
        frames: int = 60,
        spacing: str = "log",
        members: int = 1,
        claim: Claim | None = None,
        format_: int = schema.VERSION,
    ) -> None:
        self.experiment = experiment(kernels, steps, members, claim)
        # older programs made files of earlier formats, and this one goes on with them
        with mock.patch("condense_core.runs.create.create", partial(schema.create, version=format_)):
            self.folder = create_run(self.experiment, runs=runs, name="digits-gd", device="cpu")
        spaced = np.linspace if spacing == "linear" else np.geomspace
        self.steps = np.unique(np.r_[0, spaced(1, steps, frames - 1).astype(int)])
        self.names = self.experiment.layer_names
        self._layers = [
            [Planted(m, n, seed + 10 * member) for seed, (m, n) in enumerate(zip(kernels, lines, strict=True))]
            for member in range(members)
        ]
        self._encoders = [[SimilarityEncoder() for _ in kernels] for _ in range(members)]
        self._condensed: set[str] = set()
        self.written = 0
        self.fall = 0.25
        """Share of the first loss that is gone at the end."""
        self.writer = RunWriter(self.folder)
        self.writer.update(device="cpu")

    def write(self, count: int | None = None) -> None:
        """Append `count` more frames, all that are left without."""
        end = len(self.steps) if count is None else min(len(self.steps), self.written + count)
        for index in range(self.written, end):
            self.writer.append(self._batch(int(self.steps[index])))
            self.writer.update(step=int(self.steps[index]), status="running", seconds=float(index), heartbeat=_now())
        self.written = end

    def finish(self, status: str = "done", reason: str = "") -> None:
        self.writer.update(status=status, reason=reason, heartbeat=_now())

    def close(self) -> None:
        self.writer.close()

    def copy(self, runs: Path) -> Recording:
        """The same run in another folder of runs, if this one is closed; more can be told of it, not written."""
        found = copy.copy(self)
        found.folder = Path(shutil.copytree(self.folder, runs / self.folder.name))
        found.writer = RunWriter(found.folder)
        return found

    @contextlib.contextmanager
    def worker(self) -> Iterator[None]:
        """Hold the run as a worker does, so that it is not lost."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _batch(self, step: int) -> StepRecord:
        events = [("started", "training on cpu, eager steps")] if step == 0 else []
        measured = [self._measured(step, member, events) for member in range(len(self._layers))]
        scalars, frames = measured[0]
        if len(measured) > 1:
            names = tuple(name for name, _ in scalars)
            values = np.array([[value for _, value in own] for own, _ in measured]).T
            members = Members(names=names, members=tuple(range(len(measured))), values=Array.of(values, "f8"))
            scalars = list(zip(names, values.mean(axis=1).tolist(), strict=True))
            frames = [*(frame for _, own in measured for frame in own), ("", members)]
        return StepRecord(step, [*scalars, ("steps_per_second", 83.0)], frames, events)

    def _measured(
        self, step: int, member: int, events: list[tuple[str, str]]
    ) -> tuple[list[tuple[str, float]], list[tuple[str, Frame]]]:
        share = step / self.experiment.steps
        loss = 1 - self.fall * (1 + member / 10) * share**2
        scalars = [("loss", loss), ("loss_ratio", loss), ("accuracy", 0.1 + 0.6 * share), ("gradient_norm", 0.1)]
        frames: list[tuple[str, Frame]] = []
        for name, layer, encoder in zip(self.names, self._layers[member], self._encoders[member], strict=True):
            found = layer.frames(min(1.0, 1.6 * share), encoder)
            frames += [(place(name, member), frame) for frame in found]
            for frame in found:
                scalars += _scalars(name, frame)
                if isinstance(frame, Condensation) and frame.condensed and place(name, member) not in self._condensed:
                    self._condensed.add(place(name, member))
                    if not member:
                        events.append(("condensed", f"{name} condensed: {frame.lines} lines"))
        return scalars, frames


class Curved(Recording):
    """A run with curvatures from its start, and singular values at some of its steps."""

    def _batch(self, step: int) -> StepRecord:
        found = super()._batch(step)
        scalars = [("sharpness", 3.0 + step), ("hessian_2", 1.0), ("lowest_curvature", -0.5), ("stability_limit", 20.0)]
        frames = [("conv1", Singular(values=Array.of([5.0 + step, 2.0], "f4")))] if step < 100 else []
        return StepRecord(found.step, [*found.scalars, *scalars], [*found.frames, *frames], found.events)


def _scalars(name: str, frame: Frame) -> list[tuple[str, float]]:
    if isinstance(frame, Alignment):
        return [(f"{name}.ratio", frame.ratio), (f"{name}.alignment", frame.mean_abs_cos)]
    if isinstance(frame, Spectrum):
        return [(f"{name}.eigenvalue.{rank}", value**2) for rank, value in enumerate(frame.values.numpy(), start=1)]
    if isinstance(frame, Condensation):
        fine = {"lines": frame.lines, "directions": frame.directions, "coverage": frame.coverage}
        coarse = {"lines_coarse": frame.lines_coarse, "directions_coarse": frame.lines_coarse, "coverage_coarse": 0.95}
        condensed = {"condensed": float(frame.condensed), "condensed_coarse": float(frame.lines_coarse)}
        return [(f"{name}.{measure}", value) for measure, value in (fine | coarse | condensed).items()]
    return []


def _now() -> float:
    import time

    return time.time()
