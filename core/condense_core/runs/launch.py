"""`python -m condense_core.runs.launch FOLDER COMMAND …`: have a cluster's launcher start the run's worker.

A launcher such as srun stays for as long as what it started, and may wait for hours until there is room. This process
waits with it, as a daemon: it keeps the run's heart beating until the worker does that itself, wherever that is.
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
from condense_core.runfile.info import read_info
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.text import printable

# Well under what a reader takes for a lost start (info.COLD_GRACE_S).
BEAT_S = 5.0


def main() -> int:
    folder, command = Path(sys.argv[1]), sys.argv[2:]
    _update(folder, "host = ?, reason = ?", f"{socket.gethostname()} ({command[0]})", f"waiting for {command[0]}")
    if os.fork():
        os._exit(0)
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return launch(folder, command)


def launch(folder: Path, command: list[str]) -> int:
    """Run the launcher with the worker's command line until it ends; its exit status."""
    worker = [sys.executable, "-P", "-m", "condense_core.engine", str(folder), "--stay"]
    try:
        process = subprocess.Popen([*command, *worker], stdin=subprocess.DEVNULL)
    except OSError as error:
        control.record_failure(folder, f"the launcher {command[0]} cannot be started: {error.strerror}")
        return 1
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = process.wait(BEAT_S)
            break
        _beat(folder)
    if _is_starting(folder):
        control.record_failure(
            folder, f"{printable(' '.join(command))} ended with status {status} before training started"
        )
    return status


def _beat(folder: Path) -> None:
    try:
        _update(folder, "heartbeat = ?", time.time())
    except (CondenseError, sqlite3.Error) as error:
        control.log(str(error))


def _update(folder: Path, settings: str, *values: object) -> None:
    with writer(folder / FILE_NAME) as connection:
        connection.execute(f"UPDATE run SET {settings} WHERE status = 'starting'", values)


def _is_starting(folder: Path) -> bool:
    with writer(folder / FILE_NAME) as connection:
        return read_info(connection, folder).status in {"starting", "lost"}


if __name__ == "__main__":
    sys.exit(main())
