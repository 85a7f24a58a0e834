"""A damaged byte is not read as another frame or value: what is damaged is refused, or left out with a word."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
from one_byte import OneByte, Part
from recording import Recording
from support import change

from condense_core.errors import RunFileError
from condense_core.runfile import checksums
from condense_core.runfile.damage import Damage
from condense_core.runfile.frame_table import LOST, FrameTable
from condense_core.runfile.reader import RunReader
from condense_core.runfile.rows import ScalarRow
from condense_core.runfile.scalars import scalars_of
from condense_core.runfile.schema import FILE_NAME
from condense_core.runs.glance import glance
from condense_core.runs.thinning import thin

DAMAGED = 150


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    found = Recording(tmp_path, frames=6, kernels=(6, 4))
    found.write()
    found.finish()
    found.close()
    return found


def frame_where(kind: str, layer: str, step: int) -> str:
    return f"step = {step} AND place = (SELECT id FROM place WHERE kind = '{kind}' AND layer = '{layer}')"


def test_a_checksum_is_of_all_that_stands_in_a_row():
    begin = checksums.of_names("similarity", "conv1")
    stored = checksums.with_checksum(b"data", begin, 7, 100, 1)
    assert stored.startswith(b"data")
    assert checksums.is_whole(stored, begin, 7, 100, 1)
    for at in range(len(stored)):
        for bit in range(8):
            other = stored[:at] + bytes([stored[at] ^ 1 << bit]) + stored[at + 1 :]
            assert not checksums.is_whole(other, begin, 7, 100, 1)
    for numbers in ((8, 100, 1), (7, 101, 1), (7, 100, 0)):
        assert not checksums.is_whole(stored, begin, *numbers)
    for names in (("similarity", "conv2"), ("similarityconv1",), ("similarity", "conv1", ""), ("similarity\0conv1",)):
        assert not checksums.is_whole(stored, checksums.of_names(*names), 7, 100, 1)
    assert not checksums.is_whole(b"", begin, 7, 100, 1)


@pytest.mark.parametrize("part", ["frames", "scalars"])
def test_one_wrong_byte_is_never_read_as_something_else(recording, part: Part):
    file, draw = OneByte(recording.folder, part), Random(5)
    found = Counter(file.damaged(draw) for _ in range(DAMAGED))
    assert found["wrong"] == 0
    assert found["said"] > 0.9 * DAMAGED
    assert file.outcome() == "same"


def test_without_checksums_wrong_bytes_are_read_as_something_else(tmp_path):
    """What the test before counts is there."""
    old = Recording(tmp_path, frames=6, kernels=(6, 4), format_=4)
    old.write()
    old.close()
    for part, draw in (("frames", Random(5)), ("scalars", Random(5))):
        file = OneByte(old.folder, part)
        assert any(file.damaged(draw) == "wrong" for _ in range(DAMAGED))


MOVES = {
    "content": "UPDATE frame SET blob = flip(blob, 20) WHERE {}",
    "step": "UPDATE frame SET step = step - 1 WHERE {}",
    "layer": "UPDATE frame SET place = (SELECT id FROM place WHERE kind = 'condensation' AND layer = 'conv2') WHERE {}",
    "key": "UPDATE frame SET key = 0 WHERE {}",
}


@pytest.mark.parametrize("how", MOVES)
def test_a_frame_is_refused_by_name_and_all_others_are_read(recording, how):
    folder, last = recording.folder, int(recording.steps[-1])
    with RunReader(folder) as run:
        before = [run.spectrum("conv1", step) for step in recording.steps], run.curve("loss")[1].tolist()
    if how == "layer":
        change(folder, f"DELETE FROM frame WHERE {frame_where('condensation', 'conv2', last)}")
    change(folder, MOVES[how].format(frame_where("condensation", "conv1", last)))
    damage = Damage(left_out=True)
    with RunReader(folder) as run, RunReader(folder, damage=damage) as viewer:
        layer = "conv2" if how == "layer" else "conv1"
        with pytest.raises(RunFileError) as caught:
            run.condensation(layer, last)
        of = "condensation of conv1" if how != "layer" else "condensation of conv2"
        at = last - 1 if how == "step" else last
        assert (
            str(caught.value) == f"cannot read {folder / FILE_NAME}: it is damaged ({of} at step {at}: wrong checksum)"
        )
        assert damage.text == ""
        assert viewer.condensation(layer, last) is None
        assert damage.text == f"left out, since it is damaged: {of} at step {at}"
        assert viewer.condensation(layer, int(recording.steps[-3])) is not None
        assert ([run.spectrum("conv1", step) for step in recording.steps], run.curve("loss")[1].tolist()) == before


def test_a_matrix_that_builds_on_a_damaged_one_is_not_shown(recording):
    first, second, third = (int(step) for step in recording.steps[:3])
    change(
        recording.folder, f"UPDATE frame SET blob = flip(blob, 20) WHERE {frame_where('similarity', 'conv1', second)}"
    )
    with RunReader(recording.folder) as run:
        assert run.similarity("conv1", first) is not None
        with pytest.raises(RunFileError, match=rf"similarity of conv1 at step {second}: wrong checksum"):
            run.similarity("conv1", third)


SPOILT_SCALARS = {
    "value": "UPDATE scalar SET data = flip(data, 3) WHERE step = {}",
    "step": "UPDATE scalar SET step = step + 1 WHERE step = {}",
}


@pytest.mark.parametrize("how", SPOILT_SCALARS)
def test_a_damaged_row_of_scalars_is_a_gap_with_a_word_and_refused_to_whoever_computes(recording, how):
    folder, steps = recording.folder, recording.steps.tolist()
    change(folder, SPOILT_SCALARS[how].format(steps[-1]))
    damage = Damage(left_out=True)
    with RunReader(folder) as run, RunReader(folder, damage=damage) as viewer:
        at = steps[-1] + (how == "step")
        for ask in (lambda: run.curve("loss"), lambda: run.newest("accuracy"), lambda: run.newest_step):
            with pytest.raises(RunFileError, match=rf"it is damaged \(scalars at step {at}: wrong checksum\)$"):
                ask()
        assert viewer.newest("loss") == viewer.curve("loss")[1][-1]
        for name in viewer.curve_names:
            assert viewer.curve(name)[0].tolist() == steps[:-1]
        assert damage.text == f"left out, since it is damaged: scalars at step {at}"
    seen = glance(folder)
    left_out = f"left out, since it is damaged: scalars at step {at}"
    assert seen.trouble == f"cannot read all of {folder / FILE_NAME}; {left_out}"
    assert len(seen.loss) == len(steps) - 1


def test_a_list_goes_on_without_a_damaged_frame_of_several_seeds(tmp_path):
    several = Recording(tmp_path, frames=6, kernels=(6, 4), members=3)
    several.write()
    several.finish()
    several.close()
    before = glance(several.folder)
    last = several.steps[-1]
    change(several.folder, f"UPDATE frame SET blob = flip(blob, 20) WHERE {frame_where('members', '', last)}")
    seen = glance(several.folder)
    assert seen.trouble.endswith(f"left out, since it is damaged: members at step {last}")
    assert [layer.seeds for layer in seen.layers] == [layer.seeds for layer in before.layers] == [3, 3]


def test_all_that_reads_a_curve_leaves_out_the_same(recording):
    steps = recording.steps.tolist()
    change(recording.folder, f"UPDATE scalar SET data = flip(data, 3) WHERE step = {steps[0]}")
    change(recording.folder, f"UPDATE scalar SET data = flip(data, 3) WHERE step = {steps[3]}")
    with contextlib.closing(sqlite3.connect(recording.folder / FILE_NAME)) as connection:
        left = [step for step in steps if step not in (steps[0], steps[3])]
        readers: list[Callable[[], list[int]]] = [
            lambda: [step for found in scalars_of(connection).stretches("loss", 0) for step in found.steps],
            lambda: [point.step for point in scalars_of(connection).sample("loss", 24)],
            lambda: list(scalars_of(connection).whole().curve("loss").steps),
            lambda: [scalars_of(connection).first("loss").step, *left[1:]],
            lambda: [scalars_of(connection).first("loss", 1).step, *left[1:]],
        ]
        for read in readers:
            assert read() == left


def test_what_is_written_later_is_looked_at_as_well(tmp_path):
    growing = Recording(tmp_path, frames=8, kernels=(6, 4))
    growing.write(4)
    with RunReader(growing.folder, damage=Damage(left_out=True)) as run:
        assert len(run.curve("loss")[0]) == 4
        growing.write()
        change(growing.folder, f"UPDATE scalar SET data = flip(data, 3) WHERE step = {growing.steps[6]}")
        assert run.curve("loss")[0].tolist() == np.delete(growing.steps, 6).tolist()
        assert f"scalars at step {growing.steps[6]}" in run.damage.text
    growing.close()


def test_a_copy_of_a_damaged_frame_is_damaged(recording, tmp_path):
    last = int(recording.steps[-1])
    change(recording.folder, f"UPDATE frame SET blob = flip(blob, 20) WHERE {frame_where('alignment', 'conv1', last)}")
    with contextlib.closing(sqlite3.connect(recording.folder / FILE_NAME)) as connection:
        rows = list(FrameTable(connection).rows(0, 2**62))
    assert [(row.kind, row.layer, row.step) for row in rows if row.blob == LOST] == [("alignment", "conv1", last)]
    copy = Recording(tmp_path / "copy", frames=6, kernels=(6, 4))
    copy.close()
    with contextlib.closing(sqlite3.connect(copy.folder / FILE_NAME)) as connection:
        FrameTable(connection).put(rows)
        connection.commit()
    with RunReader(copy.folder) as run, pytest.raises(RunFileError, match="alignment of conv1"):
        run.alignment("conv1")


def test_a_row_of_scalars_that_is_damaged_is_not_copied(recording):
    change(recording.folder, f"UPDATE scalar SET data = flip(data, 3) WHERE step = {recording.steps[2]}")
    with contextlib.closing(sqlite3.connect(recording.folder / FILE_NAME)) as connection:
        rows: list[ScalarRow] = []
        with pytest.raises(ValueError, match=f"scalars at step {recording.steps[2]} have a wrong checksum"):
            rows += scalars_of(connection).rows(0, 2**62)


def test_a_thinned_file_has_right_checksums(tmp_path):
    recording = Recording(tmp_path, frames=30, kernels=(6, 4))
    recording.write()
    recording.close()
    thin(recording.folder / FILE_NAME, 10)
    with RunReader(recording.folder) as run:
        steps = run.instants.tolist()
        assert 2 < len(steps) < len(recording.steps)
        for layer in run.layers:
            for step in steps:
                assert run.similarity(layer, step) is not None
                assert run.condensation(layer, step) is not None
