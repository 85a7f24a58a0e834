"""What a hostile end of a connection could send: messages of the right kinds with wrong contents, then wrong bytes.

Drawn from a `random.Random`, so that one seed gives a whole conversation and a hundred thousand messages take minutes.
"""

from __future__ import annotations

import math
import struct
from random import Random
from typing import Any

import msgspec
import numpy as np
import zstandard

from condense_core.remote.wire import messages as say
from condense_core.remote.wire.framing import pack
from condense_core.remote.wire.rows import Batch, EventRow, FrameRow, RowPacker
from condense_core.runfile.frames import encode
from condense_core.runfile.levels import SimilarityEncoder
from condense_core.runfile.rows import ScalarRow

TEXTS = (
    "",
    "loss",
    "similarity",
    "conv1",
    "running",
    "done",
    "lost",
    "pause",
    "stop",
    "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e",
    "a\nb\r\tc",
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "x" * 5_000,
    "a@b",
    "run\0name",
    "worker.log",
    "checkpoint.safetensors",
    "-oProxyCommand=touch owned",
    "DROP TABLE run; --",
)
LARGE = (2**31, 2**53, 2**62 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1, -(2**63))
REALS = (0.0, -1.5, math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 1e12)
BYTES = (
    b"",
    b"\0" * 60,
    zstandard.compress(b"\0" * 10_000_000),
    zstandard.compress(b"\x9f" * 5_000),
    zstandard.ZstdCompressor(write_content_size=False).compress(b"x" * 100_000),
    b"\x28\xb5\x2f\xfd" + b"\xff" * 40,
)
SIMILARITIES = [encode(SimilarityEncoder().encode(np.eye(side), side)) for side in (1, 3, 40)]
STATUSES = ("starting", "running", "paused", "done", "stopped", "failed", "diverged", "lost", "owned")


def number(draw: Random) -> int:
    return draw.randrange(-3, 80) if draw.random() < 0.8 else draw.choice(LARGE)


def anything(draw: Random, depth: int = 2) -> Any:
    kind = draw.randrange(8 if depth else 6)
    if kind == 6:
        return [anything(draw, depth - 1) for _ in range(draw.randrange(4))]
    if kind == 7:
        return {draw.choice(TEXTS): anything(draw, depth - 1) for _ in range(draw.randrange(3))}
    of = (None, draw.random() < 0.5, number(draw), draw.choice(REALS), draw.choice(TEXTS), draw.choice(BYTES))
    return of[kind]


def info(draw: Random) -> dict[str, Any]:
    """A run's row."""
    found: dict[str, Any] = {
        name: draw.choice(TEXTS)
        for name in ("id", "name", "preset", "experiment", "revision", "device", "host", "reason")
    }
    found |= {name: abs(number(draw)) for name in ("seed", "pid", "steps", "step")}
    found |= {name: draw.choice(REALS) for name in ("seconds", "created", "heartbeat")}
    found |= {"versions": {draw.choice(TEXTS): draw.choice(TEXTS)}, "status": draw.choice(STATUSES)}
    if draw.random() < 0.2:
        found[draw.choice([*found, "mirror"])] = anything(draw)
    return found


def field(draw: Random, kind: object) -> Any:
    """Mostly what a field of that type may hold, at its limits; sometimes anything."""
    name = str(kind)
    if draw.random() < 0.08:
        return anything(draw)
    if "RunInfo" in name:
        return [info(draw) for _ in range(draw.randrange(3))] if "list" in name else info(draw)
    if "Literal" in name:
        return draw.choice(STATUSES)
    if "bytes" in name:
        return draw.choice(BYTES)
    if "list" in name:
        return [draw.choice(TEXTS) for _ in range(draw.randrange(3))]
    if "bool" in name:
        return draw.random() < 0.5
    if "float" in name:
        return draw.choice(REALS)
    return number(draw) if "int" in name else draw.choice(TEXTS)


def wrong(draw: Random, kinds: tuple[type[say.Message], ...]) -> bytes:
    """A message of one of the kinds, with contents that its type may or may not allow."""
    kind = draw.choice(kinds)
    values = [field(draw, each.type) for each in msgspec.structs.fields(kind)]
    if draw.random() < 0.05:
        values = values[: draw.randrange(9)]
    body = msgspec.msgpack.encode([kind.__struct_config__.tag, *values])
    flag = 0
    if draw.random() < 0.1:
        body, flag = zstandard.compress(body), 0x8000_0000
    return struct.pack(">I", len(body) | flag) + body


def damaged(draw: Random, data: bytes) -> bytes:
    """Bytes with some of them changed, left out, repeated or put in."""
    wire = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5))):
        at = draw.randrange(max(1, len(wire)))
        how = draw.randrange(5)
        if how == 0 and wire:
            wire[at] = draw.randrange(256)
        elif how == 1 and wire:
            wire[at] ^= 1 << draw.randrange(8)
        elif how == 2:
            del wire[at : at + draw.randrange(1, 8)]
        elif how == 3:
            wire[at:at] = draw.randbytes(draw.randrange(1, 8))
        else:
            wire[at:at] = wire[at : at + draw.randrange(1, 30)]
    return bytes(wire)


def rows(draw: Random, packer: RowPacker, after: int, fill: bool) -> bytes:
    """A message of rows that follow on `after`, or nearly, with contents that a screen would have to show."""
    seq = after
    batch = Batch([], [], [])
    for _ in range(draw.randrange(6)):
        seq = max(0, seq + draw.choice((1, 1, 1, 1, 1, 1, 1, 1, 2, 0, -1, 2**40)))
        step = draw.choice((0, 1, 2, 3, 10**12) * 20 + (2**62 - 1,))
        which = draw.randrange(3)
        text = draw.choice(TEXTS)[:200]
        if which == 0:
            # none, one, several, and now and then the same name again
            more = [draw.choice(TEXTS)[:200] for _ in range(draw.choice((0, 0, 1, 3)))]
            names = () if draw.random() < 0.05 else (text, *more)
            batch.scalars.append(ScalarRow(seq, step, names, tuple(draw.choice(REALS) for _ in names)))
        elif which == 1:
            blob = draw.choice(SIMILARITIES) if draw.random() < 0.6 else draw.choice(BYTES)
            kind = draw.choice(("similarity", "similarity", "condensation", "weights", text))
            how = draw.choice(("stored", "plain", "plain"))
            batch.frames.append(FrameRow(seq, step, kind, draw.choice(TEXTS)[:200], draw.randrange(2), blob, how))
        else:
            batch.events.append(
                EventRow(seq, step, text, draw.choice(TEXTS), draw.choice((0.0, 1e9, 2.5e11) * 10 + (-1e12, 1e12)))
            )
    last = seq + draw.choice((0, 0, 0, 0, 1, 5))
    return pack(say.Rows(after, last, fill, packer.pack(batch)))
