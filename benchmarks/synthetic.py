"""A long run without training it: measurements that repeat, written straight into the run file."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from condense_core.runfile import frames
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.frames import Alignment, Array, Condensation, Frame, Spectrum
from condense_core.runfile.levels import SimilarityEncoder
from condense_core.runfile.rows import StoredFrame
from condense_core.runfile.scalars import scalars_of
from condense_core.runfile.schema import FILE_NAME, open_writer
from condense_core.runfile.writer import StepRecord
from condense_core.runs.create import create_run
from condense_core.scenario import toml
from condense_presets import preset_text

KERNELS = {"conv1": 64, "conv2": 32}
ENTRIES = 20
# After so many frames they repeat: a whole number of the stretches between key frames.
CYCLE = 256


def batches(count: int, first: int = 0) -> Iterator[StepRecord]:
    """One measurement a step: two layers whose kernels turn to two lines and back, and thirty scalars."""
    rng = np.random.default_rng(0)
    start = {layer: rng.standard_normal((kernels, ENTRIES)) for layer, kernels in KERNELS.items()}
    goal = rng.standard_normal((2, ENTRIES))
    encoders = {layer: SimilarityEncoder() for layer in KERNELS}
    for step in range(first, first + count):
        place = float(0.5 - 0.5 * np.cos(2 * np.pi * step / CYCLE))
        scalars = [("loss", 2.0 * 0.7 ** (step / (first + count)) + 0.01 * place), ("accuracy", place)]
        scalars += [("steps_per_second", 800.0), ("gradient_norm", 0.1 * place), ("test_accuracy", place)]
        found: list[tuple[str, Frame]] = []
        for layer, kernels in KERNELS.items():
            line = np.arange(kernels) % 2
            weight = start[layer] * (1 - place) + goal[line] * place * np.sqrt(ENTRIES)
            found += [(layer, frame) for frame in _frames(weight, line, goal, place, encoders[layer])]
            scalars += [(f"{layer}.eigenvalue.{rank}", (9.0 + place) / 4**rank) for rank in range(1, 5)]
            scalars += [(f"{layer}.ratio", place), (f"{layer}.predicted_ratio", place**2), (f"{layer}.lines", 2.0)]
            scalars += [(f"{layer}.coverage", place), (f"{layer}.condensed", 1.0), (f"{layer}.mean_abs_cos", place)]
            scalars += [(f"{layer}.alignment", place), (f"{layer}.relative_change", place)]
        yield StepRecord(step, scalars, found, [("checkpoint", f"step {step}")] if step % 1000 == 0 else [])


def _frames(
    weight: np.ndarray, line: np.ndarray, goal: np.ndarray, place: float, encoder: SimilarityEncoder
) -> list[Frame]:
    kernels = len(weight)
    unit = weight / np.linalg.norm(weight, axis=1, keepdims=True)
    v1 = goal[0] / np.linalg.norm(goal[0])
    return [
        encoder.encode(np.clip(unit @ unit.T, -1, 1), kernels),
        Condensation(
            kernels=kernels,
            kept=kernels,
            lines=2,
            lines_coarse=2,
            directions=2,
            coverage=place,
            mean_abs_cos=place,
            pair_abs_cos=place,
            null_coverage=0.3,
            null_abs_cos=0.5,
            condensed=bool(place > 0.8),
            sizes=(kernels // 2, kernels // 2),
            label=Array.of(line, "i2"),
            sign=Array.of(np.ones(kernels), "i1"),
            norm=Array.of(np.linalg.norm(weight, axis=1), "f4"),
        ),
        Spectrum(
            values=Array.of([3.0, 1.0 + place, 0.2, 0.05], "f8"),
            v1=Array.of(v1, "f4"),
            bias=False,
            ones_overlap=Array.of([0.99], "f8"),
        ),
        Alignment.of(unit @ v1, mean_abs_cos=place, ratio=place),
    ]


def long_run(runs: Path, count: int) -> Path:
    """The folder of a finished run with `count` frames a layer and kind; some seconds for a hundred thousand."""
    experiment = toml.build(toml.override(toml.parse(preset_text("digits-deep")), [f"steps={count}"]))
    folder = create_run(experiment, runs=runs, name="long")
    cycle = [
        (batch, [(layer, frames.kind_of(frame), _key(frame), frames.encode(frame)) for layer, frame in batch.frames])
        for batch in batches(CYCLE)
    ]
    seq = 0
    with contextlib.closing(open_writer(folder / FILE_NAME)) as connection:
        table, of_frames = scalars_of(connection), FrameTable(connection)
        connection.execute("BEGIN")
        for step in range(count):
            batch, blobs = cycle[step % CYCLE]
            scalars = table.numbered(seq + 1, step, batch.scalars)
            seq += len(scalars)
            table.put(scalars)
            rows = [
                StoredFrame(seq + at, step, kind, layer, key, blob)
                for at, (layer, kind, key, blob) in enumerate(blobs, start=1)
            ]
            seq += len(rows)
            of_frames.put(rows)
            if step % 1000 == 0:
                seq += 1
                connection.execute("INSERT INTO event VALUES (?, ?, 'checkpoint', '', ?)", (seq, step, time.time()))
        connection.execute("UPDATE run SET status = 'done', step = ?, steps = ?, seconds = 125", (count - 1, count))
        connection.execute("COMMIT")
    return folder


def _key(frame: Frame) -> int:
    return int(frame.key) if isinstance(frame, frames.Similarity) else 1
