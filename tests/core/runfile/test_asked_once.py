"""What a list asks of a run file, it asks once; and what files have in common is believed of none that differs."""

from __future__ import annotations

import collections
import contextlib
import shutil
import sqlite3

import pytest
from recording import Recording

from condense_core.errors import RunFileError
from condense_core.runfile import schema
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.rows import DamagedError
from condense_core.runfile.schema import FILE_NAME, has_table, open_reader, version_of
from condense_core.runs.glance import no_base
from condense_core.runs.read_run import read
from condense_core.scenario.claims import Claim, Requirement


@pytest.fixture
def ended(tmp_path):
    claim = Claim(text="it condenses", requires=(Requirement(measure="lines", at_most=3),))
    recording = Recording(tmp_path, frames=4, kernels=(6, 4), claim=claim)
    recording.write()
    recording.finish()
    recording.close()
    return recording.folder


def test_a_run_in_a_list_takes_few_statements(ended, monkeypatch):
    asked: list[str] = []
    connect = schema._connect

    def traced(file, mode):
        connection = connect(file, mode)
        connection.set_trace_callback(asked.append)
        return connection

    monkeypatch.setattr(schema, "_connect", traced)
    _, lasting = read(ended, no_base, (1, 1, 0, 0, 1), claims=True)
    assert lasting is not None
    assert lasting.claim is not None
    begun = collections.Counter(" ".join(text.split()[:6]) for text in asked)
    # the first frames of two kinds of two layers
    assert begun.pop("SELECT seq, step FROM frame WHERE") == 4
    # begin, version, tables, row, layouts, scalars, places
    assert len(begun) == begun.total() == 7


def test_what_is_known_of_an_open_file_is_what_is_in_it(ended):
    with contextlib.closing(sqlite3.connect(ended / FILE_NAME)) as writer:
        with contextlib.closing(open_reader(ended / FILE_NAME)) as live:
            assert version_of(live) == version_of(writer) == schema.VERSION
            assert not has_table(live, "hole")
            writer.execute("CREATE TABLE hole (after INTEGER, last INTEGER)")
            writer.commit()
            assert has_table(live, "hole")
        with contextlib.closing(open_reader(ended / FILE_NAME, still=True)) as still:
            assert has_table(still, "hole")
            assert not has_table(still, "mirror")
        # one that a module of SQLite's makes up is none
        writer.execute("CREATE VIRTUAL TABLE mirror USING fts5(host)")
        writer.commit()
    for moment in (False, True):
        with contextlib.closing(open_reader(ended / FILE_NAME, still=moment)) as connection:
            assert not has_table(connection, "mirror")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE place SET kind = 'spectrum' WHERE id = 1", "row 1 has a wrong checksum|a name twice"),
        ("UPDATE place SET layer = 'conv9' WHERE id = 1", "row 1 has a wrong checksum"),
        ("UPDATE place SET id = 99 WHERE id = 1", "row 99 has a wrong checksum"),
    ],
)
def test_places_of_another_file_are_not_believed_of_a_damaged_one(ended, tmp_path, change, why):
    other = shutil.copytree(ended, tmp_path / "other") / FILE_NAME
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute(change)
        connection.commit()
    for _ in range(2):
        with contextlib.closing(open_reader(ended / FILE_NAME, still=True)) as connection:
            assert FrameTable(connection).measured_layers() == ("conv1", "conv2")
        with contextlib.closing(open_reader(other, still=True)) as connection, pytest.raises(DamagedError, match=why):
            FrameTable(connection).measured_layers()


def test_more_places_than_are_kept_are_read_all_the_same(ended, monkeypatch):
    monkeypatch.setattr("condense_core.runfile.place_rows.MOST_KEPT", 2)
    with contextlib.closing(open_reader(ended / FILE_NAME, still=True)) as connection:
        assert FrameTable(connection).measured_layers() == ("conv1", "conv2")


def test_layouts_of_another_file_are_not_believed_of_a_damaged_one(ended, tmp_path):
    other = shutil.copytree(ended, tmp_path / "other")
    with contextlib.closing(sqlite3.connect(other / FILE_NAME)) as connection:
        connection.execute("UPDATE layout SET names = replace(names, 'conv1', 'conv9')")
        connection.commit()
    for _ in range(2):
        assert read(ended, no_base, None, claims=False)[0].trouble == ""
        assert "layout: row 1 has a wrong checksum" in read(other, no_base, None, claims=False)[0].trouble


def test_a_reader_cannot_write_however_it_is_opened(ended):
    for alone in (False, True):
        with contextlib.closing(open_reader(ended / FILE_NAME, alone=alone)) as connection:
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                connection.execute("CREATE TABLE other (x)")
            with pytest.raises(sqlite3.Error, match=r"too big|too large|string or blob"):
                connection.execute("SELECT zeroblob(?)", (schema.LONGEST_VALUE + 1,)).fetchone()
    with pytest.raises(RunFileError, match="no run file"):
        open_reader(ended / "nothing.sqlite")
