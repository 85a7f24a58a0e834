"""Run files that others made or damaged: one line that says what is wrong, and nothing that steers a terminal."""

from __future__ import annotations

import contextlib
import sqlite3

import msgspec
import numpy as np
import pytest
import zstandard

from condense_core.errors import RunFileError
from condense_core.runfile import frames
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.levels import SimilarityEncoder
from condense_core.runfile.reader import RunReader
from condense_core.runfile.rows import StoredFrame
from condense_core.runfile.schema import FILE_NAME, open_writer
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs.summary import summarise


def test_a_newer_format_is_refused_with_both_versions(folder):
    with contextlib.closing(open_writer(folder / FILE_NAME)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(RunFileError, match="format 99, and this program reads up to 5"):
        RunReader(folder)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_run_file_is_refused(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(RunFileError):
        RunReader(tmp_path)


def test_a_damaged_row_is_an_error_in_one_line(folder):
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.execute("UPDATE run SET versions = 'not json'")
        connection.commit()
    with RunReader(folder) as run, pytest.raises(RunFileError, match="damaged"):
        run.info()


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"garbage",
        zstandard.compress(b"garbage"),
        zstandard.compress(msgspec.msgpack.encode({"kind": "elsewhere"})),
        zstandard.compress(b"\0" * (frames.LARGEST_FRAME + 1)),
        zstandard.compress(
            msgspec.msgpack.encode({"kind": "similarity", "kernels": 3, "side": -1, "key": True, "levels": b""})
        ),
        zstandard.compress(
            msgspec.msgpack.encode({"kind": "similarity", "kernels": 3, "side": 10**9, "key": True, "levels": b"123"})
        ),
    ],
    ids=["empty", "garbage", "no-msgpack", "unknown-kind", "bomb", "negative", "huge-side"],
)
def test_a_hostile_frame_is_refused(folder, blob):
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        FrameTable(connection).put([StoredFrame(1, 0, "similarity", "dense1", 1, blob)])
        connection.commit()
    with RunReader(folder) as run, pytest.raises(RunFileError, match=r"a recorded frame cannot be read|wrong checksum"):
        run.similarity("dense1")


COLUMNS = {
    "layout": ("names", "kinds", "checksum"),
    "scalar": ("step", "layout", "data"),
    "place": ("kind", "layer", "checksum"),
    "frame": ("step", "place", "blob"),
    "event": ("step", "kind", "text", "time"),
    "run": ("status", "versions", "heartbeat", "steps", "name"),
}


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in COLUMNS.items() for column in columns]
)
@pytest.mark.parametrize("value", [None, "text", b"blob", 1e999, 2**62])
def test_values_of_the_wrong_kind_are_an_error_in_one_line(make_run, table, column, value):
    folder = make_run()
    encoder = SimilarityEncoder()
    writer = RunWriter(folder)
    writer.append(StepRecord(0, [("loss", 1.0)], [("dense1", encoder.encode(np.eye(3), 3))], [("note", "text")]))
    writer.close()
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE type = 'table'")
        connection.commit()
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
        connection.commit()
    try:
        with RunReader(folder) as run:
            look_at_everything(run)
    except RunFileError as error:
        assert "\n" not in str(error)


def look_at_everything(run: RunReader) -> None:
    run.info()
    for name in run.curve_names:
        run.curve(name)
    for layer in run.layers:
        run.similarity(layer)
        run.condensation(layer)
    list(run.events)
    len(run.instants)
    summarise(run)


def test_an_error_from_a_hostile_file_cannot_steer_the_terminal(folder):
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = 'gibberish', name = ? WHERE type = 'index'", ("\x1b]0;x\x07",)
        )
        connection.commit()
    with pytest.raises(RunFileError) as caught, RunReader(folder) as run:
        run.info()
    assert "\x1b" not in str(caught.value)
    assert "\x07" not in str(caught.value)


def test_text_of_a_file_cannot_steer_the_terminal(folder):
    writer = RunWriter(folder)
    writer.append(StepRecord(0, [("\x1b[2Jloss", 1.0)], [], [("k\x07ind", "\x1b]0;owned\x07\u202etext\nmore")]))
    writer.close()
    with RunReader(folder) as run:
        (event,) = run.events
        assert event.kind == "kind"
        assert event.text == "]0;ownedtext more"
        assert run.curve_names == ("[2Jloss",)


def test_of_text_that_is_none_an_error_does_not_repeat_everything(folder):
    with contextlib.closing(open_writer(folder / FILE_NAME)) as connection:
        connection.execute("UPDATE run SET experiment = CAST(x'ff' || experiment AS TEXT)")
    with pytest.raises(RunFileError, match=r"it is damaged \(Could not decode to UTF-8 column 'experiment'\)$"):
        RunReader(folder).info()
