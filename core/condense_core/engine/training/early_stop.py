"""Stopping a worker that does not train yet: while it imports PyTorch, reads its data, or waits for either."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

# Of a person, of a scheduler, and of a limit on processor time.
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGXCPU)

_raised = threading.Event()
# held for the length of a call by whoever sends the signal, so that none comes after the one that was heeded
# (one signal may come while another is handled: the same thread may hold it twice)
_lock = threading.RLock()


class StoppedEarly(BaseException):
    """Raised in the main thread wherever it is; its text is the run's reason."""


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Signals that stop raise StoppedEarly in the block, until something else handles them or it ends. The one that
    asks for a checkpoint is passed over: there is nothing to keep yet."""
    _raised.clear()
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    before = {number: signal.signal(number, _stop) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is _stop:
                signal.signal(number, handler)


def stop_now() -> None:
    """Have the main thread of a `stoppable` process raise StoppedEarly, also where it waits for a file.

    To be called from another thread, and again until it has: a signal that comes just before the main thread begins to
    wait interrupts nothing.
    """
    with _lock:
        if not _raised.is_set():
            os.kill(os.getpid(), signal.SIGTERM)


def _stop(number: int, _: object) -> None:
    with _lock:
        if _raised.is_set():
            return
        _raised.set()
    raise StoppedEarly(f"stopped by {signal.Signals(number).name} before training began")
