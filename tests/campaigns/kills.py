"""Workers killed at any moment, again and again: no committed row is lost, and each run ends as if nothing had been.

Kills come while the worker starts, after any while, at any change of a file (half of it made), and within checkpoints.
Half of the runs measure everything, and must end with the rows of an uninterrupted run; the others have a budget that
leaves probes out by the clock, and must have no row that the uninterrupted run has not, none twice, and all that is
measured whatever it costs.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import shim
from support import rows

from campaigns import workers
from campaigns.framework import Attempt, Campaign, Scene
from campaigns.workers import Worker
from condense_core.runfile import control
from condense_core.runfile.info import CHECKPOINT_NAME, read_run
from condense_core.runs.create import create_run

KILLS_A_RUN = 8


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    found = list(workers.SCENARIOS) if scene.goal > 20 else ["dense", "three seeds"]
    with workers.zygote(scene.folder):
        wholes = {name: workers.trained(workers.experiment(name), scene.folder) for name in found}
        counts: Counter[str] = Counter()
        kinds: Counter[str] = Counter()

        def attempt(draw: Random, folder: Path) -> int:
            name, budget = draw.choice(found), draw.random() < 0.5
            counts["with a budget" if budget else "without"] += 1
            run = create_run(workers.experiment(name, *workers.BUDGET * budget), runs=folder, device="cpu")
            kills = 0
            for _ in range(KILLS_A_RUN):
                how = draw.choice(("starting", "after a while", "at a change", "at a change", "in a checkpoint"))
                before = {kind: set(map(repr, content)) for kind, content in rows(run).items()}
                came = killed(run, how, draw)
                counts[how] += came
                kills += came
                assert not control.worker_is_alive(run)
                after = {kind: set(map(repr, content)) for kind, content in rows(run).items()}
                assert all(known <= after[kind] for kind, known in before.items()), "a committed row is gone"
                assert read_run(run).status in {"starting", "lost", "done"}
                if not came:
                    break
            workers.finish(run)
            counts["left out"] += check_end(run, wholes[name], budget=budget)
            kinds.update(row[1] for row in rows(run)["frame"])  # type: ignore[misc]
            return kills

        yield attempt
        ways = ("starting", "after a while", "at a change", "in a checkpoint")
        scene.notes.append(", ".join(f"{counts[how]} {how}" for how in ways))
        scene.notes.append(
            f"{counts['with a budget']} runs with a budget, which left out {counts['left out']:,} values and frames,"
            f" {counts['without']} without"
        )
        scene.notes.append(f"frames compared: {', '.join(sorted(kinds))}")


def killed(run: Path, how: str, draw: Random) -> bool:
    """Start a worker and kill it; whether it had not ended by itself before."""
    faults = {"SHIM_UNDER": str(run)}
    if how == "at a change":
        faults["SHIM_DIE"] = f"{draw.randrange(1, draw.choice((30, 300, 1500)))} {shim.ANY}"
    elif how == "in a checkpoint":
        # besides SQLite's files there is nothing that is changed but a checkpoint
        faults |= {"SHIM_NOT": ".sqlite", "SHIM_DIE": f"{draw.randrange(1, 30)} {shim.ANY}"}
    worker = Worker(run, **faults)
    if "SHIM_DIE" in faults:
        return worker.ended() == -9
    deadline = time.monotonic() + 30
    while not control.worker_is_alive(run) and not worker.has_ended and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(draw.uniform(0.0, 0.1 if how == "starting" else 1.5))
    ended = worker.has_ended
    worker.kill()
    return not ended


def check_end(run: Path, whole: Path, *, budget: bool) -> int:
    """How much the budget has left out of the run."""
    assert read_run(run).status == "done"
    assert workers.weights(run) == workers.weights(whole), "weights differ from those of the uninterrupted run"
    if budget:
        workers.assert_part_of(run, whole)
        workers.assert_all_that_must_be(run)
    else:
        assert rows(run) == rows(whole), "rows differ from those of the uninterrupted run"
    left = {file.name for file in run.iterdir()} - {"run.sqlite-wal", "run.sqlite-shm"}
    assert left == {"run.sqlite", "worker.log", CHECKPOINT_NAME}, f"left behind: {sorted(left)}"
    assert (run / "worker.log").read_text() == ""
    return len(workers.by_place(whole)) - len(workers.by_place(run)) if budget else 0


CAMPAIGN = Campaign(
    "kills",
    "kill -9 of the worker, over nine scenarios, also within checkpoints and with the measuring budget on",
    "kills",
    tried=500,
    short=4,
    open=opened,
)
