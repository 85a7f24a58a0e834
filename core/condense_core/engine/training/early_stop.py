"""Stopping a worker that does not train yet: while it imports PyTorch, reads its data, or waits for either."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StoppedEarly(BaseException):
    """Raised in the main thread wherever it is; its text is the run's reason."""


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM and SIGINT raise StoppedEarly in the block, until something else handles them or it ends."""
    before = {number: signal.signal(number, _stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is _stop:
                signal.signal(number, handler)


def stop_now() -> None:
    """Have the main thread of a `stoppable` process raise StoppedEarly, also where it waits for a file; to be called
    from another thread."""
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(number: int, _: object) -> None:
    raise StoppedEarly(f"stopped by {signal.Signals(number).name} before training began")
