"""The run file: whole transactions, any step at once, numbers as they were, and nothing believed."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pytest
import zstandard
from support import wait_for

from condense_core.errors import RunFailedError, RunFileError
from condense_core.remote.server.source import RunSource
from condense_core.runfile import beats, control, frames, scalars, schema
from condense_core.runfile.info import read_run
from condense_core.runfile.levels import LEVELS, SimilarityEncoder
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, open_reader, open_writer
from condense_core.runfile.writer import RecordingThread, RunWriter, StepRecord
from condense_core.runs import create, place
from condense_core.runs.create import create_run
from condense_core.runs.summary import summarise


@pytest.fixture
def folder(make_run) -> Path:
    return make_run()


def similarity_batch(encoder: SimilarityEncoder, step: int, cosine: np.ndarray) -> StepRecord:
    return StepRecord(step, [("loss", 1.0 / (step + 1))], [("dense1", encoder.encode(cosine, len(cosine)))], [])


def random_cosines(rng: np.random.Generator, side: int) -> np.ndarray:
    unit = rng.standard_normal((side, 5))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    return np.clip(unit @ unit.T, -1, 1)


def test_numbers_come_back_as_themselves(folder):
    values = [1e-300, -0.0, math.inf, -math.inf, math.nan, 5e-324, 0.1]
    writer = RunWriter(folder)
    for step, value in enumerate(values):
        writer.append(StepRecord(step, [("loss", value)], [], []))
    writer.close()
    with RunReader(folder) as run:
        steps, found = run.curve("loss")
    assert steps.tolist() == list(range(len(values)))
    assert np.array_equal(found, values, equal_nan=True)


@pytest.mark.parametrize("side", [1, 2, 12, 64, 256])
def test_every_step_can_be_sought(folder, side):
    rng = np.random.default_rng(side)
    writer, encoder = RunWriter(folder), SimilarityEncoder()
    matrices = {step: random_cosines(rng, side) for step in range(0, 80, 2)}
    matrices[40][0] = matrices[40][:, 0] = math.nan
    for step, matrix in matrices.items():
        writer.append(similarity_batch(encoder, step, matrix))
    with RunReader(folder) as run:
        assert run.instants.tolist() == list(matrices)
        for step in rng.permutation(list(matrices)):
            found = run.similarity("dense1", int(step) + 1)
            assert np.array_equal(np.isnan(found), np.isnan(matrices[step]))
            np.testing.assert_allclose(found, matrices[step], atol=0.5 / LEVELS + 1e-7)
        assert run.similarity("dense1", -1) is None
        assert run.similarity("elsewhere") is None
    writer.close()


def test_a_reader_sees_what_is_appended_while_it_is_open(folder):
    writer = RunWriter(folder)
    with RunReader(folder) as run:
        run.refresh()
        assert not run.refresh()
        for step in range(200):
            writer.append(StepRecord(step, [("loss", float(step)), ("x", 0.0)], [], [("note", f"step {step}")]))
            assert run.refresh()
            assert run.last("loss") == step
            assert len(run.events) == step + 1
        assert run.curve_names == ("loss", "x")
        assert run.last("loss", at=17) == 17
        assert math.isnan(run.last("loss", at=-1))
    assert RunSource(folder).last_seq() == 400
    writer.close()


def test_a_transaction_is_whole_or_absent(folder):
    writer = RunWriter(folder)
    writer.append(StepRecord(0, [("loss", 1.0)], [], []))
    with pytest.raises(sqlite3.Error):
        writer.append(StepRecord(1, [("loss", 2.0)], [], [("kind", None)]))  # type: ignore[list-item]
    writer.append(StepRecord(2, [("loss", 3.0)], [], []))
    writer.close()
    with RunReader(folder) as run:
        assert run.curve("loss")[0].tolist() == [0, 2]


def test_the_thread_commits_in_order_and_hands_out_each_command_once(folder):
    thread = RecordingThread(folder)
    for step in range(50):
        thread.put(StepRecord(step, [("loss", float(step))], [], []))
    control.send(folder, "pause")
    control.send(folder, "stop")
    thread.flush()
    with RunReader(folder) as run:
        assert run.curve("loss")[0].tolist() == list(range(50))
    thread.set_status("done", "because")
    thread.close()
    assert [command.verb for command in thread.commands] == ["pause", "stop"]
    with RunReader(folder) as run:
        assert (run.info().status, run.info().reason) == ("done", "because")


def test_a_finished_run_is_one_file(folder):
    thread = RecordingThread(folder)
    thread.put(StepRecord(0, [("loss", 1.0)], [], []))
    thread.close()
    assert [file.name for file in folder.iterdir()] == [FILE_NAME]


def test_the_file_alone_holds_a_finished_run_also_where_somebody_watched(folder, tmp_path):
    thread = RecordingThread(folder)
    with RunReader(folder) as watching:
        thread.put(StepRecord(7, [("loss", 1.0)], [], []))
        thread.set_status("done")
        thread.close()
        assert watching.info().status == "done"
        copy = tmp_path / "copied.sqlite"
        shutil.copy(folder / FILE_NAME, copy)
    with RunReader(copy) as run:
        assert run.info().status == "done"
        assert run.curve("loss")[0].tolist() == [7]


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


def test_a_reader_cannot_write(folder):
    with contextlib.closing(open_reader(folder / FILE_NAME)) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM run")


def test_a_newer_format_is_refused_with_both_versions(folder):
    with contextlib.closing(open_writer(folder / FILE_NAME)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(RunFileError, match="format 99, and this program reads up to 4"):
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
        connection.execute("INSERT INTO place VALUES (1, 'similarity', 'dense1')")
        connection.execute("INSERT INTO frame VALUES (1, 0, 1, 1, ?)", (blob,))
        connection.commit()
    with RunReader(folder) as run, pytest.raises(RunFileError):
        run.similarity("dense1")


COLUMNS = {
    "layout": ("names", "kinds"),
    "scalar": ("step", "layout", "data"),
    "place": ("kind", "layer"),
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


def test_a_writer_that_cannot_go_on_says_so_instead_of_waiting(folder):
    thread = RecordingThread(folder)
    thread.put(StepRecord(0, [], [], [("note", "\ud800")]))
    with pytest.raises(RunFailedError, match="cannot be recorded"):
        thread.flush()
    with pytest.raises(RunFailedError):
        thread.close()


def test_a_run_whose_folder_is_removed_ends(folder):
    thread = RecordingThread(folder)
    shutil.rmtree(folder)
    with pytest.raises(RunFailedError, match="removed"):
        wait_for(lambda: not thread.has_room())
    with pytest.raises(RunFailedError):
        thread.close()


def test_text_of_a_file_cannot_steer_the_terminal(folder):
    writer = RunWriter(folder)
    writer.append(StepRecord(0, [("\x1b[2Jloss", 1.0)], [], [("k\x07ind", "\x1b]0;owned\x07\u202etext\nmore")]))
    writer.close()
    with RunReader(folder) as run:
        (event,) = run.events
        assert event.kind == "kind"
        assert event.text == "]0;ownedtext more"
        assert run.curve_names == ("[2Jloss",)


def test_runs_are_for_their_owner_only(folder):
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    # also where the folder is opened to others, with its log beside it
    with contextlib.closing(RunWriter(folder)):
        assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.glob("run.sqlite*")} == dict.fromkeys(
            ("run.sqlite", "run.sqlite-shm", "run.sqlite-wal"), 0o600
        )


def test_a_run_is_named_by_any_part_that_is_its_own(tmp_path, make_run):
    one, two = make_run("name=alpha"), make_run("name=beta")
    runs = tmp_path / "runs"
    assert place.find_run(runs, None) in {one, two}
    assert place.find_run(runs, one.name) == one
    assert place.find_run(runs, "alpha") == one
    assert place.find_run(runs, two.name[-4:]) == two
    assert place.find_run(runs, two.name[-4:], whole=True) == two
    for vague in ("", "alpha"):
        with pytest.raises(RunFileError):
            place.find_run(runs, vague, whole=True)
    with pytest.raises(RunFileError, match=rf"'alpha' is part of an id.*: {one.name}$"):
        place.find_run(runs, "alpha", whole=True)
    with pytest.raises(RunFileError, match="did you mean 'alpha'") as caught:
        place.find_run(runs, "Alpah")
    assert "'Alpah'" in str(caught.value)
    with pytest.raises(RunFileError) as caught:
        place.find_run(runs, "x" * 5_000)
    assert len(str(caught.value)) < 600
    with pytest.raises(RunFileError, match="fits 2 runs"):
        place.find_run(runs, one.name[:2])
    with pytest.raises(RunFileError, match="no run 'gamma'"):
        place.find_run(runs, "gamma")
    with pytest.raises(RunFileError, match="start one"):
        place.find_run(tmp_path / "elsewhere", None)


def test_a_place_that_cannot_be_written_says_where_to_go(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(RunFileError, match="--runs-dir"):
        place.new_run_folder(blocker / "runs", "x")


def a_training_run(folder):
    """A run that trains, with its rows in the log: what `with` gives is its writer."""
    writer = RunWriter(folder)
    writer.update(status="running", step=3)
    writer._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for step in range(4, 8):
        writer.append(StepRecord(step, [("loss", 1.0)], [], []))
    writer.update(step=7)
    return contextlib.closing(writer)


def test_looking_at_a_run_drops_none_of_its_workers_locks(folder):
    """Closing any other handle of a file drops a process's locks on it; then whoever else closes it removes the log."""
    with a_training_run(folder), control.hold(folder):
        with RunReader(folder) as run:
            assert run.info().status == "running"
        elsewhere = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM run').fetchone()"
        subprocess.run([sys.executable, "-c", elsewhere, str(folder / FILE_NAME)], check=True)
        assert (folder / f"{FILE_NAME}-wal").stat().st_size > 0


