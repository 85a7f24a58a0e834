"""A worker that imports PyTorch while it is still being found out what is to be trained. No torch here."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from condense_core.machine import job
from condense_core.runfile import control


class EarlyWorker:
    """One process, for one run. Use it as a context: left without having been given a run, the process ends.

    In a Slurm job there is none: a worker makes a folder of its own there before it imports anything.
    """

    def __init__(self) -> None:
        self._channel: socket.socket | None = None
        self._started: subprocess.Popen[bytes] | None = None
        if job():
            return
        # where there is no room for it, the worker that is started in its place says so
        with contextlib.suppress(OSError):
            self._start()

    def _start(self) -> None:
        with contextlib.ExitStack() as stack:
            channel, far = map(stack.enter_context, socket.socketpair())
            log = stack.enter_context(tempfile.TemporaryFile())
            # -P: nothing is imported from the folder where the user happens to stand.
            # It forks itself away; what it prints before it has a run comes into that run's log.
            self._started = subprocess.Popen(
                [sys.executable, "-P", "-m", "condense_core.engine", "--early"],
                stdin=far.fileno(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self._channel = channel.dup()

    def train(self, folder: Path, log: int) -> bool:
        """Have it train the run, which it holds from now on, with that open log; whether it could. RunFileError if the
        run has a worker."""
        if self._channel is None:
            return False
        try:
            control.hand_over(folder, log, self._channel)
        except OSError:
            # it has ended: whoever is started in its place says why, in the log
            return False
        self._end(given=True)
        return True

    def _end(self, *, given: bool = False) -> None:
        if self._channel is not None and self._started is not None:
            self._channel.close()
            if not given:
                self._started.kill()
            # else it has forked itself away: no child is left
            self._started.wait()
            self._channel = self._started = None

    def __enter__(self) -> EarlyWorker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()
