"""A far side that is not ours, or turned against us: `hostile_serve.py HOW`, started in the program's place."""

from __future__ import annotations

import sys

import msgspec
import zstandard

from condense_core.remote.wire import messages as say
from condense_core.remote.wire.framing import GREETING, pack

# Clears the screen, sets the window's title, and asks the terminal for an answer that it would type.
ESCAPES = "\x1b[2J\x1b]0;owned\x07\x1b[6n\x9b31m\u202eevil"
HELLO = GREETING + pack(say.Hello(say.PROTOCOL, "0.0"))


def framed(body: bytes, *, compressed: bool = False) -> bytes:
    return (len(body) | (0x8000_0000 if compressed else 0)).to_bytes(4, "big") + body


ANSWERS = {
    "escapes in a refusal": HELLO + pack(say.Refused(0, ESCAPES + "\nand a second line", 7)),
    "escapes in a list": HELLO + pack(say.Runs(1, [], [ESCAPES + "\nand a second line"] * 3)),
    "escapes before the greeting": ESCAPES.encode() + b"\n" * 5,
    "a protocol of its own": GREETING + pack(say.Hello(999, ESCAPES)),
    "a length without end": HELLO + b"\x7f\xff\xff\xff",
    "a bomb": HELLO + framed(zstandard.ZstdCompressor(level=19).compress(bytes(2**28)), compressed=True),
    "no message": HELLO + framed(b"\xc1" * 100),
    "another answer": HELLO + pack(say.Pong(1)) + pack(say.Done(1)),
    "rows that are none": HELLO + pack(say.Runs(1, [msgspec.Raw(b"\x01")] * 2, [])),
    "silence": GREETING,
    "nothing": b"",
}


def main() -> None:
    sys.stderr.write(ESCAPES + "\n")
    sys.stdout.buffer.write(ANSWERS[sys.argv[1]])
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
