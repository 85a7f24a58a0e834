"""Messages as bytes on a pipe: a length, then msgpack, compressed where that helps. No input makes this crash or grow.

The server's bytes begin with a greeting, so that whatever the shell on the far side prints before is passed over.
"""

from __future__ import annotations

import struct
from typing import Generic, TypeVar

import msgspec
import zstandard

from condense_core import typed
from condense_core.errors import CondenseError
from condense_core.foreign import decoding
from condense_core.remote.wire.messages import Message, Rows, ToClient, ToServer
from condense_core.text import printable, short

GREETING = b"\ncondense-tui serve\n"
# What a login shell may print before the greeting: a long message of the day, not a file.
MOST_NOISE = 65_536
# One frame of a run file is at most 4 MiB (rows.LARGEST_FRAME), and travels whole.
LARGEST_TO_CLIENT = 6 * 1024 * 1024
# The largest a client sends is a scenario.
LARGEST_TO_SERVER = 1024 * 1024
# Below this, a compressed message is no smaller.
WORTH_COMPRESSING = 300
_COMPRESSED = 0x8000_0000
_LENGTH = struct.Struct(">I")

M = TypeVar("M")


class WireError(CondenseError):
    """Bytes that are not what the other end should send."""


def pack(message: Message) -> bytes:
    """The message as it goes into the pipe."""
    body = msgspec.msgpack.encode(message)
    flag = 0
    # rows are compressed already, with what went before as their dictionary
    if len(body) >= WORTH_COMPRESSING and not isinstance(message, Rows):
        body, flag = zstandard.ZstdCompressor(level=3).compress(body), _COMPRESSED
    return _LENGTH.pack(len(body) | flag) + body


class Greeting:
    """Passes over what a login shell prints before a program of ours on the far side begins to speak."""

    def __init__(self, words: bytes) -> None:
        """`words`: how it begins; with none, it has begun."""
        self._words = words
        self._waiting = bytearray()

    @property
    def heard(self) -> bool:
        """The far side's program has begun to speak."""
        return not self._words

    @property
    def noise(self) -> str:
        """What came instead of the greeting: its last line, or as much of it as a message holds."""
        lines = bytes(self._waiting[-2_000:]).decode("utf-8", "replace").split("\n")
        return next((printable(line).strip()[:200] for line in reversed(lines) if line.strip()), "")

    def after(self, data: bytes) -> bytes:
        """What of these bytes comes after the greeting; WireError if none comes for too long."""
        if self.heard:
            return data
        self._waiting += data
        at = self._waiting.find(self._words)
        # the same whether it comes in one piece or in many
        if at > MOST_NOISE or (at < 0 and len(self._waiting) >= MOST_NOISE + len(self._words)):
            del self._waiting[at if at > 0 else len(self._waiting) :]
            raise WireError(
                f"more than {MOST_NOISE:,} bytes before condense-tui's greeting (they end with {short(self.noise)})"
                "; start-up files of the shell there should print nothing where nobody looks"
            )
        if at < 0:
            return b""
        rest = bytes(self._waiting[at + len(self._words) :])
        self._words = b""
        self._waiting.clear()
        return rest


class Unpacker(Generic[M]):
    """Turns bytes, cut anywhere, back into messages of the expected types."""

    def __init__(self, decoder: msgspec.msgpack.Decoder[M], largest: int, greeting: bytes = b"") -> None:
        self._decoder = decoder
        self._largest = largest
        self._greeting = Greeting(greeting)
        self._waiting = bytearray()

    @property
    def greeted(self) -> bool:
        """The far side's program has begun to speak."""
        return self._greeting.heard

    @property
    def noise(self) -> str:
        """What came instead of the greeting."""
        return self._greeting.noise

    def feed(self, data: bytes) -> list[M]:
        """Messages that are whole now; WireError if the bytes are none."""
        self._waiting += self._greeting.after(data)
        found = []
        while len(self._waiting) >= _LENGTH.size:
            (word,) = _LENGTH.unpack_from(self._waiting)
            length = word & ~_COMPRESSED
            if length > self._largest:
                raise WireError(f"a message of {length:,} bytes; expected at most {self._largest:,}")
            if len(self._waiting) < _LENGTH.size + length:
                break
            body = bytes(self._waiting[_LENGTH.size : _LENGTH.size + length])
            del self._waiting[: _LENGTH.size + length]
            found.append(self._decode(body, bool(word & _COMPRESSED)))
        return found

    def _decode(self, body: bytes, compressed: bool) -> M:
        with decoding(WireError, "a malformed message"):
            return self._decoder.decode(expand(body, self._largest) if compressed else body)


def expand(data: bytes, largest: int, dictionary: zstandard.ZstdCompressionDict | None = None) -> bytes:
    """Decompressed bytes; WireError for more than `largest`, whatever the data say of themselves."""
    with decoding(WireError, "a message that cannot be decompressed"):
        if zstandard.get_frame_parameters(data).content_size > largest:
            raise WireError(f"a message that grows beyond {largest:,} bytes")
        return zstandard.ZstdDecompressor(dict_data=dictionary).decompress(data, max_output_size=largest)


def from_server() -> Unpacker[ToClient]:
    """For the client's end."""
    decoder: msgspec.msgpack.Decoder[ToClient] = typed.msgpack_decoder(ToClient)
    return Unpacker(decoder, LARGEST_TO_CLIENT, GREETING)


def from_client() -> Unpacker[ToServer]:
    """For the server's end."""
    decoder: msgspec.msgpack.Decoder[ToServer] = typed.msgpack_decoder(ToServer)
    return Unpacker(decoder, LARGEST_TO_SERVER)
