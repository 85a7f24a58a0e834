"""The resources of this machine that a process may use."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import socket
import sys
from pathlib import Path

# Where Linux describes its processors, one after the other.
_PROCESSORS = Path("/proc/cpuinfo")
# What it calls a processor's make, and the instructions that it knows: on PCs, and on ARM.
_MAKE = ("vendor_id", "cpu family", "model", "model name", "CPU implementer", "CPU part", "CPU variant")
_KNOWS = ("flags", "Features")


def usable_cores() -> int:
    """Cores that this process may run on: fewer than the machine has where a scheduler, or a container, says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The processor's model, as the machine names it."""
    return _said_of_one().get("model name") or platform.processor() or platform.machine()


def instructions() -> str:
    """What decides which machine code runs here: the processor's make, and all that it is said to know. Empty where the
    machine does not say it."""
    said = _said_of_one()
    if not any(name in said for name in _KNOWS):
        return ""
    told = (f"{name}: {said[name]}" for name in (*_MAKE, *_KNOWS) if name in said)
    return "\n".join((sys.platform, platform.machine(), *told))


def _said_of_one() -> dict[str, str]:
    """What Linux says of the first processor; nothing elsewhere."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError), _PROCESSORS.open(encoding="utf-8", errors="replace") as table:
        # no further than needed: the system writes it as it is read, and there may be hundreds of processors
        for line in table:
            name, colon, value = line.partition(":")
            if not colon and found:
                break
            found.setdefault(name.strip(), value.strip())
    return found


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
