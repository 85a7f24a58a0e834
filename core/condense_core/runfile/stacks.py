"""Frames of several members of an ensemble at one step as one record: encoded, compressed and stored once.

# S members
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from condense_core import typed
from condense_core.errors import RunFileError
from condense_core.foreign import decoding
from condense_core.runfile import frames
from condense_core.runfile.frames import Array, Count, Counts, Frame
from condense_core.runfile.places import MOST_MEMBERS, stretches

# Bytes of one row before compression: more members are in several.
ROW_BYTES = 1024 * 1024

# More fields than any kind of frame has. What one field holds of one member is bounded, too: a few hundred compressed
# bytes of empty lists would be hundreds of MB.
MOST_FIELDS = 32
_Value = bool | int | float | None
_Field = Annotated[str, Meta(max_length=32)]
_Fields = Meta(max_length=MOST_FIELDS)
_OfEach = Annotated[Sequence[_Value | Counts], Meta(max_length=MOST_MEMBERS)]

StackedKind = Literal["similarity", "condensation", "spectrum", "alignment", "singular"]
_KINDS: dict[StackedKind, type[Frame]] = {
    "similarity": frames.Similarity,
    "condensation": frames.Condensation,
    "spectrum": frames.Spectrum,
    "alignment": frames.Alignment,
    "singular": frames.Singular,
}
_FIELDS = {kind: frozenset(frame.__struct_fields__) for kind, frame in _KINDS.items()}


class Stack(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="stack"):
    """Frames of the kind `of`, one of each of `members` (S), field by field: `same` holds what all have alike, `each` a
    value for each, `arrays` arrays with one dimension (S, …) more, and `pieces` bytes of one length one after the
    other."""

    of: StackedKind
    members: Annotated[tuple[Count, ...], Meta(max_length=MOST_MEMBERS)]
    same: Annotated[Mapping[_Field, _Value], _Fields] = {}
    each: Annotated[Mapping[_Field, _OfEach], _Fields] = {}
    arrays: Annotated[dict[_Field, Array], _Fields] = {}
    pieces: Annotated[dict[_Field, bytes], _Fields] = {}

    def __post_init__(self) -> None:
        count = len(self.members)
        fields = {*self.same, *self.each, *self.arrays, *self.pieces}
        given = len(self.same) + len(self.each) + len(self.arrays) + len(self.pieces)
        if len(fields) < given or not fields <= _FIELDS[self.of]:
            raise ValueError(f"fields that a frame of {self.of} has not, or twice")
        lengths, sides = set(map(len, self.each.values())), {array.shape[:1] for array in self.arrays.values()}
        over = {len(piece) % count for piece in self.pieces.values()} if count else {1}
        if not (lengths <= {count} and sides <= {(count,)} and over <= {0}):
            raise ValueError(f"fields that are not of {count} members")

    def of_member(self, number: int) -> Frame:
        """The frame of the member with that number; RunFileError where it is none, or not there."""
        with decoding(RunFileError, "the run file is damaged: a recorded frame cannot be read"):
            row, count = self.members.index(number), len(self.members)
            values: dict[str, Any] = {"kind": self.of, **self.same}
            values |= {name: own[row] for name, own in self.each.items()}
            values |= {name: _piece(piece, row, count) for name, piece in self.pieces.items()}
            for name, array in self.arrays.items():
                values[name] = Array(array.dtype, array.shape[1:], _piece(array.data, row, count))
            return typed.convert(values, _KINDS[self.of])

    def each_member(self) -> Iterator[tuple[int, Frame]]:
        """Every member's frame."""
        return ((number, self.of_member(number)) for number in self.members)

    def parts(self, layer: str) -> Iterator[Stack]:
        """The same in parts that are not too large for a row of that layer."""
        size = sum(len(array.data) for array in self.arrays.values()) + sum(map(len, self.pieces.values()))
        most = max(1, ROW_BYTES * len(self.members) // max(1, size))
        cuts = list(stretches(layer, self.members, most))
        return iter([self]) if len(cuts) == 1 else map(self._part, cuts)

    def split(self, count: int) -> list[Stack]:
        """The same in so many parts of equally many members."""
        each = len(self.members) // count
        return [self._part(slice(first, first + each)) for first in range(0, len(self.members), each)]

    def _part(self, rows: slice) -> Stack:
        count = len(self.members)
        members = self.members[rows]
        return Stack(
            of=self.of,
            members=members,
            same=self.same,
            each={name: own[rows] for name, own in self.each.items()},
            arrays={
                name: Array(array.dtype, (len(members), *array.shape[1:]), _pieces(array.data, rows, count))
                for name, array in self.arrays.items()
            },
            pieces={name: _pieces(piece, rows, count) for name, piece in self.pieces.items()},
        )


_decoder: msgspec.msgpack.Decoder[Frame | Stack] = typed.msgpack_decoder(Frame | Stack)


def decode(blob: bytes) -> Frame | Stack:
    """The frame or the frames in `blob`; RunFileError if it is neither, or too large."""
    return frames.decoded(blob, _decoder)


def kind_of(frame: Frame | Stack) -> str:
    """The name under which the run file keeps it."""
    return frame.of if isinstance(frame, Stack) else frames.kind_of(frame)


def is_key(frame: Frame | Stack) -> bool:
    """Whether it needs none before it."""
    if isinstance(frame, Stack):
        return bool(frame.same.get("key", True))
    return frame.key if isinstance(frame, frames.Similarity) else True


def _piece(data: bytes, row: int, count: int) -> bytes:
    return _pieces(data, slice(row, row + 1), count)


def _pieces(data: bytes, rows: slice, count: int) -> bytes:
    size = len(data) // count
    return data[rows.start * size : rows.stop * size]
