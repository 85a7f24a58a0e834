"""Frames of an open run file as the records that they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from condense_core.errors import RunFileError
from condense_core.runfile import frames
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.levels import decode_similarity

F = TypeVar("F", bound=frames.Frame)

# Frames back to a key frame: twice as far as the furthest.
MOST_BACK = 64


class DecodedFrames:
    """What a `FrameTable` holds, decoded; a frame of another kind than its row says is a RunFileError."""

    def __init__(self, connection: sqlite3.Connection, file: Path, *, mirrored: bool) -> None:
        """`mirrored`: rows may be missing between others, as the file's own table of holes says."""
        self.table = FrameTable(connection)
        self._connection = connection
        self._file = file
        self._mirrored = mirrored

    def newest(self, kind: type[F], layer: str, step: int | None = None) -> tuple[int, F] | None:
        """The layer's newest frame of that kind, at or before `step` where given, and its step; None if there is
        none."""
        row = self.table.newest(frames.kind_of(kind), layer, step)
        return None if row is None else (row.step, self._decoded(row.blob, kind))

    def after(self, kind: type[F], layer: str, step: int, seq: int) -> Iterator[tuple[int, int, F]]:
        """Frames from `step` on whose number is above `seq`: number, step, frame."""
        for chunk in self.table.after(frames.kind_of(kind), layer, step, seq):
            for row in chunk:
                yield row.seq, row.step, self._decoded(row.blob, kind)

    def similarity(self, layer: str, step: int | None = None) -> npt.NDArray[np.float32] | None:
        """The layer's cosine similarities, (side, side), at or before `step`; None if there are none."""
        chain: list[frames.Similarity] = []
        whole = False
        newest = oldest = 0
        for row in self.table.back("similarity", layer, step, MOST_BACK):
            chain.append(self._decoded(row.blob, frames.Similarity))
            newest, oldest = max(newest, row.seq), row.seq
            if whole := row.key != 0:
                break
        if self._mirrored and chain and (not whole or self._has_hole(oldest, newest)):
            return None
        return decode_similarity(chain[::-1]) if chain else None

    def _has_hole(self, oldest: int, newest: int) -> bool:
        """Whether a mirror still waits for rows between two that it has."""
        found = self._connection.execute("SELECT 1 FROM hole WHERE after < ? AND last > ?", (newest, oldest))
        return found.fetchone() is not None

    def _decoded(self, blob: bytes, kind: type[F]) -> F:
        frame = frames.decode(blob)
        if not isinstance(frame, kind):
            expected, found = frames.kind_of(kind), frames.kind_of(frame)
            raise RunFileError(f"cannot read {self._file}: it is damaged (a frame of {expected} holds one of {found})")
        return frame
