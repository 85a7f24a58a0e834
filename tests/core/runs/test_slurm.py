"""Slurm, by a stand-in for its commands: jobs that wait, are preempted and go on, and are taken back."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from slurm_stand_in import PLACE, Cluster
from support import Workers, wait_for

from condense_core.engine.__main__ import _scratch
from condense_core.machine import here, job, machine_of
from condense_core.runfile import control
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runs import launch, slurm
from condense_core.runs.create import create_run, run_of_this_job
from condense_core.scenario.experiment import Experiment

LONG = "steps=100000000"


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """One whose commands are on PATH, for a program that asks often."""
    made = Cluster(tmp_path / "slurm")
    monkeypatch.setenv("PATH", f"{made.bin}:{os.environ['PATH']}")
    monkeypatch.setenv(PLACE, str(made.folder))
    # where a job that is killed leaves its folder for temporary files
    monkeypatch.setenv("SLURM_TMPDIR", str(tmp_path))
    for name in ("BEAT_S", "LOOK_S", "JOB_S"):
        monkeypatch.setattr(launch, name, 0.05)
    return made


@pytest.fixture
def launched() -> Iterator[Callable[[Path, str], threading.Thread]]:
    """Has launchers run, each in a thread."""
    threads: list[threading.Thread] = []

    def begin(folder: Path, command: str) -> threading.Thread:
        threads.append(threading.Thread(target=launch.launch, args=(folder, command.split()), daemon=True))
        threads[-1].start()
        return threads[-1]

    yield begin
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "a launcher that waits for nothing"


def step_of(folder: Path) -> int:
    return read_run(folder).step


def events_of(folder: Path) -> list[str]:
    with RunReader(folder) as run:
        return [event.kind for event in run.events]


@pytest.mark.usefixtures("forked")
def test_a_job_that_is_preempted_goes_on_in_the_same_run(
    make_run: Callable[..., Path], cluster: Cluster, launched: Callable[[Path, str], threading.Thread]
) -> None:
    folder = make_run(LONG)
    thread = launched(folder, "sbatch --partition=gpu")
    wait_for(lambda: read_run(folder).reason == "waiting for job 100")
    assert cluster.jobs() == ["100"]
    assert read_run(folder).host.endswith(" (sbatch), job 100")
    cluster.begin("100")
    wait_for(lambda: step_of(folder) > 0)
    assert read_run(folder).host == f"{os.uname().nodename}, job 100"

    cluster.preempt("100")
    kept = step_of(folder)
    assert kept > 0
    wait_for(lambda: read_run(folder).status == "starting")
    assert read_run(folder).reason == "job 100 was preempted, and waits in the queue to go on"
    cluster.begin("100")
    wait_for(lambda: step_of(folder) > kept)
    assert events_of(folder).count("started") == 1
    assert "continued" in events_of(folder)

    control.send(folder, "stop")
    assert cluster.end("100") == 0
    thread.join(30)
    assert (read_run(folder).status, read_run(folder).reason) == ("stopped", "stopped by command")


@pytest.mark.parametrize("launcher", ["sbatch", "srun --gres=gpu:1"])
def test_a_run_that_is_stopped_while_it_waits_is_taken_out_of_the_queue(
    make_run: Callable[..., Path],
    cluster: Cluster,
    launched: Callable[[Path, str], threading.Thread],
    launcher: str,
) -> None:
    folder = make_run(LONG)
    thread = launched(folder, launcher)
    wait_for(lambda: cluster.jobs() == ["100"])
    assert read_run(folder).status == "starting"
    control.send(folder, "stop")
    thread.join(30)
    assert cluster.state("100") == "CANCELLED"
    assert (read_run(folder).status, read_run(folder).reason) == ("stopped", launch.STOPPED)


@pytest.mark.usefixtures("forked")
def test_a_run_that_is_stopped_after_it_was_preempted_is_taken_out_of_the_queue(
    make_run: Callable[..., Path], cluster: Cluster, launched: Callable[[Path, str], threading.Thread]
) -> None:
    folder = make_run(LONG)
    thread = launched(folder, "sbatch")
    wait_for(lambda: read_run(folder).reason == "waiting for job 100")
    cluster.begin("100")
    wait_for(lambda: step_of(folder) > 0)
    cluster.preempt("100", grace=0.0)
    wait_for(lambda: read_run(folder).status == "starting")
    control.send(folder, "stop")
    thread.join(30)
    assert cluster.state("100") == "CANCELLED"
    assert read_run(folder).status == "stopped"


@pytest.mark.usefixtures("forked")
def test_a_job_that_is_cancelled_elsewhere_leaves_a_checkpoint(
    make_run: Callable[..., Path], cluster: Cluster, launched: Callable[[Path, str], threading.Thread]
) -> None:
    folder = make_run(LONG)
    thread = launched(folder, "sbatch")
    wait_for(lambda: read_run(folder).reason == "waiting for job 100")
    cluster.begin("100")
    wait_for(lambda: step_of(folder) > 0)
    slurm.cancel("100")
    # a job is in the queue for as long as its processes are there
    wait_for(lambda: not control.worker_is_alive(folder))
    cluster.end("100")
    thread.join(30)
    assert (read_run(folder).status, read_run(folder).reason) == ("stopped", "stopped by SIGTERM")
    assert (folder / "checkpoint.safetensors").is_file()


def test_a_job_that_ends_before_its_worker_began_is_the_runs_reason(
    make_run: Callable[..., Path], cluster: Cluster, launched: Callable[[Path, str], threading.Thread]
) -> None:
    folder = make_run(LONG)
    thread = launched(folder, "sbatch")
    wait_for(lambda: read_run(folder).reason == "waiting for job 100")
    cluster.forget("100")
    thread.join(30)
    assert read_run(folder).status == "failed"
    assert read_run(folder).reason == "sbatch (job 100) ended before training started"


def test_a_warning_that_the_end_is_near_keeps_what_there_is_and_training_goes_on(
    make_run: Callable[..., Path], workers: Workers
) -> None:
    folder = make_run(LONG, "record.checkpoint_seconds=10000")
    pid = workers.start(folder)
    wait_for(lambda: step_of(folder) > 0)
    os.kill(pid, signal.SIGUSR1)
    wait_for((folder / "checkpoint.safetensors").is_file)
    at = step_of(folder)
    wait_for(lambda: step_of(folder) > at)
    os.kill(pid, signal.SIGXCPU)
    wait_for(workers.has_ended, pid)
    assert (read_run(folder).status, read_run(folder).reason) == ("stopped", "stopped by SIGXCPU")


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({}, ""),
        ({"SLURM_JOB_ID": "123"}, "123"),
        ({"SLURM_JOB_ID": "125", "SLURM_ARRAY_JOB_ID": "120", "SLURM_ARRAY_TASK_ID": "4"}, "120_4"),
        ({"SLURM_JOB_ID": "\x1b[2J"}, ""),
    ],
)
def test_the_job_that_a_process_is_in(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], name: str) -> None:
    for variable in ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    assert job() == name
    assert machine_of(here()) == os.uname().nodename


def test_a_job_of_an_array_that_is_requeued_goes_on_in_its_own_run(
    small: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "120")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "120")
    made = {}
    for task in ("1", "11", "2"):
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", task)
        assert run_of_this_job(small, tmp_path) is None, "not requeued"
        made[task] = create_run(small, runs=tmp_path)
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    for task, folder in made.items():
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", task)
        assert run_of_this_job(small, tmp_path) == folder
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "7")
    assert run_of_this_job(small, tmp_path) is None


def test_a_job_has_a_folder_of_its_own_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tempfile.gettempdir()
    monkeypatch.setenv("TMPDIR", before)
    monkeypatch.setattr(tempfile, "tempdir", before)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with _scratch():
        assert tempfile.gettempdir() == before
    monkeypatch.setenv("SLURM_JOB_ID", "123")
    monkeypatch.setenv("SLURM_TMPDIR", str(tmp_path))
    with _scratch():
        own = Path(tempfile.gettempdir())
        assert own.parent == tmp_path
        assert own.name.startswith("condense-tui-123-")
        assert os.environ["TMPDIR"] == str(own)
    assert not own.exists()


@pytest.mark.parametrize(
    ("answer", "number"),
    [(b"123\n", "123"), (b"123;gpu\n", "123"), (b"a word of the site's\n123\n", "123"), (b"", ""), (b"error\n", "")],
)
def test_the_number_of_a_job_that_was_handed_over(answer: bytes, number: str) -> None:
    assert slurm.submitted(answer) == number


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("echo PENDING", slurm.WAITS),
        ("echo REQUEUE_HOLD", slurm.WAITS),
        ("echo RUNNING", slurm.RUNS),
        ("echo COMPLETING", slurm.RUNS),
        ("echo CANCELLED", slurm.OVER),
        ("true", slurm.OVER),
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", slurm.OVER),
        ("echo 'Unable to contact slurm controller' >&2; exit 1", slurm.RUNS),
    ],
)
def test_states_of_jobs(script: str, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "squeue").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert slurm.state_of("123") == state


def test_options_of_the_users_count() -> None:
    line = slurm.batch_line(["sbatch", "--no-requeue", "--time=60"], ["python", "a b"], "run", Path("/x/worker.log"))
    assert line.index("--requeue") < line.index("--no-requeue")
    assert line[-1] == "--wrap=exec python 'a b'"
