"""What a process is started with and cannot choose, made such that everything later may rely on it."""

from __future__ import annotations

import io
import os
import sys
from typing import Any, Literal, TextIO

# Wider and higher than any screen; what is asked to fill more than that does not come to an end.
LARGEST_SIDE = 2_000


def settle() -> None:
    """Give closed descriptors back their places, and forget a terminal's size that is none."""
    # a file that is opened next would take the place of a closed one, and be printed into
    sys.stdin = sys.stdin or _opened(0, os.O_RDONLY, "r")
    # to write to what can only be read fails: results that go nowhere are not a success
    sys.stdout = sys.stdout or _opened(1, os.O_RDONLY, "w")
    sys.stderr = sys.stderr or _opened(2, os.O_WRONLY, "w")
    if sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper):
        # what is said there beside the results is no reason to lose them, where nobody hears it: a closed terminal, a
        # full disk, a pipe whose reader is gone
        below, encoding, errors = _HeardOrNot(2, "w", closefd=False), sys.stderr.encoding, sys.stderr.errors
        heard_or_not = io.TextIOWrapper(io.BufferedWriter(below), encoding, errors, line_buffering=True)
        sys.stderr = sys.__stderr__ = heard_or_not  # type: ignore[misc]
    for variable in ("COLUMNS", "LINES"):
        given = os.environ.get(variable, "1")
        if not (given.isascii() and given.isdigit() and len(given) < 8 and 1 <= int(given) <= LARGEST_SIDE):
            del os.environ[variable]


class _HeardOrNot(io.FileIO):
    """A stream that takes all that is written, and lets go of what cannot be."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(memoryview(data).cast("B"))


def _opened(descriptor: int, flags: int, mode: Literal["r", "w"]) -> TextIO:
    empty = os.open(os.devnull, flags)
    if empty != descriptor:
        os.dup2(empty, descriptor, inheritable=True)
        os.close(empty)
    return open(descriptor, mode, encoding="utf-8", errors="replace", closefd=False)
