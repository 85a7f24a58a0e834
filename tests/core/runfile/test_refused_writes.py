"""Disks that are full or fail, and folders that may not be written or read: what a run says, and what is left."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from condense_core.errors import RunFileError
from condense_core.remote.server.source import RunSource
from condense_core.runfile import scalars, schema
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs import create, place
from condense_core.runs.create import create_run


def test_a_run_in_a_folder_that_cannot_be_written_can_be_read(folder, monkeypatch):
    """SQLite then cannot make its shared memory, which root would not notice: the first way of opening is refused."""
    writer = RunWriter(folder)
    writer.append(StepRecord(3, [("loss", 1.0)], [], []))
    writer.close()
    connect = schema._connect
    tried = []

    def read_only_folder(file, mode):
        tried.append(mode)
        if mode == "ro":
            raise sqlite3.OperationalError("unable to open database file")
        return connect(file, mode)

    monkeypatch.setattr(schema, "_connect", read_only_folder)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with RunReader(folder) as run:
        assert run.last("loss") == 1.0
    assert tried == ["ro", "ro&immutable=1"]


def test_a_place_that_cannot_be_written_says_where_to_go(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(RunFileError, match="--runs-dir"):
        place.new_run_folder(blocker / "runs", "x")


def test_whatever_a_disk_refuses_while_a_run_is_written_is_one_line_that_names_it(folder):
    with pytest.raises(RunFileError, match=f"cannot write {folder / FILE_NAME}: database or disk is full"):  # noqa: SIM117
        with schema.writer(folder / FILE_NAME) as connection:
            connection.execute("PRAGMA max_page_count = 1")
            connection.execute("INSERT INTO event VALUES (9999, 0, 'note', ?, 0)", ("x" * 100_000,))


def test_a_run_that_cannot_be_written_to_its_end_leaves_no_folder(small, tmp_path, monkeypatch):
    def full(file):
        connection = open_(file)
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    open_ = schema.open_writer
    monkeypatch.setattr(schema, "open_writer", full)
    with pytest.raises(RunFileError, match="database or disk is full"):
        create_run(small, runs=tmp_path / "new", device="c" * 100_000)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_run_that_may_not_be_read_hides_no_other(make_run, monkeypatch):
    closed, open_ = make_run("name=closed"), make_run("name=open")
    is_file = Path.is_file

    def may_not(path: Path) -> bool:
        if path.parent == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", may_not)  # whoever runs the tests as root may read everything
    assert set(place.run_folders(open_.parent)) == {closed, open_}
    with pytest.raises(RunFileError, match=r"cannot read .*: Permission denied"):
        RunReader(closed)


def test_a_run_that_cannot_be_made_leaves_no_folder_behind(small, tmp_path, monkeypatch):
    def full(file: Path) -> None:
        file.touch()
        raise RunFileError(f"cannot write {file}: database or disk is full")

    monkeypatch.setattr("condense_core.runs.create.create", full)
    with pytest.raises(RunFileError, match="disk is full"):
        create_run(small, runs=tmp_path / "runs")
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_lost_on_a_full_disk_says_so(folder, monkeypatch):
    writer = RunWriter(folder)
    writer.update(status="running")
    writer.close()
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 0))
    with RunReader(folder) as run:
        assert run.info().status == "lost"
        assert run.info().reason == f"the disk of {folder} is full"


@pytest.mark.parametrize("kind", ["a full disk", "a quota"])
def test_a_run_is_not_resumed_on_a_full_disk(folder, monkeypatch, kind):
    with schema.writer(folder / FILE_NAME) as connection:
        connection.execute("UPDATE run SET status = 'stopped'")
    with monkeypatch.context() as patch:
        if kind == "a quota":

            def refuse(*_):
                raise OSError(errno.EDQUOT, "Disk quota exceeded")

            patch.setattr(create.os, "posix_fallocate", refuse)
        else:
            patch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 5_000))
        with pytest.raises(RunFileError, match="free some space first") as caught:
            create.ready_to_resume(folder)
        assert ("5,000 bytes are free" if kind == "a full disk" else "Disk quota exceeded") in str(caught.value)
        assert read_run(folder).status == "stopped"
    assert create.ready_to_resume(folder).status == "stopped"


@pytest.mark.parametrize("opened", [RunWriter, RunSource, RunReader])
def test_a_disk_that_fails_right_after_a_run_file_was_opened_is_one_line(folder, monkeypatch, opened):
    """As one that was full when a worker began: its traceback then found no room in the log."""

    def refuse(_):
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorname = "SQLITE_CANTOPEN"
        raise error

    monkeypatch.setattr(scalars, "version_of", refuse)
    with pytest.raises(RunFileError, match=r"^cannot read .*: unable to open database file$"):
        opened(folder)
