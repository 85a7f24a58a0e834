"""What the run file costs: append and commit, open, seek, poll.

Prints medians and 99th percentiles in microseconds, for one layer whose kernels turn a little from frame to frame.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from condense_core.runfile import frames
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs.create import create_run
from condense_core.scenario import toml
from condense_presets import preset_text


def timed(what: str, actions: list[Callable[[], object]]) -> None:
    """Do each action once, and print how long they took."""
    taken = []
    for action in actions:
        begun = time.perf_counter()
        action()
        taken.append(1e6 * (time.perf_counter() - begun))
    print(f"{what:24} median {np.median(taken):8.1f} µs   p99 {np.quantile(taken, 0.99):8.1f} µs")


def batches(count: int, kernels: int) -> list[StepRecord]:
    """One measurement a step of kernels in 20 dimensions that turn slowly."""
    rng, encoder = np.random.default_rng(0), frames.SimilarityEncoder()
    weight = rng.standard_normal((kernels, 20))
    found = []
    for step in range(count):
        weight += 0.01 * rng.standard_normal(weight.shape)
        unit = weight / np.linalg.norm(weight, axis=1, keepdims=True)
        frame = encoder.encode(np.clip(unit @ unit.T, -1, 1), kernels)
        found.append(StepRecord(step, [("loss", 1.0)], [("layer", frame)], []))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", nargs="?", type=int, default=20_000, help="measurements (%(default)s)")
    parser.add_argument("kernels", nargs="?", type=int, default=64, help="of the one layer (%(default)s)")
    asked = parser.parse_args()
    count, kernels = asked.frames, asked.kernels
    with tempfile.TemporaryDirectory() as runs:
        folder = create_run(toml.loads(preset_text("digits-gd")), runs=Path(runs))
        writer = RunWriter(folder)
        timed("append and commit", [lambda batch=batch: writer.append(batch) for batch in batches(count, kernels)])
        timed("open", [lambda: RunReader(folder).close()] * 50)
        with RunReader(folder) as run:
            timed("all steps, first time", [lambda: run.instants])
            steps = np.random.default_rng(1).integers(0, count, 1000).tolist()
            timed("seek", [lambda step=step: run.similarity("layer", step) for step in steps])
            timed("poll, nothing new", [run.refresh] * 2000)
        writer.close()
        print(
            f"{count} frames of {kernels}×{kernels}: {(folder / 'run.sqlite').stat().st_size / count:.0f} bytes a frame"
        )


if __name__ == "__main__":
    main()
