"""Rows of a run file on the wire, lossless and small.

From one instant to the next little changes but the last digits: names are the same, numbers differ in their low bits.
So each message is compressed with those before it as its dictionary, and what has the same length as its predecessor is
sent as changes to it. Both ends keep the same memory; it starts empty with every connection.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Literal

import msgspec
import zstandard
from msgspec import Meta

from condense_core import typed
from condense_core.foreign import decoding
from condense_core.remote.wire.changes import changed, changes, planes, whole, xor
from condense_core.remote.wire.framing import WireError, expand
from condense_core.runfile.frames import compressed
from condense_core.runfile.rows import LARGEST_FRAME, LARGEST_STEP, Moment, Name, ScalarRow, Seq, Step

# Rows of one message before compression: a largest frame and what goes with it.
LARGEST_ROWS = LARGEST_FRAME + 1024 * 1024
MOST_ROWS = 200_000
# What both ends remember: so much of the messages before, frames of this size at most, so many of them, and so many
# scalars.
REMEMBERED_BYTES = 65_536
REMEMBERED_FRAMES = 256
REMEMBERED_NAMES = 4_096
# An instant of a live run is compressed as well as can be: three layers of 32 kernels take 3 ms, and a twelfth fewer
# bytes than at the level for what is larger, where that would take its time.
LIVE_BYTES, LIVE_LEVEL = 16_384, 15
LEVEL = 6

How = Literal["stored", "plain", "changes"]


class FrameRow(msgspec.Struct, frozen=True, array_like=True):
    """A row of `frame`. `how` its blob travels: as stored, decompressed, or as changes to the last of its kind."""

    seq: Seq
    step: Step
    kind: Name
    layer: Name
    key: Annotated[int, Meta(ge=0, le=1)]
    blob: bytes
    how: How = "stored"


class EventRow(msgspec.Struct, frozen=True, array_like=True):
    """A row of `event`."""

    seq: Seq
    step: Step
    kind: Name
    text: Annotated[str, Meta(max_length=20_000)]
    time: Moment


class Batch(msgspec.Struct, frozen=True):
    """Rows in the order of their sequence numbers."""

    scalars: list[ScalarRow]
    frames: list[FrameRow]
    events: list[EventRow]

    @property
    def seqs(self) -> Iterator[int]:
        """Their sequence numbers, table by table."""
        yield from (row.seq for row in self.scalars)
        yield from (row.seq for row in self.frames)
        yield from (row.seq for row in self.events)


Offsets = Annotated[list[Annotated[int, Meta(ge=0, lt=2**62)]], Meta(max_length=MOST_ROWS)]


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    """Columns of scalars, and frames; their sequence numbers and steps count from `seq` and `step`, and so repeat in
    each instant. So many of the names and values belong to a row of scalars as `counts` says: one, as in protocol 2,
    where that is empty."""

    seq: Seq
    step: Step
    offsets: Offsets
    steps: Offsets
    names: Annotated[list[Name], Meta(max_length=MOST_ROWS)]
    values: bytes
    frames: Annotated[list[FrameRow], Meta(max_length=MOST_ROWS)]
    events: Annotated[list[EventRow], Meta(max_length=MOST_ROWS)]
    counts: Annotated[list[Annotated[int, Meta(ge=1, le=MOST_ROWS)]], Meta(max_length=MOST_ROWS)] = []


_decoder: msgspec.msgpack.Decoder[_Packed] = typed.msgpack_decoder(_Packed)


class _Memory:
    """What both ends know of what went before."""

    def __init__(self) -> None:
        self._messages = b""
        self._values: dict[str, bytes] = {}
        self._frames: dict[tuple[str, str], bytes] = {}

    @property
    def dictionary(self) -> zstandard.ZstdCompressionDict | None:
        if len(self._messages) < 8:
            return None
        return zstandard.ZstdCompressionDict(self._messages, dict_type=zstandard.DICT_TYPE_RAWCONTENT)

    def message(self, raw: bytes) -> None:
        self._messages = (self._messages + raw)[-REMEMBERED_BYTES:]

    def last_values(self, names: Iterable[str]) -> bytes:
        """The last value of each name, zero where it never had one."""
        return b"".join(self._values.get(name, b"\0" * 8) for name in names)

    def values(self, names: Iterable[str], values: bytes) -> None:
        for place, name in enumerate(names):
            if name in self._values or len(self._values) < REMEMBERED_NAMES:
                self._values[name] = values[8 * place : 8 * place + 8]

    def before(self, row: FrameRow) -> bytes | None:
        return self._frames.get((row.kind, row.layer))

    def frame(self, row: FrameRow, raw: bytes) -> None:
        if len(raw) > REMEMBERED_BYTES:
            return
        self._frames.pop((row.kind, row.layer), None)
        if len(self._frames) >= REMEMBERED_FRAMES:
            del self._frames[next(iter(self._frames))]
        self._frames[row.kind, row.layer] = raw


class RowPacker:
    """The server's end."""

    def __init__(self) -> None:
        self._memory = _Memory()

    def pack(self, batch: Batch) -> bytes:
        """The rows as bytes of one message; frames whose `how` is plain are sent as changes where there is a past."""
        memory = self._memory
        scalars = batch.scalars
        measured: list[ScalarRow | FrameRow] = [*scalars, *batch.frames]
        seq = min((row.seq for row in measured), default=0)
        step = min((row.step for row in measured), default=0)
        names = [name for row in scalars for name in row.names]
        values = struct.pack(f"<{len(names)}d", *(value for row in scalars for value in row.values))
        before = memory.last_values(names)
        memory.values(names, values)
        raw = msgspec.msgpack.encode(
            _Packed(
                seq,
                step,
                [row.seq - seq for row in scalars],
                [row.step - step for row in scalars],
                names,
                planes(xor(values, before), 8),
                [self._frame(row, seq, step) for row in batch.frames],
                batch.events,
                [] if len(names) == len(scalars) else [len(row.names) for row in scalars],
            )
        )
        level = LIVE_LEVEL if len(raw) <= LIVE_BYTES else LEVEL
        packed = zstandard.ZstdCompressor(level=level, dict_data=memory.dictionary).compress(raw)
        memory.message(raw)
        return packed

    def _frame(self, row: FrameRow, seq: int, step: int) -> FrameRow:
        blob, how = row.blob, row.how
        if how != "stored":
            before = self._memory.before(row)
            self._memory.frame(row, blob)
            # similarity frames are differences already
            if before is not None and len(before) == len(blob) and row.kind != "similarity":
                blob, how = changes(blob, before), "changes"
        return msgspec.structs.replace(row, seq=row.seq - seq, step=row.step - step, blob=blob, how=how)


