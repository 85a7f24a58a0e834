"""`python -m condense_core.runs.launch FOLDER COMMAND …`: have a cluster's launcher start the run's worker.

A launcher such as srun stays for as long as what it started, and may wait for hours until there is room. This process
waits with it, as a daemon: it keeps the run's heart beating until the worker does that itself, wherever that is, and
takes the job out of the queue where the run is stopped before. sbatch only hands a job over, which may be preempted and
put back into the queue: here it is waited for all the same.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from condense_core.errors import CondenseError
from condense_core.runfile import control
from condense_core.runfile.info import LOG_NAME, read_info
from condense_core.runfile.schema import FILE_NAME, open_reader, reading, writer
from condense_core.runs import slurm
from condense_core.text import printable

# Well under what a reader takes for a lost start (info.COLD_GRACE_S).
BEAT_S = 5.0
# Between two looks at whether the run is to be stopped.
LOOK_S = 0.5
# Between two questions to Slurm, which serves a whole cluster.
JOB_S = 20.0
STOPPED = "stopped by command before training began"


def main() -> int:
    folder, command = Path(sys.argv[1]), sys.argv[2:]
    _update(folder, "host = ?, reason = ?", f"{socket.gethostname()} ({command[0]})", f"waiting for {command[0]}")
    if os.fork():
        os._exit(0)
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return launch(folder, command)


def launch(folder: Path, command: list[str]) -> int:
    """Run the launcher with the worker's command line until it ends, or its job does; its exit status."""
    worker = [sys.executable, "-P", "-m", "condense_core.engine", str(folder), "--stay"]
    batch = Path(command[0]).name == "sbatch"
    line = slurm.batch_line(command, worker, folder.name, folder / LOG_NAME) if batch else [*command, *worker]
    try:
        process = subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if batch else None,
            # the name of the job, for whoever looks at the queue
            env={**os.environ, "SLURM_JOB_NAME": folder.name},
        )
    except OSError as error:
        control.record_failure(folder, f"the launcher {command[0]} cannot be started: {error.strerror}")
        return 1
    status = _wait(folder, process, stoppable=not batch)
    ended = f"ended with status {status}"
    if batch and status == 0:
        assert process.stdout is not None
        job = slurm.submitted(process.stdout.read())
        if not job:
            control.record_failure(folder, f"{printable(command[0])} named no job that it made")
            return 1
        _wait_for_job(folder, job, command[0])
        ended = f"(job {job}) ended"
    if (folder / FILE_NAME).exists() and _is_starting(folder):
        control.record_failure(folder, f"{printable(' '.join(command))} {ended} before training started")
    return status


def _wait(folder: Path, process: subprocess.Popen[bytes], *, stoppable: bool) -> int:
    """Until the launcher ends; its exit status. One that is `stoppable` is ended where the run is stopped before it
    trains."""
    next_beat = 0.0
    while True:
        waits, to_stop = _look(folder)
        if waits and time.monotonic() >= next_beat:
            _beat(folder)
            next_beat = time.monotonic() + BEAT_S
        if to_stop and stoppable:
            # srun takes its job out of the queue then; and so do we, wherever it is
            process.terminate()
            if Path(os.fsdecode(process.args[0])).name in {"srun", "salloc"}:  # type: ignore[index,arg-type]
                slurm.cancel(f"--name={folder.name}")
            try:
                status = process.wait(slurm.PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                status = process.wait()
            _end_stopped(folder)
            return status
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(LOOK_S if waits else BEAT_S)


def _wait_for_job(folder: Path, job: str, launcher: str) -> None:
    """Until the job is over: it is taken out of the queue where the run is stopped while it waits there, for the first
    time or again."""
    where = f"{socket.gethostname()} ({launcher}), job {job}"
    _update(folder, "host = ?, reason = ?", where, f"waiting for job {job}")
    next_beat = next_question = 0.0
    while True:
        waits, to_stop = _look(folder)
        if time.monotonic() >= next_question:
            state = slurm.state_of(job)
            next_question = time.monotonic() + JOB_S
            if state == slurm.OVER:
                return
            if state == slurm.WAITS and not waits:
                # preempted: its worker, if it came to that, has kept what there was
                _begin_again(folder, where, f"job {job} was preempted, and waits in the queue to go on")
        if waits and time.monotonic() >= next_beat:
            _beat(folder)
            next_beat = time.monotonic() + BEAT_S
        if to_stop:
            slurm.cancel(job)
            _end_stopped(folder)
            return
        time.sleep(LOOK_S)


def _look(folder: Path) -> tuple[bool, bool]:
    """Whether the run waits for its worker, and whether somebody wants it stopped before there is one that hears.

    Only read: the file is the worker's, maybe on another machine.
    """
    if not (folder / FILE_NAME).exists():
        # a run that was removed waits for nothing
        return False, True
    try:
        with contextlib.closing(open_reader(folder / FILE_NAME)) as connection, reading(folder):
            (waits,) = connection.execute("SELECT status = 'starting' FROM run").fetchone()
            stop = "SELECT count(*) FROM command WHERE verb = 'stop' AND taken_at IS NULL"
            (asked,) = connection.execute(stop).fetchone()
    except CondenseError as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201 - stderr is the worker's log
        return False, False
    return bool(waits), bool(waits and asked) and not control.worker_is_alive(folder)


def _beat(folder: Path) -> None:
    try:
        _update(folder, "heartbeat = ?", time.time())
    except (CondenseError, sqlite3.Error) as error:
        control.log(str(error))


def _update(folder: Path, settings: str, *values: object) -> None:
    with writer(folder / FILE_NAME) as connection:
        connection.execute(f"UPDATE run SET {settings} WHERE status = 'starting'", values)


def _begin_again(folder: Path, host: str, reason: str) -> None:
    """The run waits for its worker again, unless it was stopped by its user or is over."""
    with writer(folder / FILE_NAME) as connection:
        connection.execute(
            "UPDATE run SET status = 'starting', host = ?, reason = ?, heartbeat = ?"
            " WHERE status IN ('running', 'paused') OR (status = 'stopped' AND reason LIKE 'stopped by SIG%')",
            (host, reason, time.time()),
        )


def _is_starting(folder: Path) -> bool:
    with writer(folder / FILE_NAME) as connection:
        info = read_info(connection, folder)
    # one that has made steps and is gone was training
    return info.status == "starting" or (info.status == "lost" and info.step == 0)


def _end_stopped(folder: Path) -> None:
    if not (folder / FILE_NAME).exists():
        return
    with writer(folder / FILE_NAME) as connection:
        connection.execute("UPDATE command SET taken_at = ? WHERE taken_at IS NULL", (time.time(),))
    control.record_end(folder, "stopped", STOPPED)


if __name__ == "__main__":
    sys.exit(main())