def test_a_file_that_was_copied_without_its_log_says_that_rows_are_missing(folder, tmp_path):
    with a_training_run(folder), control.hold(folder):
        shutil.copy(folder / FILE_NAME, tmp_path / "alone.sqlite")
        (tmp_path / "both").mkdir()
        for name in (FILE_NAME, f"{FILE_NAME}-wal"):
            shutil.copy(folder / name, tmp_path / "both")
        with RunReader(folder) as run:
            assert (run.info().status, run.info().reason) == ("running", "")
    with RunReader(tmp_path / "alone.sqlite") as run:
        assert run.info().status == "lost"
        assert run.info().reason == ("its log (run.sqlite-wal) is not here: what was recorded after step 3 is missing")
    with RunReader(tmp_path / "both") as run:
        assert run.info().step == 7
        assert run.info().reason == ""
        assert run.instants.tolist() == [4, 5, 6, 7]


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


def test_a_file_on_a_medium_that_cannot_be_written_is_read_with_its_log(folder, tmp_path, monkeypatch):
    medium = tmp_path / "medium"
    medium.mkdir()
    with a_training_run(folder):
        for name in (FILE_NAME, f"{FILE_NAME}-wal"):
            shutil.copy(folder / name, medium)
    connect = schema._connect

    def refuse(file, mode):
        if file.parent == medium and mode == "ro":
            raise RunFileError("unable to open database file")
        return connect(file, mode)

    # what SQLite and the system say there; root may write everywhere
    monkeypatch.setattr(schema, "_connect", refuse)
    monkeypatch.setattr(schema.os, "access", lambda *_: False)
    with RunReader(medium) as run:
        assert run.instants.tolist() == [4, 5, 6, 7]
        assert run.info().step == 7
        assert "missing" not in run.info().reason
    assert sorted(file.name for file in medium.iterdir()) == [FILE_NAME, f"{FILE_NAME}-wal"]
    (medium / f"{FILE_NAME}-wal").unlink()
    with RunReader(medium) as run:
        assert "after step 3 is missing" in run.info().reason


