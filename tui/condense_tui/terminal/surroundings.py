"""What a process is started with and cannot choose, made such that everything later may rely on it."""

from __future__ import annotations

import os
import sys
from typing import Literal, TextIO

# Wider and higher than any screen; what is asked to fill more than that does not come to an end.
LARGEST_SIDE = 2_000


def settle() -> None:
    """Give closed descriptors back their places, and forget a terminal's size that is none."""
    # a file that is opened next would take the place of a closed one, and be printed into
    sys.stdin = sys.stdin or _opened(0, os.O_RDONLY, "r")
    # to write to what can only be read fails: results that go nowhere are not a success
    sys.stdout = sys.stdout or _opened(1, os.O_RDONLY, "w")
    sys.stderr = sys.stderr or _opened(2, os.O_WRONLY, "w")
    for variable in ("COLUMNS", "LINES"):
        given = os.environ.get(variable, "1")
        if not (given.isascii() and given.isdigit() and len(given) < 8 and 1 <= int(given) <= LARGEST_SIDE):
            del os.environ[variable]


def _opened(descriptor: int, flags: int, mode: Literal["r", "w"]) -> TextIO:
    empty = os.open(os.devnull, flags)
    if empty != descriptor:
        os.dup2(empty, descriptor, inheritable=True)
        os.close(empty)
    return open(descriptor, mode, encoding="utf-8", errors="replace", closefd=False)
