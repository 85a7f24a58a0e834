"""Small recordings of presets, made by training them: what `replay PRESET` plays."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from condense_core.errors import CondenseError, RunFailedError, StoppedError
from condense_core.machine import usable_cores
from condense_core.runs.recording import SUFFIX, save_recording
from condense_core.scenario.experiment import Anchors, Experiment, Folder, Formula, Sine
from condense_core.text import place_of
from condense_tui.batch.cells import Cell
from condense_tui.batch.drive import drive
from condense_tui.documents.files import ready_folder
from condense_tui.draw.numbers import plural
from condense_tui.reproduce.plan import make_plan
from condense_tui.reproduce.stand_in import data_name
from condense_tui.reproduce.table import showing


def trains_on_a_cpu(experiment: Experiment) -> bool:
    """Whether the preset says how long a CPU takes for it: the others need a GPU."""
    return experiment.about is not None and experiment.about.minutes_cpu is not None


def record_presets(
    presets: Mapping[str, Experiment],
    out: Path,
    most_steps: int,
    *,
    data_root: Path | None = None,
    stand_ins: Mapping[str, list[str]] | None = None,
    work: Path | None = None,
    jobs: int | None = None,
) -> Iterator[Path]:
    """Train each preset's own draw and save its recording in `out`, giving the files as they are made.

    In the folder `work`, where given, finished runs are kept and those that are there are not trained again.
    RunFailedError in the end that names every preset that could not be recorded, and why.
    """
    failed: list[str] = []
    ready_folder(out)
    with contextlib.ExitStack() as until_done:
        place = work or Path(until_done.enter_context(tempfile.TemporaryDirectory(prefix="condense-tui-")))
        plan = make_plan(
            dict(presets), out=place.expanduser().resolve(), seeds=1, data_root=data_root, stand_ins=stand_ins
        )
        with showing(plan) as show:
            progress = drive(plan, jobs=jobs or usable_cores(), device="cpu", show=show)
        if progress.interrupted:
            raise StoppedError("stopped before anything was recorded; with --work, what was trained is kept")
        failed += [f"{preset.name}: {preset.not_run}" for preset in plan.presets if preset.not_run]
        for cell in plan.cells:
            file = out / f"{cell.preset}{SUFFIX}"
            try:
                if cell.folder in progress.refused:
                    raise RunFailedError(progress.refused[cell.folder])
                save_recording(
                    cell.folder,
                    file,
                    shipped=msgspec.structs.replace(presets[cell.preset], quick=None),
                    source=_source(cell, presets[cell.preset]),
                    most_steps=most_steps,
                )
            except CondenseError as error:
                failed.append(f"{cell.preset}: {error}")
            else:
                yield file
    if failed:
        raise RunFailedError(f"not recorded: {'; '.join(failed)}")


def _source(cell: Cell, shipped: Experiment) -> str:
    """What a run was trained on and which draw it is, without a place of this machine: `500 images of mnist, data seed
    0, seed 0`."""
    data = cell.experiment.data
    draw = f"data seed {cell.data_seed}, seed {cell.seed}"
    if isinstance(data, Sine | Formula):
        return f"{plural(data.samples, 'point')} of a function, {draw}"
    if isinstance(data, Anchors):
        return f"{plural(data.samples, 'sequence')} with anchors, {draw}"
    of = data_name(shipped)
    if isinstance(data, Folder):
        place = place_of(data.path)
        of = f"the {_images_in(place):,} in the folder {place.name}, in place of {of}"
    count = "all samples" if data.samples is None else f"{data.samples:,} images"
    return f"{count} of {of}, {draw}"


def _images_in(place: Path) -> int:
    """Files in the folders of a folder, one a class."""
    return sum(file.is_file() for file in place.glob("*/*"))