def test_a_command_to_a_run_without_a_worker_leaves_one_file_that_lacks_nothing(folder):
    writer = RunWriter(folder)
    writer.update(status="running", step=3)
    # as a kill leaves it
    writer._connection.close()
    control.send(folder, "stop")
    assert [file.name for file in folder.glob("run.sqlite*")] == [FILE_NAME]
    with RunReader(folder) as run:
        assert "missing" not in run.info().reason


def test_a_file_whose_writer_died_between_two_journals_is_read_as_it_was(folder, tmp_path):
    for step in range(50):
        with contextlib.closing(RunWriter(folder)) as writer:
            writer.append(StepRecord(step, [("loss", 1.0)], [], [("kind", "text" * 1000)]))
    copy = tmp_path / "copy"
    copy.mkdir()
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        # pages go to the file before the end of the transaction
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE event SET text = text || 'x'")
        for file in folder.glob("run.sqlite*"):
            shutil.copy(file, copy)
        connection.execute("ROLLBACK")
    assert (copy / f"{FILE_NAME}-journal").exists()
    with RunReader(copy) as run:
        assert run.curve("loss")[0].tolist() == list(range(50))
        assert {event.text for event in run.events} == {"text" * 1000}


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


def test_of_text_that_is_none_an_error_does_not_repeat_everything(folder):
    with contextlib.closing(open_writer(folder / FILE_NAME)) as connection:
        connection.execute("UPDATE run SET experiment = CAST(x'ff' || experiment AS TEXT)")
    with pytest.raises(RunFileError, match=r"it is damaged \(Could not decode to UTF-8 column 'experiment'\)$"):
        RunReader(folder).info()


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


