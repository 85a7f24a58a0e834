"""What is asked of Slurm: a job is handed over, looked at, and taken back. By its documented commands alone."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

JobState = Literal["waits", "runs", "over"]
WAITS: JobState = "waits"
RUNS: JobState = "runs"
OVER: JobState = "over"

# In the queue for the first time, or put back into it.
_WAITING = frozenset({"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"})
# What is over stays in squeue's answers for some minutes.
_ENDED = frozenset(
    {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "REVOKED", "TIMEOUT"}
)
PATIENCE_S = 60.0


def batch_line(command: Sequence[str], worker: Sequence[str], name: str, log: Path) -> list[str]:
    """The command line that hands the worker over as a job that may be put back into the queue.

    Options of the user's come after ours, so theirs count. The log is appended to: what a worker said before it was
    preempted stays.
    """
    ours = ["--parsable", "--requeue", "--open-mode=append", f"--output={log}", f"--job-name={name}"]
    return [command[0], *ours, *command[1:], f"--wrap=exec {shlex.join(worker)}"]


def submitted(answer: bytes) -> str:
    """The job's number in the answer of `sbatch --parsable`: `123`, or `123;cluster`; empty if there is none."""
    lines = answer.decode(errors="replace").split()
    match = re.fullmatch(r"(\d{1,20})(;\S*)?", lines[-1]) if lines else None
    return match[1] if match is not None else ""


def state_of(job: str) -> JobState:
    """Where the job is. A controller that does not answer says nothing of it: it counts as one that runs."""
    try:
        answer = subprocess.run(
            ["squeue", "--noheader", "--format=%T", f"--jobs={job}"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=PATIENCE_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"squeue: {error}", file=sys.stderr, flush=True)  # noqa: T201 - stderr is the worker's log
        return RUNS
    if answer.returncode:
        # Slurm forgets jobs that have been over for some minutes
        return OVER if "Invalid job id" in answer.stderr else RUNS
    states = set(answer.stdout.split())
    if states & _WAITING:
        return WAITS
    return OVER if states <= _ENDED else RUNS


def cancel(job: str) -> None:
    """Take the job out of the queue, or have it end."""
    try:
        answer = subprocess.run(
            ["scancel", job], capture_output=True, text=True, errors="replace", check=False, timeout=PATIENCE_S
        )
        trouble = answer.stderr.strip() if answer.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        trouble = str(error)
    if trouble:
        print(f"scancel: {trouble}", file=sys.stderr, flush=True)  # noqa: T201 - stderr is the worker's log
