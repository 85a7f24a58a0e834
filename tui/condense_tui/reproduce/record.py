"""Small recordings of presets, made by training them with fewer measured steps."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from condense_core.errors import CondenseError, RunFailedError, StoppedError
from condense_core.machine import usable_cores
from condense_core.runs.recording import SUFFIX, TooLargeError, save_recording
from condense_core.scenario.experiment import Experiment
from condense_tui.batch.drive import drive
from condense_tui.documents.files import ready_folder
from condense_tui.reproduce.plan import make_plan
from condense_tui.reproduce.table import showing

# Fewer steps than these do not make a film.
FEWEST_FRAMES = 8


def record_presets(presets: dict[str, Experiment], out: Path, frames: int) -> Iterator[Path]:
    """Train each preset and save its recording in `out`, giving the files as they are made.

    One whose recording would be too large is trained again at half as many recorded steps. RunFailedError in the end
    that names every preset that could not be recorded, and why.
    """
    failed: list[str] = []
    ready_folder(out)
    while presets:
        too_large: dict[str, Experiment] = {}
        with tempfile.TemporaryDirectory(prefix="condense-tui-") as work:
            placed = {name: _for_replay(experiment, frames) for name, experiment in presets.items()}
            plan = make_plan(placed, out=Path(work), seeds=1)
            with showing(plan) as show:
                progress = drive(plan, jobs=usable_cores(), device="cpu", show=show)
            if progress.interrupted:
                raise StoppedError("stopped; the recordings listed so far are kept")
            failed += [f"{preset.name}: {preset.not_run}" for preset in plan.presets if preset.not_run]
            for cell in plan.cells:
                file = out / f"{cell.preset}{SUFFIX}"
                try:
                    if cell.folder in progress.refused:
                        raise RunFailedError(progress.refused[cell.folder])
                    save_recording(cell.folder, file)
                except TooLargeError as error:
                    if frames // 2 >= FEWEST_FRAMES:
                        too_large[cell.preset] = presets[cell.preset]
                    else:
                        failed.append(str(error))
                except CondenseError as error:
                    failed.append(f"{cell.preset}: {error}")
                else:
                    yield file
        presets, frames = too_large, frames // 2
    if failed:
        raise RunFailedError(f"not recorded: {'; '.join(failed)}")


def _for_replay(experiment: Experiment, frames: int) -> Experiment:
    """The same training, measured at fewer steps and without its weights."""
    probes = tuple(probe for probe in experiment.record.probes if probe != "weights")
    record = msgspec.structs.replace(experiment.record, frames=frames, probes=probes)
    return msgspec.structs.replace(experiment, record=record)
