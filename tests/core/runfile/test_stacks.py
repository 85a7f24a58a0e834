"""Frames of several seeds as one row: what is read of each is what rows of its own say."""

from __future__ import annotations

import contextlib
import sqlite3
from functools import partial
from pathlib import Path
from unittest import mock

import msgspec
import numpy as np
import pytest
import zstandard
from support import need_module, rows, trained_here

from condense_core.errors import RunFileError
from condense_core.runfile import checksums, frames, schema, stacks
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.levels import SimilarityEncoder
from condense_core.runfile.places import layer_and_member, place, place_of_several, several, stretches
from condense_core.runfile.reader import RunReader
from condense_core.runfile.rows import LONGEST_NAME, StoredFrame
from condense_core.runfile.schema import FILE_NAME
from condense_core.runfile.stacks import Stack
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs.create import create_run
from condense_core.runs.thinning import thin
from condense_core.scenario import toml

MEMBERS = 4
# Seed 1 ends at one measured step, and seed 3 at another.
DROPS = {6: [1], 14: [3]}


# Only the third is left.
ALL_BUT_ONE = {6: [1], 14: [0, 3]}


def trained(runs: Path, format_: int, drops: dict[int, list[int]] = DROPS) -> Path:
    from support import SMALL

    settings = f"ensemble.members={MEMBERS}", "steps=40", "record.frames=20", "record.steps=[6, 14]"
    experiment = toml.build(toml.override(toml.parse(SMALL), settings))
    with mock.patch("condense_core.runs.create.create", partial(schema.create, version=format_)):
        folder = create_run(experiment, runs=runs, device="cpu")
    trained_here(folder, drops)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """One training, recorded in the format that has rows of several seeds, and in the one before."""
    need_module("torch")
    root = tmp_path_factory.mktemp("runs")
    return {format_: trained(root / str(format_), format_) for format_ in (3, schema.VERSION)}


def stored(folder: Path) -> list[tuple[str, str, int]]:
    with contextlib.closing(schema.open_reader(folder / FILE_NAME)) as connection:
        return [(row.kind, row.layer, row.step) for row in FrameTable(connection).rows(0, 2**62)]


def test_each_seed_reads_what_rows_of_its_own_say(folders):
    old, new = folders[3], folders[schema.VERSION]
    assert rows(new) == rows(old)
    assert len(stored(new)) < len(stored(old)) / 2
    with RunReader(old) as before, RunReader(new) as now:
        assert before.layers == now.layers == ("dense1",)
        for number in range(MEMBERS):
            one, other = before.member(number), now.member(number)
            assert other.weight_steps.tolist() == one.weight_steps.tolist()
            assert other.similarity_steps("dense1") == one.similarity_steps("dense1")
            for step in [*one.similarity_steps("dense1"), 15, 10**6]:
                np.testing.assert_array_equal(other.similarity("dense1", step), one.similarity("dense1", step))
                for kind in ("condensation", "alignment", "spectrum", "singular"):
                    assert other.frame(kind, "dense1", step) == one.frame(kind, "dense1", step)
                    assert other.step_of(kind, "dense1", step) == one.step_of(kind, "dense1", step)
            # a seed that ended before the others has its last frame where it ended
            last = {1: 6, 3: 14}.get(number, 40)
            assert other.step_of("condensation", "dense1") == last


def test_of_fewer_steps_each_seed_has_the_matrices_that_it_had(folders, tmp_path):
    alone = trained(tmp_path, schema.VERSION, ALL_BUT_ONE)
    assert ("similarity", "dense1@2", 40) in stored(alone)
    for which, folder in enumerate([*folders.values(), alone]):
        file = tmp_path / f"{which}.sqlite"
        file.write_bytes((folder / FILE_NAME).read_bytes())
        thin(file, 8)
        with RunReader(file) as thinned, RunReader(folder) as whole:
            assert len(thinned.instants) < len(whole.instants)
            for number in range(MEMBERS):
                one, other = whole.member(number), thinned.member(number)
                steps = other.similarity_steps("dense1")
                assert len(steps) > 3
                for step in steps:
                    np.testing.assert_array_equal(other.similarity("dense1", step), one.similarity("dense1", step))


