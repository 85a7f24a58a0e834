"""The weights that a watched run began with, beside its run file: a training that is resumed is measured against them.

A message of `pipe` in a file. It may have come from elsewhere with its run: it is bounded, and nothing in it is run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
from torch import Tensor

from condense_core.watching import pipe

FILE_NAME = "start.weights"
# What a run may take beside its file; of a larger network the start is not kept.
LARGEST = 64 * 2**20


def keep(folder: Path, shot: pipe.Shot, weights: Mapping[str, Tensor]) -> bool:
    """Keep rows (M, K) by layer as a run's start; False where they are too large, or the disk has no room."""
    if sum(tensor.numel() * tensor.element_size() for tensor in weights.values()) > LARGEST:
        return False
    said, data = pipe.sent("weight", weights)
    message = msgspec.structs.replace(shot, tensors=tuple(said))
    partial = folder / f".{FILE_NAME}.partial"
    try:
        with partial.open("wb") as file:
            pipe.write(file, message, data)
        partial.replace(folder / FILE_NAME)
    except OSError:
        # the recording itself does without
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        return False
    return True


def kept(folder: Path) -> dict[str, Tensor]:
    """The rows (M, K) by layer that a run began with, as far as they are known."""
    path = folder / FILE_NAME
    try:
        size = path.stat().st_size
        if size > 2 * LARGEST:
            return {}
        with path.open("rb") as file:
            if int.from_bytes(file.read(8), "little") > size:
                return {}
            file.seek(0)
            message = pipe.read(file)
            if not isinstance(message, pipe.Shot) or _claimed(message) > size:
                return {}
            found = pipe.read_tensors(file, message)
    except (OSError, ValueError):
        return {}
    return {} if found is None else found["weight"]


def _claimed(message: pipe.Shot) -> int:
    """Bytes that the tensors of a message are said to take; ValueError for one that is none."""
    total = 0
    for each in message.tensors:
        if each.dtype not in {"f4", "f8"} or each.part != "weight" or min(each.shape, default=0) < 0:
            raise ValueError(f"a tensor of {each.dtype} in {each.part}")
        total += int(np.prod([int(side) for side in each.shape], dtype=object)) * np.dtype(each.dtype).itemsize
    return total
