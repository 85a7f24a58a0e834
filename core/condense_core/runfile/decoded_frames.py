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
from condense_core.runfile.damage import Damage
from condense_core.runfile.frame_table import LOST, FrameTable
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

    def __init__(self, connection: sqlite3.Connection, file: Path, damage: Damage, *, mirrored: bool) -> None:
        """`mirrored`: rows may be missing between others, as the file's own table of holes says."""
        self.table = FrameTable(connection)
        self._connection = connection
        self._file = file
        self._damage = damage
        self._mirrored = mirrored
        self._stacks: dict[int, Stack] = {}

    def newest(self, kind: type[F], layer: str, member: int, step: int | None = None) -> tuple[int, F] | None:
        """The member's newest frame of that kind, at or before `step` where given, and its step; None if there is
        none, or it is left out."""
        row = self.table.newest(frames.kind_of(kind), layer, member, step)
        frame = None if row is None else self._decoded(row, kind, layer, member)
        return None if row is None or frame is None else (row.step, frame)

    def after(self, kind: type[F], layer: str, step: int, seq: int) -> Iterator[tuple[int, int, F]]:
        """Frames of the first member from `step` on whose number is above `seq`: number, step, frame."""
        for chunk in self.table.after(frames.kind_of(kind), layer, step, seq):
            for row in chunk:
                frame = self._decoded(row, kind, layer)
                if frame is not None:
                    yield row.seq, row.step, frame

    def similarity(self, layer: str, member: int, step: int | None = None) -> npt.NDArray[np.float32] | None:
        """The member's cosine similarities, (side, side), at or before `step`; None if there are none, or they are left
        out."""
        chain: list[frames.Similarity] = []
        whole = False
        newest = oldest = 0
        for row in self.table.back("similarity", layer, member, step, MOST_BACK):
            frame = self._decoded(row, frames.Similarity, layer, member)
            if frame is None:
                return None
            chain.append(frame)
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

    def _decoded(self, row: FrameAt, kind: type[F], layer: str, member: int = 0) -> F | None:
        """The frame in a row; None where it is damaged and left out."""
        of = frames.kind_of(kind)
        what = f"{of} of {layer} at step {row.step}" if layer else f"{of} at step {row.step}"
        if row.blob == LOST:
            self._damage.of_checksum(what)
            return None
        try:
            return self._whole(row, kind, member)
        except RunFileError as error:
            self._damage.of_frame(what, error)
            return None

    def _whole(self, row: FrameAt, kind: type[F], member: int) -> F:
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
