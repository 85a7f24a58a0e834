"""A frame as changes to the frame before it, arranged so that a compressor sees what little there is.

From one instant to the next a measured number moves in its low digits. So the numbers of arrays are sent as
differences, plane by plane: the highest byte of all of them first, mostly zero, and the lowest last, mostly noise.
Everything else is sent as the exclusive or. Where the arrays lie is read from the frame before, which both ends have:
any bytes of the same length come out as they went in.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import msgspec

# Types of frames.Array, and the integers of their size. Of floats of one sign those are near each other where the
# floats are; a float64 that moved has too many noisy bytes for a difference to be better than an exclusive or.
_SIZES = {"i1": 1, "i2": 2, "f4": 4, "f8": 8}
_SUBTRACTED = {2: "H", 4: "I"}


def changes(now: bytes, before: bytes) -> bytes:
    """What turns `before` into `now`, of the same length as both."""
    rest, numbers, at = [], [], 0
    for start, stop, size in _arrays(before):
        rest.append(xor(now[at:start], before[at:start]))
        numbers.append(planes(_minus(now[start:stop], before[start:stop], size), size))
        at = stop
    return b"".join([*rest, xor(now[at:], before[at:]), *numbers])


def changed(difference: bytes, before: bytes) -> bytes:
    """`before` with `difference` made to it; both of one length."""
    places = _arrays(before)
    moved = len(before) - sum(stop - start for start, stop, _ in places)
    found, at, rest = [], 0, 0
    for start, stop, size in places:
        found.append(xor(difference[rest : rest + start - at], before[at:start]))
        found.append(_plus(whole(difference[moved : moved + stop - start], size), before[start:stop], size))
        rest, moved, at = rest + start - at, moved + stop - start, stop
    return b"".join([*found, xor(difference[rest : rest + len(before) - at], before[at:])])


def xor(one: bytes, other: bytes) -> bytes:
    """Exclusive or of bytes of one length."""
    return (int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).to_bytes(len(one), "little")


def planes(numbers: bytes, size: int) -> bytes:
    """Little-endian numbers of `size` bytes each as planes of bytes, the highest first."""
    return b"".join(numbers[place::size] for place in reversed(range(size)))


def whole(planes: bytes, size: int) -> bytes:
    """The numbers that `planes` took apart."""
    count = len(planes) // size
    found = bytearray(len(planes))
    for plane in range(size):
        found[size - 1 - plane :: size] = planes[plane * count : (plane + 1) * count]
    return bytes(found)


def _arrays(frame: bytes) -> list[tuple[int, int, int]]:
    """Start, stop and number size of each array in a frame, in order; none if the bytes are no frame.

    Both ends look at the same bytes and so find the same, whatever is wrong with them.
    """
    found: list[tuple[int, int, int]] = []
    at = 0
    try:
        decoded = msgspec.msgpack.decode(frame)
        for field in decoded.values() if isinstance(decoded, dict) else ():
            match field:
                case [str(kind), list(), bytes(data)] if data and kind in _SIZES and len(data) % _SIZES[kind] == 0:
                    start = frame.index(data, at)
                    at = start + len(data)
                    found.append((start, at, _SIZES[kind]))
    except Exception:  # noqa: BLE001 - bytes that are no frame are sent as bytes
        return []
    return found


def _minus(now: bytes, before: bytes, size: int) -> bytes:
    """Differences modulo their size, small ones of either sign as small numbers: 0, -1, 1, -2, …"""
    if size not in _SUBTRACTED:
        return xor(now, before)
    top = (1 << 8 * size) - 1
    differences = (one - other & top for one, other in zip(_integers(now, size), _integers(before, size), strict=True))
    return _bytes(((d << 1 ^ (top if d >> 8 * size - 1 else 0)) & top for d in differences), len(now), size)


def _plus(moved: bytes, before: bytes, size: int) -> bytes:
    if size not in _SUBTRACTED:
        return xor(moved, before)
    top = (1 << 8 * size) - 1
    pairs = zip(_integers(moved, size), _integers(before, size), strict=True)
    return _bytes(((d >> 1 ^ -(d & 1)) + other & top for d, other in pairs), len(before), size)


def _integers(data: bytes, size: int) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // size}{_SUBTRACTED[size]}", data)


def _bytes(values: Iterable[int], length: int, size: int) -> bytes:
    return struct.pack(f"<{length // size}{_SUBTRACTED[size]}", *values)
