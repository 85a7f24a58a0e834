"""Functions that Numba compiles, where it is installed, kept from one process to the next in the user's cache.

Numba, and so every module with functions for it, is imported where one is loaded and nowhere else: it takes half a
second, and compiling for the first time some more.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import platformdirs


class Compiled(NamedTuple):
    """Compiled code."""

    call: Callable[..., Any]
    compiled_s: float
    """Seconds that compiling took; 0 where the cache had it."""


def compiled(make: Callable[[], tuple[Callable[..., Any], object]], sources: Iterable[Path]) -> Compiled:
    """The function that `make` gives with its signature, from the cache or compiled now; `sources` is all that goes
    into it. `make` is called once Numba is known to be there, and may import it.

    ImportError where Numba is not installed, does not know this Python or NumPy, is broken, cannot compile for this
    processor, or is told not to.
    """
    begun = time.monotonic()
    try:
        import numba
    except ImportError:
        raise
    except Exception as error:
        # a library that it needs is missing, or too old for it: whatever it raises, steps can be taken without it
        raise ImportError(f"Numba cannot be imported: {in_words(error)}") from error
    if is_told_not_to():
        raise ImportError("Numba is told not to compile (NUMBA_DISABLE_JIT)")
    try:
        return _compiled(numba, make, sources, begun)
    except ImportError:
        raise
    except Exception as error:
        raise ImportError(f"Numba cannot compile here: {in_words(error)}") from error


def is_told_not_to() -> bool:
    """Whether nothing is to be compiled (NUMBA_DISABLE_JIT), asked of Numba where that is loaded."""
    numba = sys.modules.get("numba")
    told = os.environ.get("NUMBA_DISABLE_JIT", "") not in {"", "0"}
    return told if numba is None else bool(numba.config.DISABLE_JIT)


def in_words(error: Exception) -> str:
    """What a library has raised."""
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first[:200]}"


def _compiled(
    numba: ModuleType, make: Callable[[], tuple[Callable[..., Any], object]], sources: Iterable[Path], begun: float
) -> Compiled:
    function, signature = make()
    compile_ = functools.partial(numba.njit, signature, error_model="numpy", nogil=True)
    folder = cache_folder(sources)
    if folder is not None:
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
        try:
            call = compile_(cache=True)(function)
            return Compiled(call, 0.0 if call.stats.cache_hits else time.monotonic() - begun)
        except Exception:  # noqa: BLE001 - whatever a damaged cache raises: what is wrong otherwise is raised below, too
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            numba.config.CACHE_DIR = before
    return Compiled(compile_()(function), time.monotonic() - begun)


def cache_folder(sources: Iterable[Path]) -> Path | None:
    """Where compiled code is kept; None where nothing can be written there, or others than this user can write.

    Numba looks at the change time of one file only, so the folder's name says what was compiled: these sources.
    """
    found = hashlib.sha256()
    for source in sorted(sources):
        found.update(source.read_bytes())
    folder = platformdirs.user_cache_path("condense-tui") / "compiled" / found.hexdigest()[:16]
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = folder.stat()
        # what is found there is run
        mine = state.st_uid == os.geteuid() and not state.st_mode & 0o022
        if mine and os.access(folder, os.W_OK):
            return folder
    return None