def test_what_fits_no_row_is_in_several(make_run):
    """Many seeds that do not follow on each other have a name that is too long, and much of each a row that is."""
    folder = make_run("ensemble.members=900")
    members, side = tuple(range(0, 900, 2)), 80
    upper = np.random.default_rng(0).uniform(-1, 1, (len(members), side * (side + 1) // 2))
    stack = SimilarityEncoder().encode_members(upper, members, side, side)
    assert len(stack.pieces["levels"]) > stacks.ROW_BYTES
    writer = RunWriter(folder)
    writer.append(StepRecord(0, [("loss", 1.0)], [("dense1", stack)], []))
    writer.close()
    assert len(stored(folder)) > 10
    assert all(len(layer) <= LONGEST_NAME for _, layer, _ in stored(folder))
    with RunReader(folder) as run:
        for number in (0, 2, 448, 898):
            found = run.member(number).similarity("dense1")
            np.testing.assert_allclose(found[np.triu_indices(side)], upper[number // 2], atol=0.005)
        assert run.member(1).similarity("dense1") is None


@pytest.mark.parametrize("members", [(0,), (7,), (0, 1, 2), (0, 2, 3, 9), (1, 5)])
def test_a_name_says_whose_frames_a_row_has(members):
    name = place_of_several("conv1", members)
    of = several(name)
    if len(members) == 1:
        assert name == place("conv1", members[0])
        assert of is None
        assert layer_and_member(name) == ("conv1", *members)
        return
    assert of is not None
    assert of.layer == "conv1"
    assert tuple(number for number in range(20) if of.has(number)) == members
    (all_of_them,) = stretches("conv1", members, 99)
    assert members[all_of_them] == members


@pytest.mark.parametrize(
    "name", ["conv1", "conv1@3", "a@b", "conv1@", "conv1@1-", "conv1@1,", "conv1@-1-3", "conv1@x-2"]
)
def test_other_names_are_of_one_seed(name):
    assert several(name) is None


def place_checksum(number: int, name: str) -> bytes:
    return checksums.with_checksum(b"", checksums.of_names("similarity", name), number, 0)


def test_a_hostile_name_of_all_seeds_there_are_costs_nothing():
    of = several(f"conv1@{','.join(['0-999999999'] * 15)}")
    assert of is not None
    assert of.has(5)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["dense1@0-1", "dense1@0-1"], "a name twice"),
        ([f"dense1@0-1,{number}" for number in range(2, 4_099)], "more than 4,096 with one member"),
        (["dense1@0-1,3", "dense1@0,2"], "more than 3 stretches"),
    ],
    ids=["twice", "a member's", "stretches"],
)
def test_of_places_without_end_no_file_is_read(make_run, monkeypatch, names, why):
    """One open query each, a few hundred thousand were GB of memory."""
    monkeypatch.setattr("condense_core.runfile.place_rows.MOST_SPANS", 3 if "stretches" in why else 10**6)
    folder = make_run("ensemble.members=2")
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        every = [(number, name, place_checksum(number, name)) for number, name in enumerate(names, start=1)]
        connection.executemany("INSERT INTO place VALUES (?, 'similarity', ?, ?)", every[:-1])
        connection.commit()
        with RunReader(folder) as run:
            assert run.similarity("dense1") is None
            connection.execute("INSERT INTO place VALUES (?, 'similarity', ?, ?)", every[-1])
            connection.commit()
            with pytest.raises(RunFileError, match=why):
                run.similarity("dense1")


GOOD = {
    "kind": "stack",
    "of": "similarity",
    "members": [0, 1],
    "same": {"kernels": 2, "side": 2, "key": True},
    "pieces": {"levels": b"\x7f\x00\x7f" * 2},
}


@pytest.mark.parametrize(
    "change",
    [
        {"of": "weights"},
        {"members": []},
        {"members": [1, 2]},
        {"pieces": {"levels": b"12345"}},
        {"pieces": {"levels": b"12345678"}},
        {"each": {"kernels": [2]}},
        {"same": {"kernels": "many", "side": 2, "key": True}},
        {"same": {"side": 2, "key": True}},
        {"arrays": {"levels": ["f4", [1], b"1234"]}},
        {"of": "spectrum"},
        {"same": GOOD["same"] | {"more": 1}},
        {"same": GOOD["same"] | {"drawn_of": [[]] * 9}},
        {"each": {"kernels": [2, 2]}},
        {"each": {"drawn_of": [[[]], [[]]]}},
        {"each": {str(field): [1, 1] for field in range(33)}},
        {"members": [*range(4097)], "pieces": {"levels": b"\x7f\x00\x7f" * 4097}},
    ],
    ids=lambda change: str(change)[:60],
)
def test_a_damaged_row_of_several_seeds_is_one_error(make_run, change):
    folder = make_run("ensemble.members=2")
    for number, values in enumerate((GOOD, GOOD | change)):
        blob = zstandard.compress(msgspec.msgpack.encode(values))
        with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
            table = FrameTable(connection)
            if not number:
                table.put([StoredFrame(1, 0, "similarity", "dense1@0-1", 1, blob)])
            table.replace(1, 1, blob)
            connection.commit()
        with RunReader(folder) as run:
            if not number:
                assert run.similarity("dense1").tolist() == [[1, 0], [0, 1]]
                continue
            with pytest.raises(RunFileError, match="a recorded frame cannot be read"):
                run.similarity("dense1")


def test_one_frame_is_as_it_was():
    frame = SimilarityEncoder().encode(np.eye(3), 3)
    assert stacks.decode(frames.encode(frame)) == frame
    assert not isinstance(frame, Stack)
