"""A worker that begins before it is known what to train: it has the run from the moment that it is given it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from support import wait_for

from condense_core.runfile import control
from condense_core.runfile.info import LOG_NAME, read_run
from condense_core.runs import early
from condense_core.runs.create import start_worker
from condense_core.runs.early import EarlyWorker

psutil = pytest.importorskip("psutil", reason="of what trains, which is not installed")

MARK = "CONDENSE_TEST_EARLY"


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What processes that are started from here are known by; PyTorch says something and cannot be imported there."""
    broken = tmp_path / "broken"
    broken.mkdir()
    words = "import os\nos.write(2, b'a word before the end\\n')\nraise OSError('no such chip')\n"
    (broken / "torch.py").write_text(words)
    monkeypatch.setenv("PYTHONPATH", f"{broken}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv(MARK, tmp_path.name)
    return tmp_path.name


def workers(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_what_it_printed_and_why_it_failed_is_the_runs(make_run, mark):
    folder = make_run()
    with EarlyWorker() as worker:
        wait_for(lambda: workers(mark))
        start_worker(folder, early=worker)
        # nobody has waited for it, and it holds the run
        assert control.worker_is_alive(folder)
    wait_for(lambda: read_run(folder).status == "failed")
    assert "cannot be imported: OSError: no such chip" in read_run(folder).reason
    log = (folder / LOG_NAME).read_text()
    assert log.startswith("a word before the end\n")
    assert "no such chip" in log
    wait_for(lambda: not workers(mark))
    assert not control.worker_is_alive(folder)


def test_without_a_run_nothing_stays(mark):
    with EarlyWorker():
        wait_for(lambda: workers(mark))
    wait_for(lambda: not workers(mark))
    with pytest.raises(KeyboardInterrupt), EarlyWorker():
        raise KeyboardInterrupt
    wait_for(lambda: not workers(mark))


def test_one_that_has_ended_is_replaced_and_in_a_job_there_is_none(make_run, monkeypatch):
    folder = make_run()
    with monkeypatch.context() as broken:
        broken.setattr(early.sys, "executable", "/bin/false")
        worker = EarlyWorker()
        worker._started.wait()
        assert not worker.train(folder, 2)
    assert not control.worker_is_alive(folder)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert not EarlyWorker().train(folder, 2)


def test_a_run_is_held_between_the_hands(make_run):
    folder = make_run()
    one, other = socket.socketpair()
    with one, other:
        control.hand_over(folder, 2, one)
        assert control.worker_is_alive(folder)
        place, descriptor, log = control.take_over(other)
        assert os.path.sameopenfile(log, 2)
        os.close(log)
        assert (place, control.worker_is_alive(folder)) == (folder.resolve(), True)
        os.close(descriptor)
        assert not control.worker_is_alive(folder)
        one.close()
        assert control.take_over(other) is None
    # whoever was to have it died before it took it
    one, other = socket.socketpair()
    control.hand_over(folder, 2, one)
    assert control.worker_is_alive(folder)
    other.close()
    assert not control.worker_is_alive(folder)
    with one, pytest.raises(OSError, match=r"pipe"):
        control.hand_over(folder, 2, one)
    assert not control.worker_is_alive(folder)
