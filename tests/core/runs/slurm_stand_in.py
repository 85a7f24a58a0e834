"""A cluster of one machine: stand-ins for srun, sbatch, squeue and scancel that answer as their manuals say.

Run as a script it is one of the four, by its first argument. A job is a file of state; nothing starts by itself: a test
is the scheduler, and begins, preempts and requeues jobs through `Cluster`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

COMMANDS = ("srun", "sbatch", "squeue", "scancel")
PLACE = "STAND_IN_SLURM"


class Cluster:
    """The scheduler. `folder/bin` goes to the front of PATH, and `folder` is what $STAND_IN_SLURM says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        for name in COMMANDS:
            script = self.bin / name
            script.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {__file__} {name} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def jobs(self) -> list[str]:
        """Numbers of all jobs, as they were handed over."""
        return sorted(file.stem for file in self.folder.glob("*.json"))

    def state(self, job: str) -> str:
        """As squeue has it."""
        return str(_read(self.folder, job)["state"])

    def begin(self, job: str) -> int:
        """Give a job that waits its node: a batch job's script runs; its process id. One of srun's runs by itself."""
        found = _read(self.folder, job)
        assert found["state"] == "PENDING"
        if not found["wrap"]:
            _write(self.folder, job, found | {"state": "RUNNING"})
            return 0
        words = shlex.split(found["wrap"])
        assert words[0] == "exec"
        environment = {**os.environ, "SLURM_JOB_ID": job, "SLURM_RESTART_COUNT": str(found["restarts"])}
        with Path(found["output"]).open("ab") as log:
            # the shell of the batch script has become the worker
            process = subprocess.Popen(words[1:], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        self._processes[job] = process
        _write(self.folder, job, found | {"state": "RUNNING", "pid": process.pid})
        return process.pid

    def preempt(self, job: str, grace: float = 30.0) -> None:
        """SIGCONT and SIGTERM, SIGKILL after the time of grace; then the job waits again, with its number."""
        process = self._processes[job]
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
        if process.poll() is None:
            process.kill()
            process.wait()
        found = _read(self.folder, job)
        assert found["requeue"], "a job that was not handed over as one that can be requeued"
        _write(self.folder, job, found | {"state": "PENDING", "restarts": found["restarts"] + 1})

    def end(self, job: str, seconds: float = 30.0) -> int:
        """Wait for the job's script; its exit status."""
        status = self._processes[job].wait(seconds)
        found = _read(self.folder, job)
        ended = "COMPLETED" if status == 0 else "FAILED"
        _write(self.folder, job, found | {"state": found["state"] if found["state"] == "CANCELLED" else ended})
        return status

    def forget(self, job: str) -> None:
        """What Slurm does some minutes after a job has ended."""
        (self.folder / f"{job}.json").unlink()


def _read(folder: Path, job: str) -> dict[str, Any]:
    return dict(json.loads((folder / f"{job}.json").read_text(encoding="utf-8")))


def _write(folder: Path, job: str, state: dict[str, Any]) -> None:
    partial = folder / f".{job}.{os.getpid()}"
    partial.write_text(json.dumps(state), encoding="utf-8")
    partial.rename(folder / f"{job}.json")


def _options(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Long options, of which the last counts, and the words from the first that is none on."""
    found: dict[str, str] = {}
    rest = list(words)
    while rest and rest[0].startswith("-"):
        name, _, value = rest.pop(0).partition("=")
        found[name] = value
    return found, rest


def _hand_over(folder: Path, options: dict[str, str]) -> str:
    job = str(100 + len(list(folder.glob("*.json"))))
    name = options.get("--job-name") or os.environ.get("SLURM_JOB_NAME", "")
    state = {"state": "PENDING", "name": name, "wrap": options.get("--wrap", ""), "output": options.get("--output", "")}
    _write(folder, job, {**state, "requeue": "--requeue" in options and "--no-requeue" not in options, "restarts": 0})
    return job


def _sbatch(folder: Path, words: list[str]) -> int:
    options, rest = _options(words)
    if rest or "--wrap" not in options:
        sys.stderr.write("sbatch: error: This does not look like a batch script.\n")
        return 1
    job = _hand_over(folder, options)
    sys.stdout.write(f"{job}\n" if "--parsable" in options else f"Submitted batch job {job}\n")
    return 0


def _srun(folder: Path, words: list[str]) -> int:
    options, rest = _options(words)
    job = _hand_over(folder, options)
    sys.stderr.write(f"srun: job {job} queued and waiting for resources\n")

    def revoked(*_: object) -> None:
        _write(folder, job, _read(folder, job) | {"state": "CANCELLED"})
        sys.stderr.write(f"srun: Job allocation {job} has been revoked\n")
        os._exit(1)

    signal.signal(signal.SIGTERM, revoked)
    while True:
        state = _read(folder, job)["state"]
        if state == "RUNNING":
            break
        if state == "CANCELLED":
            revoked()
        time.sleep(0.02)
    process = subprocess.Popen(rest, env={**os.environ, "SLURM_JOB_ID": job})
    # signals are forwarded to the tasks
    signal.signal(signal.SIGTERM, lambda number, _: process.send_signal(number))
    status = process.wait()
    _write(folder, job, _read(folder, job) | {"state": "COMPLETED" if status == 0 else "FAILED"})
    return status


def _squeue(folder: Path, words: list[str]) -> int:
    options, _ = _options(words)
    assert options["--format"] == "%T" and "--noheader" in options
    try:
        sys.stdout.write(f"{_read(folder, options['--jobs'])['state']}\n")
    except FileNotFoundError:
        sys.stderr.write("slurm_load_jobs error: Invalid job id specified\n")
        return 1
    return 0


def _scancel(folder: Path, words: list[str]) -> int:
    options, rest = _options(words)
    names = {job.stem: _read(folder, job.stem)["name"] for job in folder.glob("*.json")}
    for job in rest or [job for job, name in names.items() if name == options["--name"]]:
        found = _read(folder, job)
        if found["state"] == "RUNNING" and "pid" in found:
            os.kill(found["pid"], signal.SIGCONT)
            os.kill(found["pid"], signal.SIGTERM)
        if found["state"] in {"PENDING", "RUNNING"}:
            _write(folder, job, found | {"state": "CANCELLED"})
    return 0


if __name__ == "__main__":
    commands = {"srun": _srun, "sbatch": _sbatch, "squeue": _squeue, "scancel": _scancel}
    sys.exit(commands[sys.argv[1]](Path(os.environ[PLACE]), sys.argv[2:]))
