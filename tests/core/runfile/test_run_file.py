"""The run file: whole transactions, any step at once, numbers as they were."""

from __future__ import annotations

import contextlib
import math
import shutil
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from support import wait_for

from condense_core.errors import RunFailedError, RunFileError
from condense_core.remote.server.source import RunSource
from condense_core.runfile import control, frames, schema
from condense_core.runfile.info import read_run
from condense_core.runfile.levels import LEVELS, SimilarityEncoder
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, open_reader
from condense_core.runfile.writer import RecordingThread, RunWriter, StepRecord
from condense_core.runs import place
from condense_core.runs.summary import summarise


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


def test_a_reader_cannot_write(folder):
    with contextlib.closing(open_reader(folder / FILE_NAME)) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM run")


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
