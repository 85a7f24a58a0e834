"""Checkpoints: an ensemble's state as safetensors, replaced in one stroke so that a kill leaves the old one whole."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from safetensors.torch import load_file
from torch import Tensor

from condense_core.errors import RunFailedError, RunFileError
from condense_core.runfile.info import CHECKPOINT_NAME

State = dict[str, Tensor]
"""Everything that training goes on from, by name, as a checkpoint holds it."""

FILE_NAME = CHECKPOINT_NAME
_RECORDED_TO = "recorded_to"
_STEPS = "steps"
_DATA = "data"
# A folder: safetensors writes a temporary file beside its target, which a kill leaves behind.
_PARTIAL = ".checkpoint.partial"


def prefix(member: int) -> str:
    """How the names of a member's tensors begin in a checkpoint; those of the first, or only one, have no prefix."""
    return f"member.{member}." if member else ""


def save(state: State, folder: Path, recorded_to: int = -1, steps: str = "", data: str = "") -> None:
    """Write the run's checkpoint; it is either the former or this one, whatever happens meanwhile. RunFailedError
    where it cannot be written. `recorded_to` is the last step that the run file has been measured at, `steps`
    the way in which steps are taken, `data` the fingerprint of what is trained on, where that can change."""
    partial = folder / _PARTIAL
    try:
        partial.mkdir(exist_ok=True)
        file = partial / FILE_NAME
        metadata = {_RECORDED_TO: str(recorded_to), _STEPS: steps, _DATA: data}
        # as arrays: of hundreds of tensors, those of many seeds, it takes safetensors long to find which share memory
        save_file(
            {name: np.asarray(value.detach().cpu().numpy(), order="C") for name, value in state.items()}, file, metadata
        )
        _sync(file)
        file.replace(folder / FILE_NAME)
        _sync(folder)
        partial.rmdir()
    except (SafetensorError, OSError) as error:
        with contextlib.suppress(OSError):
            remove_partial(folder)
        raise RunFailedError(
            f"the checkpoint cannot be written: {error}; fix the cause, then: condense-tui runs resume {folder.name}"
        ) from None


def remove_partial(folder: Path) -> None:
    """Remove what a killed worker left of a checkpoint that it was writing. OSError where that cannot be."""
    for left in (folder / _PARTIAL, *folder.glob(".tmp??????")):  # the latter as versions before this one left them
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)


def _sync(place: Path) -> None:
    """Have a file's bytes, or a folder's names, on the medium: what is written after it is never there without it."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(folder: Path) -> State | None:
    """The run's last checkpoint, on the CPU; None where there is none yet. One that is being written is left alone."""
    file = folder / FILE_NAME
    if not file.exists():
        return None
    try:
        state: State = load_file(file)
    except (SafetensorError, OSError) as error:
        raise _unreadable(file, error) from None
    return state


def recorded_to(folder: Path) -> int:
    """The last step that the run file had been measured at when the checkpoint was written; -1 where that is not
    known."""
    try:
        return int(_metadata(folder).get(_RECORDED_TO, -1))
    except ValueError as error:
        raise _unreadable(folder / FILE_NAME, error) from None


def steps(folder: Path) -> str | None:
    """The way in which the steps up to the checkpoint were taken; empty where it is of a version that had but one for
    each kind of network, None where there is no checkpoint."""
    return _metadata(folder).get(_STEPS, "") if (folder / FILE_NAME).exists() else None


def require_same_data(folder: Path, fingerprint: str) -> None:
    """RunFileError where the checkpoint was trained on other data than those of that fingerprint, or of the first
    members' with as many; nothing is said where either is not known."""
    before = _metadata(folder).get(_DATA, "") if (folder / FILE_NAME).exists() else ""
    if before and fingerprint and not f"{before}-".startswith(f"{fingerprint}-"):
        raise RunFileError(
            f"the data of {folder.name} have changed since its checkpoint; put back what it was trained on, or train a"
            " new run on what is there now"
        )


def _metadata(folder: Path) -> dict[str, str]:
    file = folder / FILE_NAME
    try:
        with safe_open(file, "pt") as opened:
            return dict(opened.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: Exception) -> RunFileError:
    return RunFileError(f"the checkpoint {file} cannot be read ({error}); remove it to train from the start")


def parameters(state: State, member: int = 0) -> dict[str, Tensor]:
    """A member's network parameters in an ensemble's state, by name."""
    start = f"{prefix(member)}network."
    return {name.removeprefix(start): value for name, value in state.items() if name.startswith(start)}
