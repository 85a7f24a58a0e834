"""The resources of this machine that a process may use."""

from __future__ import annotations

import os
import platform
import re
import socket
from pathlib import Path


def usable_cores() -> int:
    """Cores that this process may run on: fewer than the machine has where a scheduler, or a container, says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The processor's model, as the machine names it."""
    table = Path("/proc/cpuinfo")
    if table.exists():
        for line in table.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def job() -> str:
    """The Slurm job that this process is part of: `123`, or `120_4` for a task of an array; empty for none."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID", ""), os.environ.get("SLURM_ARRAY_TASK_ID", "")
    name = f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID", "")
    return name if re.fullmatch(r"\d{1,20}(_\d{1,20})?", name) else ""


def was_requeued() -> bool:
    """Whether this process's job was begun before, on this machine or another, and put back into the queue."""
    return bool(job()) and os.environ.get("SLURM_RESTART_COUNT", "0") not in {"", "0"}


def here() -> str:
    """What a run says of where it is trained: `node07`, or `node07, job 120_4`."""
    return f"{socket.gethostname()}, job {job()}" if job() else socket.gethostname()


def machine_of(host: str) -> str:
    """The machine in `host`, of a run's row, without a job."""
    return host.partition(", job ")[0]


def is_of_job(host: str) -> bool:
    """Whether `host`, of a run's row, names the job that this process is part of."""
    return bool(job()) and host.endswith(f", job {job()}")


def names_a_job(host: str) -> bool:
    """Whether `host`, of a run's row, names a job."""
    return ", job " in host
