"""When a run counts as lost: without its worker here, and elsewhere by the file's own clock alone."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import pytest

from condense_core.errors import RunFileError
from condense_core.runfile import beats, control, schema
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, open_writer
from condense_core.runs import create, place


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


def test_a_run_that_is_silent_elsewhere_can_be_resumed_here(folder, monkeypatch):
    elsewhere(folder, time.time() + 3600)
    for file in folder.glob("run.sqlite*"):
        os.utime(file, (time.time() - 60,) * 2)
    monkeypatch.setattr(create, "LOST_AFTER_S", 0.3)
    assert create.ready_to_resume(folder).status == "lost"
    assert seen(folder) == "starting"
