"""Typed decoding, from several threads at once.

msgspec takes a type apart when it is used for the first time, and keeps what it found on the type's structs. A thread
that uses one of them meanwhile sees half of it, and the process ends with a segmentation fault. So a type is taken
apart by one thread at a time, here, before it is used; nobody else calls msgspec with a type.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_lock = threading.Lock()
_known: set[Hashable] = set()


def convert(values: object, kind: type[T]) -> T:
    """Plain values as a value of that type; msgspec.ValidationError where they are none."""
    found: T = msgspec.convert(values, taken_apart(kind))
    return found


def convert_known(values: object, kind: Any) -> Any:
    """`convert`, with what `taken_apart` gave: to find that a type is known takes as long as some rows."""
    return msgspec.convert(values, kind)


def from_json(data: bytes | str, kind: type[T]) -> T:
    """JSON as a value of that type; msgspec.DecodeError where it is none."""
    found: T = msgspec.json.decode(data, type=taken_apart(kind))
    return found


def from_msgpack(data: bytes, kind: type[T]) -> T:
    """MessagePack as a value of that type; msgspec.DecodeError where it is none."""
    found: T = msgspec.msgpack.decode(data, type=taken_apart(kind))
    return found


def msgpack_decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    """A decoder of MessagePack for a type, or a union of types."""
    return msgspec.msgpack.Decoder(taken_apart(kind))


def taken_apart(kind: Any) -> Any:
    """The type, which was taken apart."""
    if kind not in _known:
        with _lock:
            msgspec.msgpack.Decoder(kind)
            _known.add(kind)
    return kind
