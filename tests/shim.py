"""A library that is preloaded and lets things go wrong below a program (shim.c says which), and what it wrote down."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# All kinds of changes.
ANY = "WTSRUMDO"


class NoCompilerError(Exception):
    """There is no C compiler here."""


def compiled(folder: Path) -> Path:
    """The library, made in that folder unless it is there; NoCompilerError."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoCompilerError("no C compiler (cc) on this machine")
    library = folder / "shim.so"
    if not library.exists():
        made = folder / f"shim-{os.getpid()}.so"
        source = Path(__file__).with_name("shim.c")
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", made, source, "-ldl", "-pthread"], check=True)
        made.replace(library)
    return library


class Change(NamedTuple):
    """One change of a file: its kind (a letter, as shim.c lists them), the file, and what belongs to it."""

    kind: str
    path: str
    other: str
    """The new name, of a rename."""
    at: int
    """Where it was written, the length that a file was cut to, or how much of it was there when it was synced (-1: what
    was written before)."""
    data: bytes


def journal(file: Path) -> Iterator[Change]:
    """The changes that were written down, oldest first; one that was cut off by the program's end is left out."""
    with file.open("rb") as opened:
        while head := opened.readline():
            kind, at, size, long, other = head.split()
            path, to = opened.read(int(long)), opened.read(int(other))
            data = opened.read(int(size))
            if len(to) < int(other) or len(data) < int(size):
                return
            yield Change(kind.decode(), os.fsdecode(path), os.fsdecode(to), int(at), data)
