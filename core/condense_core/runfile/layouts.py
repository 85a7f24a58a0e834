"""Whose values a row of scalars has, and where in it: a row of `layout`, read and checked."""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from condense_core import typed
from condense_core.foreign import reason
from condense_core.runfile import checksums
from condense_core.runfile.rows import DamagedError, Name, checked

# Names of one row.
MOST_NAMES = 4_096
WIDTH = {"f": 4, "d": 8}
_KIND = {width: kind for kind, width in WIDTH.items()}
_ONE = {width: struct.Struct(f"<{kind}") for kind, width in WIDTH.items()}
# Characters of a layout that is kept for other files.
LONGEST_KEPT = 20_000

LayoutNumber = Annotated[int, Meta(ge=1, lt=2**31)]
_Names = Annotated[list[Name], Meta(min_length=1, max_length=MOST_NAMES)]


class LayoutRow(NamedTuple):
    id: LayoutNumber
    names: str
    kinds: Annotated[str, Meta(max_length=MOST_NAMES)]
    checksum: Annotated[bytes, Meta(max_length=checksums.SIZE)] | None = None
    """Since version 5."""


class RowLayout:
    """Whose values a row has, and where in it."""

    def __init__(self, id_: int, names: tuple[str, ...], kinds: str) -> None:
        self.id = id_
        self.names = names
        self.kinds = kinds
        self._struct = struct.Struct(f"<{kinds}")
        self.size = self._struct.size
        self.places: dict[str, tuple[int, int]] = {}
        """Of each name where its value begins, and how many bytes it has."""
        at = 0
        for name, kind in zip(names, kinds, strict=True):
            self.places[name] = at, WIDTH[kind]
            at += WIDTH[kind]

    @functools.cached_property
    def checksum(self) -> int:
        """Where checksums of its rows begin."""
        return checksums.of_names(self.kinds, *self.names)

    @property
    def own_checksum(self) -> bytes:
        """That of its own row."""
        return checksums.with_checksum(b"", self.checksum, self.id, 0)

    def packed(self, values: tuple[float, ...]) -> bytes | None:
        """The values as bytes; None where they would lose digits."""
        try:
            data = self._struct.pack(*values)
        except OverflowError:
            return None
        found = self._struct.unpack(data)
        return data if found == values or all(map(_same, found, values)) else None

    def unpacked(self, data: bytes) -> tuple[float, ...]:
        """The values of a row; DamagedError if it has another length."""
        self.check(len(data))
        return self._struct.unpack(data)

    def reader(self, name: str, more: int) -> Callable[[bytes], float]:
        """What gives the value of one of its names in a row that has so many bytes after its values; DamagedError if
        the row has another length."""
        at, width = self.places[name]
        unpack, size = _ONE[width].unpack_from, self.size + more

        def value(data: bytes) -> float:
            if len(data) != size:
                self.check(len(data) - more)
            found: float = unpack(data, at)[0]
            return found

        return value

    def check(self, length: int) -> None:
        """DamagedError if rows of this layout have another length."""
        if length != self.size:
            raise DamagedError(f"scalar.data: expected {self.size} bytes in layout {self.id}, got {length}")


def decoded(values: tuple[Any, ...]) -> RowLayout:
    """A layout of a file, by its row as SQLite hands it out; DamagedError if it is none. Runs of one scenario have the
    same ones."""
    text = values[1]
    return _kept(values) if isinstance(text, str) and len(text) <= LONGEST_KEPT else _made(values)


def _made(values: tuple[Any, ...]) -> RowLayout:
    row = checked(values, LayoutRow, "layout")
    try:
        names = tuple(typed.from_json(row.names, _Names))
    except msgspec.DecodeError as error:
        raise DamagedError(f"layout.names: {reason(error)}") from None
    if len(set(names)) != len(names):
        raise DamagedError("layout.names: a name twice")
    if len(row.kinds) != len(names) or not set(row.kinds) <= WIDTH.keys():
        raise DamagedError(f"layout.kinds: expected d or f for each of {len(names)} names")
    layout = RowLayout(row.id, names, row.kinds)
    if row.checksum is not None and row.checksum != layout.own_checksum:
        raise DamagedError(f"layout: row {row.id} has a wrong checksum")
    return layout


_kept = functools.lru_cache(maxsize=100)(_made)


def floats(data: Sequence[bytes]) -> Sequence[float]:
    """Values that have four or eight bytes each."""
    joined = b"".join(data)
    for kind, width in WIDTH.items():
        if len(joined) == width * len(data):
            return struct.unpack(f"<{len(data)}{kind}", joined)
    return [struct.unpack(f"<{_KIND[len(value)]}", value)[0] for value in data]


def fits(value: float) -> bool:
    """Whether float32 holds it exactly."""
    try:
        return _same(struct.unpack("<f", struct.pack("<f", value))[0], value)
    except OverflowError:
        return False


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
