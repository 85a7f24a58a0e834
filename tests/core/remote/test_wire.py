"""Messages survive any cut of the stream; rows come back bit by bit; limits hold whatever the bytes claim."""

from __future__ import annotations

import math
import struct

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from condense_core.remote.wire import messages as say
from condense_core.remote.wire import rows as row_messages
from condense_core.remote.wire.framing import (
    GREETING,
    LARGEST_TO_CLIENT,
    LARGEST_TO_SERVER,
    MOST_NOISE,
    Greeting,
    WireError,
    from_client,
    from_server,
    pack,
)
from condense_core.remote.wire.rows import Batch, EventRow, FrameRow, RowPacker, RowUnpacker
from condense_core.runfile import frames
from condense_core.runfile.rows import LARGEST_STEP, LATEST, ScalarRow


@given(st.lists(st.integers(1, 40)), st.binary(max_size=200).filter(lambda noise: GREETING not in noise))
def test_messages_come_back_however_the_stream_is_cut(cuts, noise):
    sent = [
        say.Hello(say.PROTOCOL, "1.0", "far", "3.11", ["torch"], "/runs"),
        say.Refused(3, "x" * 1_500, 2),
        say.Rows(0, 9, True, bytes(range(256)) * 8),
        say.Pong(7),
    ]
    stream = noise + GREETING + b"".join(map(pack, sent))
    unpacker, received = from_server(), []
    for length in [*cuts, len(stream)]:
        received += unpacker.feed(stream[:length])
        stream = stream[length:]
    assert received == sent


def test_a_long_message_is_compressed():
    assert len(pack(say.StartRun(1, "steps = 1\n" * 10_000, "", "", "cpu"))) < 1_000


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">I", LARGEST_TO_SERVER + 1),
        struct.pack(">I", 0x7FFF_FFFF),
        struct.pack(">I", 5) + b"gibberish",
        struct.pack(">I", 1) + b"\xc1",
        struct.pack(">I", 3 | 0x8000_0000) + b"abc",
        pack(say.Pong(3)),
    ],
)
def test_what_is_no_message_is_refused_at_once(data):
    with pytest.raises(WireError):
        from_client().feed(data)


def test_a_bomb_is_not_opened():
    bomb = zstandard.compress(b"\0" * (LARGEST_TO_CLIENT + 1))
    with pytest.raises(WireError, match="beyond"):
        from_server().feed(GREETING + struct.pack(">I", len(bomb) | 0x8000_0000) + bomb)


def test_what_a_shell_prints_is_passed_over_but_not_for_ever():
    unpacker = from_server()
    assert unpacker.feed(b"Last login: today\r\n\x1b[31mYou have mail.\n") == []
    assert not unpacker.greeted
    assert unpacker.noise == "[31mYou have mail."
    with pytest.raises(WireError, match="before condense-tui's greeting"):
        unpacker.feed(b"y\n" * MOST_NOISE)


@pytest.mark.parametrize("piece", [1_000_000, 65_536, 1_000, 7])
@pytest.mark.parametrize(("before", "much"), [(MOST_NOISE, False), (MOST_NOISE + 1, True), (100_000, True)])
def test_how_much_a_shell_may_print_does_not_hang_on_how_it_arrives(before, much, piece):
    data = b"y" * (before - 5) + b"\nlast" + GREETING + pack(say.Pong(3))
    greeting = Greeting(GREETING)
    pieces = (data[at : at + piece] for at in range(0, len(data), piece))
    if much:
        with pytest.raises(WireError, match=r"they end with 'last'\)|they end with 'y"):
            [*map(greeting.after, pieces)]
        assert not greeting.heard
    else:
        assert b"".join(map(greeting.after, pieces)) == pack(say.Pong(3))


def same(one: Batch, other: Batch) -> bool:
    def bits(batch: Batch) -> list[tuple[object, ...]]:
        return [
            (row.seq, row.step, row.names, struct.pack(f"<{len(row.values)}d", *row.values)) for row in batch.scalars
        ]

    return bits(one) == bits(other) and one.frames == other.frames and one.events == other.events


numbers, steps = st.integers(0, 2**62 - 1), st.integers(0, LARGEST_STEP)
names = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=8)
pairs = st.lists(st.tuples(names, st.floats() | st.sampled_from([math.nan, -0.0])), min_size=1, max_size=4)
scalars = st.builds(lambda seq, step, found: ScalarRow(seq, step, *zip(*found, strict=True)), numbers, steps, pairs)
blobs = st.binary(max_size=300).map(zstandard.ZstdCompressor(level=1).compress)
frame_rows = st.builds(FrameRow, numbers, steps, st.sampled_from(["similarity", "spectrum"]), names, st.just(1), blobs)
events = st.builds(EventRow, numbers, steps, names, names, st.floats(0, LATEST))
batches = st.builds(
    Batch, st.lists(scalars, max_size=5), st.lists(frame_rows, max_size=5), st.lists(events, max_size=2)
)


@given(st.lists(batches, max_size=6))
def test_rows_come_back_bit_by_bit(sent):
    packer, unpacker = RowPacker(), RowUnpacker()
    for batch in sent:
        travelling = [
            FrameRow(row.seq, row.step, row.kind, row.layer, row.key, *row_messages.stored_or_plain(row.blob))
            for row in batch.frames
        ]
        assert same(unpacker.unpack(packer.pack(Batch(batch.scalars, travelling, batch.events))), batch)


def test_a_frame_as_large_as_a_run_file_may_hold_travels():
    blob = zstandard.compress(bytes(frames.LARGEST_FRAME), level=1)
    row = FrameRow(1, 0, "weights", "", 1, *row_messages.stored_or_plain(blob))
    assert row.how == "plain"
    found = RowUnpacker().unpack(RowPacker().pack(Batch([], [row], []))).frames[0]
    assert found.blob == zstandard.ZstdCompressor(level=1).compress(bytes(frames.LARGEST_FRAME))


def test_rows_of_one_scalar_travel_as_the_protocol_before_has_them():
    rows = [ScalarRow(at, 5, (f"x{at}",), (0.1,)) for at in range(1, 5)]
    fields = msgspec.msgpack.decode(zstandard.decompress(RowPacker().pack(Batch(rows, [], []))))
    assert fields[-1] == []
    # as that protocol sends them, without the last field
    raw = zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(fields[:-1]))
    assert RowUnpacker().unpack(raw).scalars == rows


@pytest.mark.parametrize("counts", [[1], [1, 1, 1, 1], [3, 0], [0], [2**61], [2]])
def test_rows_that_do_not_share_out_their_values_are_refused(counts):
    fields = msgspec.msgpack.decode(
        zstandard.decompress(RowPacker().pack(Batch([ScalarRow(1, 5, ("a", "b", "c"), (1.0, 2.0, 3.0))], [], [])))
    )
    fields[-1] = counts
    with pytest.raises(WireError):
        RowUnpacker().unpack(zstandard.compress(msgspec.msgpack.encode(fields)))


def test_the_same_instant_again_costs_next_to_nothing():
    packer = RowPacker()
    names, values = zip(*((f"conv1.scalar{at}", 0.1 * at) for at in range(1, 100)), strict=True)
    instant = Batch([ScalarRow(1, 5, names, values)], [], [])
    first, second = len(packer.pack(instant)), len(packer.pack(instant))
    assert second < first / 10