def test_an_active_run_without_a_worker_is_lost(folder):
    with contextlib.closing(open_writer(folder / FILE_NAME)) as connection:
        connection.execute("UPDATE run SET status = 'running', pid = ?", (os.getpid(),))
        with RunReader(folder) as run:
            assert run.info().status == "lost"
        with control.hold(folder), RunReader(folder) as run:
            assert run.info().status == "running"
        connection.execute("UPDATE run SET host = 'elsewhere'")
        with RunReader(folder) as run:
            assert run.info().status == "running"
        for file in folder.glob("run.sqlite*"):
            os.utime(file, (time.time() - 60,) * 2)
        with RunReader(folder) as run:
            assert run.info().status == "lost"


def test_a_run_that_was_removed_while_it_was_watched_says_so(folder):
    with RunReader(folder) as run:
        assert run.info().status == "starting"
        place.remove_run(folder)
        with pytest.raises(RunFileError, match="the run was removed while it was being watched"):
            run.info()


def elsewhere(folder, beat):
    """A training run of another machine, whose worker has just written that its time is `beat`."""
    with schema.writer(folder / FILE_NAME) as connection:
        connection.execute("UPDATE run SET host = 'elsewhere', status = 'running', heartbeat = ?", (beat,))


def seen(folder):
    with RunReader(folder) as run:
        return run.info().status


@pytest.mark.parametrize("ahead", [-3600, -30, 0, 30, 3600])
def test_a_run_elsewhere_is_judged_by_no_clock_but_the_files(folder, ahead):
    beat = time.time() + ahead
    elsewhere(folder, beat)
    assert seen(folder) == "running"
    for file in folder.glob("run.sqlite*"):
        os.utime(file, (time.time() - 60,) * 2)
    assert seen(folder) == "lost"
    # heard of between two looks: it lives, whatever the files' times are
    elsewhere(folder, beat + 1)
    for file in folder.glob("run.sqlite*"):
        os.utime(file, (time.time() - 60,) * 2)
    assert seen(folder) == "running"


def test_a_run_elsewhere_that_is_watched_and_not_heard_of_is_lost(folder, monkeypatch):
    elsewhere(folder, time.time() + 3600)
    assert seen(folder) == "running"
    # its files were touched meanwhile, by a viewer that paused it perhaps
    later = time.monotonic() + 11
    monkeypatch.setattr(beats.time, "monotonic", lambda: later)
    assert seen(folder) == "lost"


def test_a_run_that_is_heard_of_elsewhere_is_not_resumed_here(folder, monkeypatch):
    elsewhere(folder, 100.0)
    for file in folder.glob("run.sqlite*"):
        os.utime(file, (time.time() - 60,) * 2)
    assert seen(folder) == "lost"
    monkeypatch.setattr(create, "LOST_AFTER_S", 5.0)
    beat = threading.Timer(0.5, elsewhere, (folder, 101.0))
    beat.start()
    with pytest.raises(RunFileError, match="is being trained on elsewhere"):
        create.ready_to_resume(folder)
    beat.join()
    assert seen(folder) == "running"


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
        assert seen(folder) == "stopped"
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


def test_a_run_that_is_silent_elsewhere_can_be_resumed_here(folder, monkeypatch):
    elsewhere(folder, time.time() + 3600)
    for file in folder.glob("run.sqlite*"):
        os.utime(file, (time.time() - 60,) * 2)
    monkeypatch.setattr(create, "LOST_AFTER_S", 0.3)
    assert create.ready_to_resume(folder).status == "lost"
    assert seen(folder) == "starting"


def test_a_folder_that_was_copied_is_a_run_of_its_own(folder):
    copy = folder.with_name(f"{folder.name}-again")
    shutil.copytree(folder, copy)
    assert [read_run(each).id for each in (folder, copy)] == [folder.name, copy.name]
    with RunReader(copy) as run:
        assert summarise(run).run == copy.name
    # one that lies somewhere by itself is known by what it says
    alone = Path(shutil.copyfile(folder / FILE_NAME, folder.parent / "alone.sqlite"))
    with RunReader(alone) as run:
        assert run.info().id == read_run(alone).id == folder.name


def test_several_threads_write_frames_at_once():
    def written(seed: int) -> bool:
        values = np.random.default_rng(seed).standard_normal(100_000).astype(np.float32)
        frame = frames.Singular(values=frames.Array.of(values, "f4"))
        return all(frames.decode(frames.encode(frame)) == frame for _ in range(30))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(written, range(4)))
