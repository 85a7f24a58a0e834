"""Frames of an open run file as the records that they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from condense_core.errors import RunFileError
from condense_core.runfile import frames, stacks
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.levels import decode_similarity
from condense_core.runfile.rows import FrameAt
from condense_core.runfile.stacks import Stack

F = TypeVar("F", bound=frames.Frame)

# Frames back to a key frame: twice as far as the furthest.
MOST_BACK = 64
# Frames of several members that are kept, by the numbers of their rows: whoever reads one member reads the others next.
MOST_STACKS = 8


class DecodedFrames:
    """What a `FrameTable` holds, decoded; a frame of another kind than its row says is a RunFileError."""

    def __init__(self, connection: sqlite3.Connection, file: Path, *, mirrored: bool) -> None:
        """`mirrored`: rows may be missing between others, as the file's own table of holes says."""
        self.table = FrameTable(connection)
        self._connection = connection
        self._file = file
        self._mirrored = mirrored
        self._stacks: dict[int, Stack] = {}

    def newest(self, kind: type[F], layer: str, member: int, step: int | None = None) -> tuple[int, F] | None:
        """The member's newest frame of that kind, at or before `step` where given, and its step; None if there is
        none."""
        row = self.table.newest(frames.kind_of(kind), layer, member, step)
        return None if row is None else (row.step, self._decoded(row, kind, member))

    def after(self, kind: type[F], layer: str, step: int, seq: int) -> Iterator[tuple[int, int, F]]:
        """Frames of the first member from `step` on whose number is above `seq`: number, step, frame."""
        for chunk in self.table.after(frames.kind_of(kind), layer, step, seq):
            for row in chunk:
                yield row.seq, row.step, self._decoded(row, kind)

    def similarity(self, layer: str, member: int, step: int | None = None) -> npt.NDArray[np.float32] | None:
        """The member's cosine similarities, (side, side), at or before `step`; None if there are none."""
        chain: list[frames.Similarity] = []
        whole = False
        newest = oldest = 0
        for row in self.table.back("similarity", layer, member, step, MOST_BACK):
            chain.append(self._decoded(row, frames.Similarity, member))
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

    def _decoded(self, row: FrameAt, kind: type[F], member: int = 0) -> F:
        frame = self._stacks.get(row.seq) or stacks.decode(row.blob)
        if isinstance(frame, Stack):
            if row.seq not in self._stacks and len(self._stacks) >= MOST_STACKS:
                del self._stacks[next(iter(self._stacks))]
            self._stacks[row.seq] = frame
            frame = frame.of_member(member)
        if not isinstance(frame, kind):
            expected, found = frames.kind_of(kind), frames.kind_of(frame)
            raise RunFileError(f"cannot read {self._file}: it is damaged (a frame of {expected} holds one of {found})")
        return frame
