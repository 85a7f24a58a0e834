"""A run made of what others recorded: scalars as they are, and weights measured with the probes of every run."""

from __future__ import annotations

import importlib.util
import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from condense_core.errors import MissingExtraError
from condense_core.importing.event_files import LOSS, EventScalars, by_step, loss_of, read_events
from condense_core.importing.sources import Checkpoint, Sources, find_sources
from condense_core.installation import how_to_add
from condense_core.jobs.messages import AskImport, ImportAnswer
from condense_core.runfile import control
from condense_core.runfile.precision import SINGLE, rounded
from condense_core.runfile.writer import RecordingThread, StepRecord
from condense_core.runs.create import create_watched
from condense_core.scenario.watched import Watched, dumps
from condense_core.text import place_of, printable

_NEEDED = ("torch", "scipy", "safetensors")
# Paths that a run names.
_MOST_NAMED = 100


def import_run(asked: AskImport) -> ImportAnswer:
    """Make the run; CondenseError, and no run, where something cannot be read."""
    sources = find_sources(asked.paths, asked.steps)
    scalars = read_events(sources.events) if sources.events else EventScalars()
    loss, words = loss_of(scalars, asked.loss)
    said = [words] if words else []
    said += scalars.damaged
    if scalars.left_out:
        said.append(f"{scalars.left_out:,} values of further tags are left out")
    rows = by_step(scalars, loss)
    if sources.checkpoints:
        _require_torch()
    last = max([*rows, *(saved.step for saved in sources.checkpoints)], default=0)
    watched = Watched(
        name=_name(asked), imported=tuple(printable(str(path))[:2_000] for path in asked.paths[:_MOST_NAMED])
    )
    folder = create_watched(watched, runs=Path(asked.runs), steps=last, trainer="import")
    try:
        with control.hold(folder):
            said = _fill(folder, watched, _Found(sources, rows, scalars.seconds, said), asked.layers)
    except BaseException:
        # half of an import is no run
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return ImportAnswer(run=folder.name, folder=str(folder), said=said)


class _Found(NamedTuple):
    """What is written: scalars and seconds by step, the checkpoints, and what is to be said of them."""

    sources: Sources
    rows: dict[int, list[tuple[str, float]]]
    seconds: dict[int, float]
    said: list[str]


def _fill(folder: Path, watched: Watched, given: _Found, layers: Sequence[str]) -> list[str]:
    """Write everything, by steps; what is to be said of it."""
    sources, rows, seconds, words = given
    thread, said = RecordingThread(folder), list(words)
    try:
        measure: Callable[[Checkpoint], StepRecord] | None = None
        if sources.checkpoints:
            from condense_core.importing.measured import Checkpoints

            checkpoints = Checkpoints(sources.checkpoints[0], layers)
            said.append(checkpoints.words)
            watched, measure = checkpoints.described(watched), checkpoints.measured
        thread.set_status("running", device="files", experiment=dumps(watched))
        saved = {each.step: each for each in sources.checkpoints}
        last, elapsed = 0, 0.0
        for number, step in enumerate(sorted(rows.keys() | saved.keys())):
            last, elapsed = step, max(elapsed, seconds.get(step, 0.0))
            found = measure(saved[step]) if measure is not None and step in saved else StepRecord(step, [], [], [])
            own = [(name, rounded(value, SINGLE)) for name, value in rows.get(step, [])]
            # a playhead stands where there is a loss, known or not
            unknown = [] if any(name == LOSS for name, _ in own) else [(LOSS, math.nan)]
            events = [("imported", _words(sources)), *(("imported", line) for line in said)] if not number else []
            thread.put(StepRecord(step, [*unknown, *own, *found.scalars], found.frames, [*events, *found.events]))
            thread.progress = (last, elapsed)
        thread.put(StepRecord(last, [], [], [("done", f"imported up to step {last:,}")]))
        thread.set_status("done")
    finally:
        thread.close()
    return said


def _require_torch() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"measuring checkpoints needs {', '.join(missing)}, missing here; to install: {how_to_add('watch')}"
        )


def _name(asked: AskImport) -> str:
    """What was given, or what the first file or folder is called."""
    path = place_of(asked.paths[0]).absolute()
    return printable(asked.name or (path.name if path.is_dir() else path.parent.name))[:80] or "imported"


def _words(sources: Sources) -> str:
    parts = []
    for count, one in ((len(sources.events), "event file"), (len(sources.checkpoints), "checkpoint")):
        if count:
            parts.append(f"{count:,} {one}" + ("s" if count > 1 else ""))
    return f"from {' and '.join(parts)}; trained elsewhere"
