"""Two million steps: the worker does not grow, records all that is due, and ends the same after it was killed twice."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
from support import rows

from campaigns import workers
from campaigns.framework import Attempt, Campaign, Scene
from campaigns.workers import Worker
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_run
from condense_core.scenario.schedule import scheduled_steps

# What a worker may take more at its end than once it is warm.
GROWTH_MB = 10.0
WARM = 0.25
PATIENCE_S = 900.0


def megabytes(pid: int) -> float | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), None)


def growth(samples: list[tuple[float, float]], whole: float) -> float:
    """By a line through all samples (place, MB) that are past the warm-up, over `whole`."""
    place, size = np.array(samples).T
    warm = place >= place[0] + WARM * (place[-1] - place[0])
    return float(np.polyfit(place[warm], size[warm], 1)[0] * whole) if warm.sum() > 2 else 0.0


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    found = workers.experiment("dense", f"steps={scene.goal}", "record.checkpoint_seconds=2", "record.frames=200")
    with workers.zygote(scene.folder):

        def attempt(draw: Random, folder: Path) -> int:
            whole = create_run(found, runs=folder / "whole", device="cpu")
            worker, samples, begun = Worker(whole), [], time.monotonic()
            while not worker.has_ended:
                assert time.monotonic() - begun < PATIENCE_S
                size = megabytes(worker.process.pid)
                if size is not None:
                    samples.append((time.monotonic() - begun, size))
                time.sleep(0.2)
            took = time.monotonic() - begun
            assert worker.ended() == 0
            with RunReader(whole) as run:
                assert run.info().step == scene.goal
                assert run.instants.tolist() == scheduled_steps(found)
            if scene.goal >= 1_000_000:
                grown = growth(samples, took)
                assert grown <= GROWTH_MB, f"the worker grew by {grown:.1f} MB"
                scene.notes.append(f"{grown:+.1f} MB after the warm-up, {scene.goal / took:,.0f} steps/s")
            parts = create_run(found, runs=folder / "parts", device="cpu")
            for _ in range(2):
                worker = Worker(parts)
                time.sleep(draw.uniform(0.2, 0.5) * took)
                worker.kill()
            workers.finish(parts, PATIENCE_S)
            assert rows(parts) == rows(whole), "rows differ after kills"
            assert workers.weights(parts) == workers.weights(whole), "weights differ after kills"
            return scene.goal

        yield attempt


CAMPAIGN = Campaign(
    "steps",
    "one long run, and the same again, killed twice on its way",
    "steps",
    tried=2_000_000,
    short=5_000,
    open=opened,
)
