"""Where mirrors lie, and what of one is there when a disk refuses, a copy is killed or the run is removed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from pairing import assert_same, following
from recording import Recording

from condense_core.errors import HostError, RunFileError, RunGoneError
from condense_core.remote.client import mirror
from condense_core.remote.client.mirror import LEFT_S, clear_leftovers, make_mirror_folder
from condense_core.remote.wire import messages as say
from condense_core.remote.wire.framing import WireError
from condense_core.runfile.info import read_run
from condense_core.runs import place


def test_a_mirror_lies_among_the_runs_and_is_found_by_its_id(far, near):
    recording = Recording(far, frames=3)
    with following(far, near, recording.folder.name):
        pass
    (folder,) = place.run_folders(near)
    assert folder.name == f"{recording.folder.name}@far"
    assert place.find_run(near, recording.folder.name) == folder
    assert place.find_run(near, recording.folder.name[-4:], whole=True) == folder
    assert oct(folder.stat().st_mode & 0o777) == "0o700"


def test_a_server_gives_no_mirrors_away(far, near):
    """A home that two machines share holds runs and mirrors of runs side by side."""
    recording = Recording(far, frames=3)
    with following(far, far, recording.folder.name) as link:
        mirror = link.folder.name
        runs, troubles = link.ask(say.ListRuns, say.Runs).unpacked()
        assert [info.id for info in runs] == [recording.folder.name]
        assert troubles == []
    with pytest.raises(WireError), following(far, near, mirror):
        pass


def test_another_run_of_the_same_name_is_not_mixed_in(far, near):
    recording = Recording(far, frames=3)
    recording.write()
    with following(far, near, recording.folder.name) as link:
        link.settle()
    recording.writer.update(created=1.0)
    with pytest.raises((HostError, RunFileError), match="another run"), following(far, near, recording.folder.name):
        pass


def test_only_one_viewer_here_keeps_a_mirror(far, near):
    recording = Recording(far, frames=3)
    with (
        following(far, near, recording.folder.name),
        pytest.raises(RunFileError, match="already"),
        following(far, near, recording.folder.name),
    ):
        pass


def test_a_mirror_is_whole_or_absent(far, near, monkeypatch):
    recording = Recording(far, frames=3)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"), following(far, near, recording.folder.name):
        pass
    assert place.run_folders(near) == []


def test_a_copy_that_the_disk_refused_in_part_is_not_put_in_place_without_its_journal(far, near, monkeypatch):
    """SQLite answers a refused change of its journal by the mode that it kept, and by no error."""
    recording = Recording(far, frames=3)
    recording.write()

    class Refused(sqlite3.Connection):
        def execute(self, *given):
            if given[0] != "PRAGMA journal_mode = DELETE":
                return super().execute(*given)
            (name,) = (row[2] for row in super().execute("PRAGMA database_list"))
            Path(f"{name}-journal").write_bytes(b"half")
            return super().execute("PRAGMA journal_mode")

    open_ = mirror.open_writer
    refused = lambda file: sqlite3.connect(file, isolation_level=None, factory=Refused)  # noqa: E731
    monkeypatch.setattr(mirror, "open_writer", refused)
    with pytest.raises(RunFileError, match="refused it"), following(far, near, recording.folder.name):
        pass
    assert place.run_folders(near) == []
    monkeypatch.setattr(mirror, "open_writer", open_)
    with following(far, near, recording.folder.name) as link:
        link.settle()
    assert_same(link.folder, recording.folder)
    assert not list(link.folder.glob(".*"))


def test_a_disk_that_fails_below_a_copy_is_one_line(far, near, monkeypatch):
    """Whatever statement is the first that the disk refuses."""
    recording = Recording(far, frames=3)
    recording.write()
    with following(far, near, recording.folder.name) as link:
        link.settle()

    class Failing(sqlite3.Connection):
        left = 0

        def execute(self, *given):
            Failing.left -= 1
            if Failing.left == 0:
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(*given)

    open_, info, refusals = mirror.open_writer, read_run(recording.folder), 0
    for at in range(1, 12):

        def opened(file, at=at):
            open_(file).close()
            Failing.left = at
            return sqlite3.connect(file, isolation_level=None, factory=Failing)

        monkeypatch.setattr(mirror, "open_writer", opened)
        try:
            copy = mirror.MirrorFile(link.folder, "far", info)
            copy.waiting_commands()
            copy.link("offline")
            copy.close()
        except RunFileError as error:
            refusals += 1
            assert "disk I/O error" in str(error)
    assert refusals >= 4
    monkeypatch.setattr(mirror, "open_writer", open_)
    with following(far, near, recording.folder.name) as link:
        link.settle()
    assert_same(link.folder, recording.folder)


def test_what_killed_copies_left_is_cleared_and_nothing_else(far, near):
    recording = Recording(far, frames=3)
    recording.write()
    recording.finish()
    with following(far, near, recording.folder.name) as link:
        link.settle()
        whole = link.folder
    half = near / "240101-000000-other-0000@far"
    young = near / "240101-000000-young-0000@far"
    parts = [whole / ".checkpoint.safetensors.partial", half / ".run.sqlite.partial", half / ".run.sqlite.partial-wal"]
    long_ago = time.time() - 2 * LEFT_S
    for folder in (half, young):
        folder.mkdir()
    for part in parts:
        part.write_bytes(b"x" * 1000)
        os.utime(part, (long_ago, long_ago))
    (young / ".run.sqlite.partial").write_bytes(b"being written")
    clear_leftovers(near)
    assert not any(part.exists() for part in parts)
    # the folder has just changed, so somebody may be at it
    assert half.is_dir()
    os.utime(half, (long_ago, long_ago))
    with following(far, near, recording.folder.name) as link:
        link.settle()
    assert sorted(folder.name for folder in near.iterdir()) == sorted([whole.name, young.name])
    assert list(young.iterdir()) == [young / ".run.sqlite.partial"]
    assert_same(whole, recording.folder)


def test_a_log_that_a_killed_copy_left_is_not_taken_for_the_new_ones(far, near):
    recording = Recording(far, frames=3)
    recording.write()
    recording.finish()
    folder = make_mirror_folder(near, "far", recording.folder.name)
    (folder / ".run.sqlite.partial").write_bytes(b"half")
    (folder / ".run.sqlite.partial-wal").write_bytes(b"a log")
    with following(far, near, recording.folder.name) as link:
        link.settle()
    assert not list(folder.glob(".*"))
    assert_same(folder, recording.folder)


def test_a_run_that_is_removed_there_ends_the_copy_and_is_asked_for_no_more(far, near):
    recording = Recording(far, frames=10)
    recording.write(4)
    with following(far, near, recording.folder.name) as link:
        link.settle()
        recording.close()
        shutil.rmtree(recording.folder)
        with pytest.raises(RunGoneError, match=f"was removed from .*replay {recording.folder.name}@far"):
            for _ in range(400):
                link.step()
                time.sleep(0.01)
    with pytest.raises(StopIteration):
        # the session says that there is no such run
        link.ask(lambda ask: say.Subscribe(ask, recording.folder.name, 0, False), say.Described)
    assert link.received[-1] == say.Refused(
        link.received[-1].ask, f"no run '{recording.folder.name}' in {far}", 2, gone=True
    )