class RowUnpacker:
    """The client's end."""

    def __init__(self) -> None:
        self._memory = _Memory()

    def unpack(self, packed: bytes) -> Batch:
        """The rows, frames compressed as a run file stores them; WireError if the bytes are none."""
        memory = self._memory
        raw = expand(packed, LARGEST_ROWS, memory.dictionary)
        with decoding(WireError, "malformed rows"):
            found = _decoder.decode(raw)
            memory.message(raw)
            count = len(found.names)
            counts = found.counts or [1] * count
            if len(found.values) != 8 * count or sum(counts) != count or len(counts) != len(found.offsets):
                raise WireError("columns of scalars that differ in length")
            values = xor(whole(found.values, 8), memory.last_values(found.names))
            memory.values(found.names, values)
            names, numbers = iter(found.names), iter(struct.unpack(f"<{count}d", values))
            scalars = [
                ScalarRow(found.seq + seq, found.step + step, tuple(islice(names, own)), tuple(islice(numbers, own)))
                for seq, step, own in zip(found.offsets, found.steps, counts, strict=True)
            ]
            frames = [self._frame(row, found.seq, found.step) for row in found.frames]
            if max((*(row.step for row in scalars), *(row.step for row in frames)), default=0) > LARGEST_STEP:
                raise WireError("a step beyond those that a run can have")
            return Batch(scalars, frames, found.events)

    def _frame(self, row: FrameRow, seq: int, step: int) -> FrameRow:
        blob = row.blob if row.how == "stored" else self._stored(row)
        return msgspec.structs.replace(row, seq=seq + row.seq, step=step + row.step, blob=blob, how="stored")

    def _stored(self, row: FrameRow) -> bytes:
        raw = row.blob
        if row.how == "changes":
            before = self._memory.before(row)
            if before is None or len(before) != len(raw):
                raise WireError("changes to a frame that was never sent")
            raw = changed(raw, before)
        if len(raw) > LARGEST_FRAME:
            raise WireError(f"a frame of {len(raw):,} bytes")
        self._memory.frame(row, raw)
        return compressed(raw, row.kind)


def stored_or_plain(blob: bytes) -> tuple[bytes, How]:
    """A frame's blob decompressed for the wire, or as it is where it cannot be, or is too large to be worth it."""
    try:
        if not 0 < zstandard.get_frame_parameters(blob).content_size <= LARGEST_FRAME:
            return blob, "stored"
        return zstandard.ZstdDecompressor().decompress(blob, max_output_size=LARGEST_FRAME), "plain"
    except Exception:  # noqa: BLE001 - whatever it is, it arrives as it was, and whoever reads it there says so
        return blob, "stored"
