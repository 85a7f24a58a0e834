"""How distances of kernels lie in memory for compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np

# Numbers that loops take at a time, by 4 registers of 8: a row of whole ones leaves none over to take singly.
TAKEN_AT_ONCE = 32
# Where the largest registers are read from at once, in bytes.
ALIGNED = 64


def padded(kernels: int) -> int:
    """The length of a row of distances."""
    return (kernels + TAKEN_AT_ONCE - 1) // TAKEN_AT_ONCE * TAKEN_AT_ONCE


def room_for_distances(kernels: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Scratch for the distances of all pairs of kernels, one `padded` row after the other."""
    size = kernels * padded(kernels)
    room = np.empty(size + ALIGNED // 8)
    begin = -room.ctypes.data % ALIGNED // 8
    return room[begin : begin + size]
