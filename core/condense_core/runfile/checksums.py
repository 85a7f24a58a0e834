"""Checksums of rows of scalars and frames since version 5: a damaged byte is not read as another value, of another step
or of another layer.

The last four bytes of a row's data are the CRC-32 of whose they are, of the numbers that stand beside them, and of all
bytes before: any change of a single byte of these is found, and any other but one in four billion.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable, Mapping
from zlib import crc32

CHECKSUMS_SINCE = 5
SIZE = 4

_pack = struct.Struct("<I").pack
_numbers = {count: struct.Struct(f"<{count}q").pack for count in (2, 3)}
# Of any bytes followed by their own CRC-32, little-endian: a property of the polynomial.
_RESIDUE = 0x2144DF1C


@functools.lru_cache(maxsize=1_000)
def of_names(*names: str) -> int:
    """Where the checksum of what has these names begins."""
    # lengths too: "a", "bc" are not "ab", "c"
    return crc32("\0".join((*names, *(str(len(name)) for name in names))).encode("utf-8", "surrogatepass"))


def with_checksum(data: bytes, begin: int, *numbers: int) -> bytes:
    """Data as they are stored beside these numbers; `begin` is of whose they are."""
    return data + _pack(crc32(data, crc32(_numbers[len(numbers)](*numbers), begin)))


def is_whole(stored: bytes, begin: int, *numbers: int) -> bool:
    """Whether stored data, with their checksum, and the numbers beside them are those that were written."""
    return crc32(stored, crc32(_numbers[len(numbers)](*numbers), begin)) == _RESIDUE


def wrong(rows: Iterable[tuple[int, int, int, bytes]], begins: Mapping[int, int]) -> list[tuple[int, int]]:
    """Of rows (number, step, whose they are, stored data) number and step of those that are not whole; `begins` has
    where checksums begin by whose they are. KeyError, TypeError or struct.error for what is no such row."""
    # `is_whole`, of a hundred thousand rows in a third of the time
    pack = _numbers[2]
    return [
        (number, step)
        for number, step, whose, stored in rows
        if crc32(stored, crc32(pack(number, step), begins[whose])) != _RESIDUE
    ]
