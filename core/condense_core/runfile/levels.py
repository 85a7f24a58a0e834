"""A layer's matrix of cosines as int8 levels, and as differences from one recorded step to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from condense_core.errors import RunFileError
from condense_core.runfile.frames import Similarity

# int8 steps of a cosine: 127 levels each side of 0, and the one code left over for "no direction".
LEVELS = 127
NAN_LEVEL = -128


def to_levels(upper: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """Cosines as int8 levels; NaN becomes NAN_LEVEL."""
    scaled = upper * LEVELS
    unknown = np.isnan(scaled)
    some = bool(unknown.any())
    if some:
        scaled[unknown] = 0.0
    np.clip(scaled, -LEVELS, LEVELS, out=scaled)
    levels: npt.NDArray[np.int8] = np.rint(scaled, out=scaled).astype(np.int8)
    if some:
        levels[unknown] = NAN_LEVEL
    return levels


def from_levels(levels: npt.NDArray[np.int8], side: int) -> npt.NDArray[np.float32]:
    """The full symmetric matrix (side, side) of cosines in float32, NaN if there is no direction."""
    values = levels.astype(np.float32) / LEVELS
    values[levels == NAN_LEVEL] = np.nan
    full = np.empty((side, side), np.float32)
    rows, columns = np.triu_indices(side)
    full[rows, columns] = values
    full[columns, rows] = values
    return full


class SimilarityEncoder:
    """Turns the matrices of one layer of each member into frames: differences to the frame before, a key frame every so
    often.

    Seeking decodes everything back to the key frame, so the larger the matrix the closer key frames stand; never
    further apart than 32, which keeps a seek in a run of 64 kernels under a millisecond.
    """

    def __init__(self) -> None:
        self._before: dict[int, npt.NDArray[np.int8]] = {}
        self._since_key: dict[int, int] = {}

    def encode(self, cosine: npt.NDArray[Any], kernels: int) -> Similarity:
        """The frame of a square matrix of cosines, of the only member."""
        (frame,) = self.encode_members(cosine[np.triu_indices(len(cosine))][None], (0,), len(cosine), kernels)
        return frame

    def encode_members(
        self,
        upper: npt.NDArray[Any],
        numbers: Sequence[int],
        side: int,
        kernels: int,
        drawn_of: int | None = None,
    ) -> list[Similarity]:
        """The frames of the upper triangles (S, T), with their diagonals, of the members with those numbers."""
        found = []
        for number, levels in zip(numbers, to_levels(upper), strict=True):
            key_every = max(4, min(32, 65_536 // max(1, len(levels))))
            before, since = self._before.get(number), self._since_key.get(number, 0) + 1
            key = before is None or len(before) != len(levels) or since >= key_every
            self._before[number], self._since_key[number] = levels, 0 if key else since
            sent = levels if key or before is None else levels - before
            found.append(Similarity(kernels=kernels, side=side, key=key, levels=sent.tobytes(), drawn_of=drawn_of))
        return found


def decode_similarity(chain: list[Similarity]) -> npt.NDArray[np.float32]:
    """The matrix of the last frame in `chain`, which starts at a key frame and leaves none out."""
    if not chain or not chain[0].key:
        raise RunFileError("a similarity frame's key frame is missing; the run file is damaged")
    side = chain[-1].side
    parts = [np.frombuffer(frame.levels, np.int8) for frame in chain]
    if any(len(part) != len(parts[0]) for part in parts):
        raise RunFileError("similarity frames of one layer differ in size; the run file is damaged")
    levels = parts[0] if len(parts) == 1 else np.add.reduce(parts, dtype=np.int8)
    return from_levels(levels, side)
