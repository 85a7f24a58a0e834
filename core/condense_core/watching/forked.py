"""A recorder that is a fork of the process that trains: PyTorch is there already, which is most of a recorder's start.

Only for a process in which nobody has trained yet and which has one thread: a fork of another one has its locks as they
were, and keeps what the training has in memory.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from condense_core.watching.recorder import record

# How often a recorder that ends is looked for.
LOOK_S = 0.01


class Forked:
    """In place of `subprocess.Popen`, as far as a recording uses it."""

    def __init__(self, folder: Path, *, keep_empty: bool) -> None:
        (there, ours), (here, theirs) = os.pipe(), os.pipe()
        self._status: int | None = None
        self._pid = os.fork()
        if not self._pid:
            # or it would never see that training is gone
            os.close(ours)
            os.close(here)
            _serve(folder, there, theirs, keep_empty=keep_empty)
        os.close(there)
        os.close(theirs)
        self.stdin, self.stdout = os.fdopen(ours, "wb"), os.fdopen(here, "rb")

    def wait(self, timeout: float | None = None) -> int:
        """The status that it ended with; TimeoutExpired where it has not by then."""
        end = None if timeout is None else time.monotonic() + timeout
        while self._status is None:
            try:
                pid, status = os.waitpid(self._pid, 0 if end is None else os.WNOHANG)
            except ChildProcessError:
                # the script waits for children of its own, and has waited for this one
                pid, status = self._pid, 0
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
            elif end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("recorder", timeout or 0.0)
            else:
                time.sleep(LOOK_S)
        return self._status


def _serve(folder: Path, incoming: int, outgoing: int, *, keep_empty: bool) -> None:
    """In the fork: be the recorder's process, and end with it."""
    import torch

    status = 1
    try:
        # Ctrl-C in a terminal is meant for the training, whose end is recorded
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        # as a process of its own has them by its environment
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        torch.set_num_threads(1)
        status = record(folder, os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb"), keep_empty=keep_empty)
    finally:
        os._exit(status)
