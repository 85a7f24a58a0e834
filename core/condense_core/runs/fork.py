"""A fork of this process, which does one piece of work, answers through a pipe, and ends: it imports nothing anew.

Only where nothing of this process can go wrong in it: on Linux, for elsewhere the system's own libraries do not hold
after a fork; where the process has one thread, for of another one a fork would have the locks, and nobody who lets go
of them; and where whoever asks for it has no run open, as a fork must not use SQLite's connections or their locks. Of
what the two then share the fork uses nothing: its standard streams are others, and it ends without what Python does at
its end, so that nothing is written twice. Signals end it at once, as they do a process that is started.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, NoReturn

THREADS = Path("/proc/self/task")


def may_fork() -> bool:
    """Whether this process is one that can be forked; that no run is open in it whoever calls this knows."""
    # threads of libraries too, of which Python knows nothing
    return sys.platform == "linux" and THREADS.is_dir() and len([*THREADS.iterdir()]) == 1


class Fork:
    """In place of `subprocess.Popen`, as far as runs are read by one."""

    def __init__(self, work: Callable[[], object], asked: IO[bytes], pipesize: int, others: Sequence[int] = ()) -> None:
        """`work` is done with `asked` as standard input and a pipe as standard output. `others` are pipes of earlier
        forks, which would not see that this process is gone while another one has them open."""
        import fcntl

        self._pid = 0
        answers, theirs = os.pipe()
        self.stdout = os.fdopen(answers, "rb")
        # one that came between would have this process's handler run in the fork
        held = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            try:
                fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, pipesize)
                self._pid = os.fork()
                if not self._pid:
                    _work(work, asked.fileno(), theirs, [answers, *others], held)
            finally:
                os.close(theirs)
                signal.pthread_sigmask(signal.SIG_SETMASK, held)
        except BaseException:
            if self._pid:
                self.kill()
                self.wait()
            raise

    def kill(self) -> None:
        """End it, if it has not ended."""
        # gone by itself where this process was started with its children's ends ignored
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> None:
        """Until it has ended; once."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _work(
    work: Callable[[], object], asked: int, answers: int, others: Sequence[int], held: set[int | signal.Signals]
) -> NoReturn:
    """In the fork: do the work, and end."""
    status = 1
    try:
        for each in signal.valid_signals():
            if callable(signal.getsignal(each)):
                signal.signal(each, signal.SIG_DFL)
        for mine, number in ((asked, 0), (answers, 1), (os.open(os.devnull, os.O_WRONLY), 2)):
            os.dup2(mine, number)
        for mine in (answers, *others):
            os.close(mine)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        work()
        status = 0
    finally:
        os._exit(status)
