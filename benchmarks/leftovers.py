"""Temporary folders that are gone when a benchmark ends, also where somebody else ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from types import FrameType


def end_tidily() -> None:
    """Have the signals that end a program end it as an exception does, so that its temporary folders are removed."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


@contextlib.contextmanager
def scratch() -> Iterator[None]:
    """All temporary files, those of other programs and of `torch.compile` included, lie in one folder meanwhile; it is
    removed at the end."""
    end_tidily()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        try:
            yield
        finally:
            del os.environ["TMPDIR"]
            tempfile.tempdir = None
