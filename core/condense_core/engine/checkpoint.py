"""Checkpoints: an ensemble's state as safetensors, replaced in one stroke so that a kill leaves the old one whole."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from condense_core.errors import RunFailedError, RunFileError

State = dict[str, Tensor]
"""Everything that training goes on from, by name, as a checkpoint holds it."""

FILE_NAME = "checkpoint.safetensors"
_PARTIAL = ".checkpoint.partial"


def prefix(member: int) -> str:
    """How the names of a member's tensors begin in a checkpoint; those of the first, or only one, have no prefix."""
    return f"member.{member}." if member else ""


def save(state: State, folder: Path) -> None:
    """Write the run's checkpoint; it is either the former or this one, whatever happens meanwhile. RunFailedError
    where it cannot be written."""
    partial = folder / _PARTIAL
    try:
        # safetensors refuses tensors that share memory, and would write a view's whole storage
        save_file({name: value.detach().cpu().clone().contiguous() for name, value in state.items()}, partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(folder / FILE_NAME)
    except (SafetensorError, OSError) as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise RunFailedError(
            f"the checkpoint cannot be written: {error}; fix the cause, then: condense-tui runs resume {folder.name}"
        ) from None


def load(folder: Path) -> State | None:
    """The run's last checkpoint, on the CPU; None where there is none yet. One that is being written is left alone."""
    file = folder / FILE_NAME
    if not file.exists():
        return None
    try:
        state: State = load_file(file)
    except (SafetensorError, OSError) as error:
        raise RunFileError(
            f"the checkpoint {file} cannot be read ({error}); remove it to train from the start"
        ) from None
    return state


def parameters(state: State, member: int = 0) -> dict[str, Tensor]:
    """A member's network parameters in an ensemble's state, by name."""
    start = f"{prefix(member)}network."
    return {name.removeprefix(start): value for name, value in state.items() if name.startswith(start)}
