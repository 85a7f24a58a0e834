"""A watched network of many layers and many logged numbers, as a run file that is written without training."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from recording import Planted, _scalars

from condense_core.runfile.frames import Condensation, Frame
from condense_core.runfile.levels import SimilarityEncoder
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs.create import create_watched
from condense_core.scenario.geometry import Geometry
from condense_core.scenario.watched import Watched, WatchedLayer

PARTS = ("attn.c_attn.q", "attn.c_attn.k", "attn.c_attn.v", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
GPT = tuple(f"transformer.h.{block}.{part}" for block in range(9) for part in PARTS)
CONFIG = {"learning_rate": 3e-4, "batch_size": 64, "block_size": 256, "dropout": 0.1, "dataset": "shakespeare_char"}
# Where a number stood that nobody could mistake for a total.
LAST = 4665


def logged(count: int) -> tuple[str, ...]:
    """Names as people give them."""
    kinds = ("train/loss_of_batch", "val/loss", "grad/norm_of_block", "time/ms", "mem/gb")
    return tuple(f"{kinds[at % len(kinds)]}_{at // len(kinds)}" for at in range(count))


class WatchedRecording:
    """A run of a script of somebody's own, whose end nobody knows; each layer condenses soon after the one before."""

    def __init__(
        self,
        runs: Path,
        *,
        names: tuple[str, ...] = GPT,
        scalars: int = 200,
        kernels: int = 8,
        frames: int = 20,
        config: dict[str, str | int | float | bool | None] | None = None,
        name: str = "train",
    ) -> None:
        self.names, self._logged = names, logged(scalars)
        kinds = Geometry(kind="dense", kernels=kernels, entries=12, channels=12)
        self.watched = Watched(
            name=name,
            layers=tuple(WatchedLayer(name=each, geometry=kinds) for each in names),
            optimizer="AdamW(lr=0.0003)",
            config=CONFIG if config is None else config,
            script="/home/me/nanoGPT/train.py",
            arguments=("--dataset=shakespeare_char",),
        )
        self.folder = create_watched(self.watched, runs=runs, can=("pause", "stop"))
        self.steps = np.unique(np.r_[0, np.geomspace(1, LAST, frames - 1).round().astype(int)])
        self._layers = [Planted(kernels, 1 + at % 3, at) for at in range(len(names))]
        self._encoders = [SimilarityEncoder() for _ in names]
        self._condensed: set[str] = set()
        self.written = 0
        self.writer = RunWriter(self.folder)
        self.writer.update(device="cpu", status="running")

    def write(self, count: int | None = None) -> None:
        """Append `count` more frames, all that are left without."""
        end = len(self.steps) if count is None else min(len(self.steps), self.written + count)
        for index in range(self.written, end):
            step = int(self.steps[index])
            self.writer.append(self._batch(step))
            self.writer.update(step=step, status="running", seconds=float(index), heartbeat=time.time())
        self.written = end

    def finish(self, status: str = "done", reason: str = "") -> None:
        self.writer.update(status=status, reason=reason, heartbeat=time.time())

    def close(self) -> None:
        self.writer.close()

    @contextlib.contextmanager
    def worker(self) -> Iterator[None]:
        """Hold the run as the script's process does, so that it is not lost."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _batch(self, step: int) -> StepRecord:
        share = step / LAST
        scalars = [("loss", 4.0 - 2.0 * share), ("steps_per_second", 12.0)]
        scalars += [(name, float(1 + at % 7) * (1 - share / 2)) for at, name in enumerate(self._logged)]
        events = [("started", f"watching {self.watched.optimizer}"), ("layers", f"{len(self.names)} layers")]
        saved = [] if step == 0 else [("checkpoint", f"checkpoint at step {step}")]
        events = events if step == 0 else []
        frames: list[tuple[str, Frame]] = []
        for at, (name, layer, encoder) in enumerate(zip(self.names, self._layers, self._encoders, strict=True)):
            for frame in layer.frames(min(1.0, 1.4 * share * (1 - at / (2 * len(self.names)))), encoder):
                frames.append((name, frame))
                scalars += _scalars(name, frame)
                if isinstance(frame, Condensation) and frame.condensed and name not in self._condensed:
                    self._condensed.add(name)
                    lines = f"{frame.lines} line{'' if frame.lines == 1 else 's'}"
                    events.append(("condensed", f"{name} condensed: {lines} at 0.9"))
        return StepRecord(step, scalars, frames, [*events, *saved])
