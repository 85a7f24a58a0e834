"""Frames sent as changes come back bit by bit, whatever their bytes, and small where little changed."""

from __future__ import annotations

import numpy as np
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from condense_core.remote.wire.changes import changed, changes, planes, whole
from condense_core.remote.wire.rows import Batch, FrameRow, RowPacker, RowUnpacker, stored_or_plain
from condense_core.runfile.frames import Alignment, Array, Condensation, encode
from condense_core.runfile.rows import ScalarRow


def plain(frame) -> bytes:
    return zstandard.decompress(encode(frame))


def condensation(kernels: int, seed: int) -> Condensation:
    draw = np.random.default_rng(seed)
    return Condensation(
        kernels=kernels,
        kept=kernels,
        lines=1,
        lines_coarse=1,
        directions=2,
        coverage=draw.random(),
        mean_abs_cos=draw.random(),
        pair_abs_cos=draw.random(),
        null_coverage=0.2,
        null_abs_cos=0.5,
        condensed=False,
        sizes=(kernels,),
        label=Array.of(draw.integers(-2, 3, kernels), "i2"),
        sign=Array.of(draw.choice([-1, 1], kernels), "i1"),
        norm=Array.of(draw.normal(size=kernels) * 1e-5, "f4"),
    )


frames = st.one_of(
    st.builds(lambda kernels, seed: plain(condensation(kernels, seed)), st.integers(0, 40), st.integers(0, 9)),
    st.builds(lambda values: plain(Array.of(values, "f8")), st.lists(st.floats(), max_size=5)),
    st.binary(max_size=60),
)


@given(frames, frames, st.randoms(use_true_random=False))
def test_any_bytes_of_one_length_come_back(before, now, random):
    now = (now + random.randbytes(len(before)))[: len(before)]
    difference = changes(now, before)
    assert len(difference) == len(before)
    assert changed(difference, before) == now


@given(st.integers(0, 9), st.integers(0, 9))
def test_a_frame_comes_back_from_the_one_before(one, other):
    before, now = plain(condensation(32, one)), plain(condensation(32, other))
    if len(before) == len(now):
        assert changed(changes(now, before), before) == now


@given(st.binary(max_size=64), st.sampled_from([1, 2, 4, 8]))
def test_planes_are_whole_again(data, size):
    data = data[: len(data) // size * size]
    assert whole(planes(data, size), size) == data


def test_the_highest_bytes_come_first():
    assert planes(bytes.fromhex("0102 0304"), 2) == bytes.fromhex("0204 0103")


def instants(count: int):
    """A layer of 32 kernels that turns slowly, as a recorded run has it."""
    draw = np.random.default_rng(0)
    cosine, speed, seq = draw.uniform(-1, 1, 32), draw.normal(size=32) * 1e-3, 0
    for step in range(count):
        cosine = np.clip(cosine + speed, -1, 1)
        names = tuple(f"conv1.measure{at}" for at in range(16))
        scalars = [ScalarRow(seq, step, names, tuple(map(float, np.float32(cosine[:16]))))]
        blob = encode(Alignment.of(cosine, mean_abs_cos=0.5, ratio=0.5))
        yield Batch(scalars, [FrameRow(seq + 16, step, "alignment", "conv1", 1, *stored_or_plain(blob))], [])
        seq += 17


def test_an_instant_costs_little_more_than_its_noise():
    packer, unpacker = RowPacker(), RowUnpacker()
    sizes = []
    for instant in instants(60):
        packed = packer.pack(instant)
        sizes.append(len(packed))
        found = unpacker.unpack(packed)
        assert found.scalars == instant.scalars
        assert [zstandard.decompress(row.blob) for row in found.frames] == [row.blob for row in instant.frames]
    # 48 numbers that all move: sent as they are recorded 192 bytes, and what stands around them another 300
    assert np.median(sizes[20:]) < 160


def test_a_probe_that_rests_now_and_then_costs_no_more():
    """Scalars are sent as changes to the last of their name, also where the message before had others."""
    packer = RowPacker()
    whole_ones, sizes = list(instants(80)), []
    for place, instant in enumerate(whole_ones):
        (row,) = instant.scalars
        few = Batch([row._replace(names=row.names[:3], values=row.values[:3])], [], [])
        batch = instant if place % 2 else few
        sizes.append(len(packer.pack(batch)))
    assert np.median(sizes[41::2]) < 1.3 * 160
