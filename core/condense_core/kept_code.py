"""Files of machine code in the user's cache: whole, or not there."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

_SIZE = hashlib.sha256().digest_size


def read(file: Path) -> bytes | None:
    """What was kept; None where there is nothing, or it is damaged, which is then removed."""
    try:
        data = file.read_bytes()
    except OSError:
        return None
    code = data[:-_SIZE]
    if hashlib.sha256(code).digest() == data[-_SIZE:]:
        return code
    with contextlib.suppress(OSError):
        file.unlink()
    return None


def write(file: Path, code: bytes) -> None:
    """Keep it; a process that reads meanwhile finds all of it, or nothing. What is there already stays: another machine
    may run it from this very file."""
    if read(file) is not None:
        return
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        # behind the code, where a system that loads it does not look
        partial.write_bytes(code + hashlib.sha256(code).digest())
        partial.replace(file)
    except OSError:
        # a full disk: it is compiled again next time
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
