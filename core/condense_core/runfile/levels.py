"""A layer's matrix of cosines as int8 levels, and as differences from one recorded step to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from condense_core.errors import RunFileError
from condense_core.runfile.frames import Similarity
from condense_core.runfile.stacks import Stack

# int8 steps of a cosine: 127 levels each side of 0, and the one code left over for "no direction".
LEVELS = 127
NAN_LEVEL = -128
# Levels of several members that are decoded back to a key frame, about half a millisecond.
LEVELS_BACK = 524_288
# Cosines that are scaled at a time: as float64 half a megabyte, which a core's own cache holds.
PIECE = 65_536


def to_levels(upper: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """Cosines as int8 levels; NaN becomes NAN_LEVEL."""
    levels = np.empty(upper.shape, np.int8)
    cosines, found = upper.reshape(-1), levels.reshape(-1)
    for begin in range(0, cosines.size, PIECE):
        scaled = cosines[begin : begin + PIECE] * LEVELS
        np.rint(scaled, out=scaled)
        # as nearly always; NaN is in no range
        if not (scaled.min() >= -LEVELS and scaled.max() <= LEVELS):
            unknown = np.isnan(scaled)
            np.clip(scaled, -LEVELS, LEVELS, out=scaled)
            scaled[unknown] = NAN_LEVEL
        found[begin : begin + PIECE] = scaled
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
        # of those that were encoded last, together, the same two
        self._last: tuple[tuple[int, ...], npt.NDArray[np.int8], int] = (), np.zeros((0, 0), np.int8), 0

    def encode(self, cosine: npt.NDArray[Any], kernels: int) -> Similarity:
        """The frame of a square matrix of cosines, of the only member."""
        upper = cosine[np.triu_indices(len(cosine))][None]
        frame = self.encode_members(upper, (0,), len(cosine), kernels).of_member(0)
        assert isinstance(frame, Similarity)
        return frame

    def encode_members(
        self,
        upper: npt.NDArray[Any],
        numbers: Sequence[int],
        side: int,
        kernels: int,
        drawn_of: int | None = None,
    ) -> Stack:
        """The frames of the upper triangles (S, T), with their diagonals, of the members with those numbers."""
        return self.encode_levels(to_levels(upper), numbers, side, kernels, drawn_of)

    def encode_levels(
        self,
        levels_ST: npt.NDArray[np.int8],
        numbers: Sequence[int],
        side: int,
        kernels: int,
        drawn_of: int | None = None,
    ) -> Stack:
        """`encode_members` of levels."""
        whose = tuple(numbers)
        before_ST, since = self._of(whose)
        since += 1
        if before_ST is None or before_ST.shape != levels_ST.shape or since >= _key_every(*levels_ST.shape):
            key, since, sent_ST = True, 0, levels_ST
        else:
            key, sent_ST = False, levels_ST - before_ST
        self._last = whose, levels_ST, since
        return Stack(
            of="similarity",
            members=whose,
            same={"kernels": kernels, "side": side, "key": key} | ({} if drawn_of is None else {"drawn_of": drawn_of}),
            pieces={"levels": sent_ST.tobytes()},
        )

    def _of(self, numbers: tuple[int, ...]) -> tuple[npt.NDArray[np.int8] | None, int]:
        """The levels of these members that were encoded last, None where not all are known, and how many frames ago
        one of theirs was a key frame."""
        last, levels_ST, since = self._last
        if numbers == last:
            return levels_ST, since
        self._before.update(zip(last, levels_ST, strict=True))
        self._since_key.update(dict.fromkeys(last, since))
        known = [self._before[number] for number in numbers if number in self._before]
        same = len(known) == len(numbers) and len({len(levels) for levels in known}) == 1
        return np.stack(known) if same else None, max(self._since_key.get(number, 0) for number in numbers)


def _key_every(members: int, levels: int) -> int:
    return max(4, min(32, 65_536 // max(1, levels), LEVELS_BACK // max(1, members * levels)))


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
