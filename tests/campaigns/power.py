"""A loss of power at any moment of training: the run file is whole, holds every row up to some step and its checkpoint
is not ahead of it; resumed, the run ends with the rows and weights of one that was never interrupted."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import shim
from damage import look_at_everything
from pairing import all_rows
from support import rows

from campaigns import workers
from campaigns.framework import Attempt, Campaign, Scene
from campaigns.medium import Medium, crash_points, lay_out
from campaigns.workers import Worker
from condense_core.runfile.info import CHECKPOINT_NAME
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME
from condense_core.runs.create import create_run

SCENARIOS = ("dense", "three seeds", "convolution and dense")
# An attempt takes some milliseconds, and a worker that resumes a second or two.
RESUMED = 0.15


class Tape(NamedTuple):
    """A run that was trained, change by change."""

    folder: Path
    before: dict[str, bytes]
    changes: list[shim.Change]


def record(name: str, runs: Path, number: int, *, killed: Random | None) -> Tape:
    """Train a run with its changes written down; with `killed`, those of the worker after one that was killed."""
    folder = create_run(workers.experiment(name), runs=runs, device="cpu")
    if killed is not None:
        Worker(folder, SHIM_UNDER=str(folder), SHIM_DIE=f"{killed.randrange(60, 400)} {shim.ANY}").ended()
    before = {str(file): file.read_bytes() for file in folder.iterdir() if file.is_file() and _on_disk(file.name)}
    journal = runs / f"journal-{number}"
    status = Worker(folder, SHIM_UNDER=str(folder), SHIM_JOURNAL=str(journal)).ended()
    assert status == 0, (folder / "worker.log").read_text()
    return Tape(folder, before, [change for change in shim.journal(journal) if _on_disk(Path(change.path).name)])


def _on_disk(name: str) -> bool:
    """Not the index of the log, which lives in memory and is made anew, nor what the process that started it writes."""
    return not name.endswith("-shm") and name != "worker.log"


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    with workers.zygote(scene.folder):
        found = SCENARIOS if scene.goal > 20 else SCENARIOS[:1]
        wholes = {name: workers.trained(workers.experiment(name), scene.folder / "whole") for name in found}
        tapes = [
            (name, record(name, scene.folder / "tapes", 2 * at + again, killed=Random(at) if again else None))
            for at, name in enumerate(found)
            for again in range(2 if scene.goal > 20 else 1)
        ]
        counts = {"resumed": 0, "lost": 0}

        def attempt(draw: Random, folder: Path) -> int:
            name, tape = draw.choice(tapes)
            points = crash_points(tape.changes)
            near = draw.choice(points) + draw.randrange(2)
            at = near if draw.random() < 0.5 else draw.randrange(len(tape.changes) + 1)
            medium = Medium(tape.before)
            for change in tape.changes[:at]:
                medium.play(change)
            run = folder / tape.folder.name
            lay_out(medium.after_a_loss(draw), tape.folder, run)
            (run / "worker.log").touch()
            counts["lost"] += check(run, tape.folder)
            if draw.random() < RESUMED or scene.goal <= 20:
                workers.finish(run)
                counts["resumed"] += 1
                check_end(run, wholes[name])
            return 1

        yield attempt
        changes = sum(len(tape.changes) for _, tape in tapes)
        scene.notes.append(f"{len(tapes)} recordings of {changes:,} changes")
        scene.notes.append(f"{counts['lost']} had lost rows, {counts['resumed']} resumed to their end")


def check(run: Path, whole: Path) -> bool:
    """What is there after the loss is the beginning of what was written; whether rows were lost."""
    with contextlib.closing(sqlite3.connect(run / FILE_NAME)) as connection:
        (found,) = connection.execute("PRAGMA integrity_check").fetchone()
    assert found == "ok", found
    assert look_at_everything(run) == 0
    here, there = all_rows(run), all_rows(whole)
    newest = max((row[0] for table in here.values() for row in table), default=0)
    for table, written in there.items():
        assert here[table] == [row for row in written if row[0] <= newest], f"rows of {table} are not a beginning"
    if (run / CHECKPOINT_NAME).exists():
        from condense_core.engine import checkpoint

        assert checkpoint.load(run)
        with RunReader(run) as reader:
            steps = reader.curve("loss")[0]
        last = int(steps[-1]) if len(steps) else -1
        assert checkpoint.recorded_to(run) <= last, "the checkpoint is ahead of the recording"
    return newest < max(row[0] for table in there.values() for row in table)


def check_end(run: Path, whole: Path) -> None:
    """After all it is the run that was never interrupted."""
    with RunReader(run) as reader:
        assert reader.info().status == "done"
        assert "missing" not in {event.kind for event in reader.events}
    assert rows(run) == rows(whole), "rows differ from those of the run that was never interrupted"
    assert workers.weights(run) == workers.weights(whole), "weights differ"


CAMPAIGN = Campaign(
    "power",
    "power lost at any change of a file while a worker trains: unsynced writes dropped, torn and out of order",
    "losses of power",
    tried=2_000,
    short=3,
    open=opened,
)
