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
        raise ImportError(f"Numba cannot be imported: {_in_words(error)}") from error
    if numba.config.DISABLE_JIT:
        raise ImportError("Numba is told not to compile (NUMBA_DISABLE_JIT)")
    try:
        return _compiled(numba, make, sources, begun)
    except ImportError:
        raise
    except Exception as error:
        raise ImportError(f"Numba cannot compile here: {_in_words(error)}") from error


def _in_words(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first[:200]}"


def _compiled(
    numba: ModuleType, make: Callable[[], tuple[Callable[..., Any], object]], sources: Iterable[Path], begun: float
) -> Compiled:
    function, signature = make()
    compile_ = functools.partial(numba.njit, signature, error_model="numpy", nogil=True)
    folder = _cache(sources)
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


def _cache(sources: Iterable[Path]) -> Path | None:
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
        # Numba runs what it finds there
        mine = state.st_uid == os.geteuid() and not state.st_mode & 0o022
        if mine and os.access(folder, os.W_OK):
            return folder
    return None
