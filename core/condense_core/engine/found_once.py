"""What is found by trying on this machine: once, and kept in the user's cache, so that no later moment changes it."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import platformdirs


class FoundOnce(NamedTuple):
    """A word, and whether it is kept: what is not may be another next time."""

    word: str
    kept: bool


def found_once(topic: str, on: str, find: Callable[[], str], knows: Callable[[str], bool]) -> FoundOnce:
    """The word that `find` gave here first, of `topic` (the name of a folder) and `on`, all that it depends on, in
    words. A kept word that `knows` does not know is as good as none."""
    folder = platformdirs.user_cache_path("condense-tui") / topic
    file = folder / hashlib.sha256(on.encode()).hexdigest()[:16]
    before = _read(file, knows)
    if before is not None:
        return FoundOnce(before, kept=True)
    word = find()
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_text(f"{word}\n{on}\n", encoding="utf-8")
        # the first one stays, whoever else is trying
        with contextlib.suppress(FileExistsError):
            os.link(partial, file)
        partial.unlink()
    except OSError:
        return FoundOnce(word, kept=False)
    first = _read(file, knows)
    return FoundOnce(word, kept=False) if first is None else FoundOnce(first, kept=True)


def _read(file: Path, knows: Callable[[str], bool]) -> str | None:
    with contextlib.suppress(OSError, ValueError):
        word = file.read_text(encoding="utf-8").partition("\n")[0]
        return word if knows(word) else None
    return None
