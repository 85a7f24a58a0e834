"""Steps of dense networks in compiled code, where Numba is installed.

Numba, and so every other module of this package, is imported by `load` alone: it takes half a second, and compiling
for the first time some more.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import platformdirs


class Loaded(NamedTuple):
    """Compiled code."""

    train: Callable[..., None]
    """`training.train`."""
    compiled_s: float
    """Seconds that compiling took; 0 where the cache had it."""


@functools.cache
def load(dtype: str) -> Loaded:
    """`training.train` for members of that precision, from the user's cache or compiled now.

    ImportError where Numba is not installed, does not know this Python or NumPy, or is told not to compile.
    """
    begun = time.monotonic()
    import numba

    if numba.config.DISABLE_JIT:
        raise ImportError("Numba is told not to compile (NUMBA_DISABLE_JIT)")
    from condense_core.engine.steppers.compiled import training

    compiled = functools.partial(numba.njit, training.signature(dtype), error_model="numpy", nogil=True)
    folder = _cache()
    if folder is not None:
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
        try:
            train = compiled(cache=True)(training.train)
            return Loaded(train, 0.0 if train.stats.cache_hits else time.monotonic() - begun)
        except Exception:  # noqa: BLE001 - whatever a damaged cache raises: what is wrong otherwise is raised below, too
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            numba.config.CACHE_DIR = before
    return Loaded(compiled()(training.train), time.monotonic() - begun)


def _cache() -> Path | None:
    """Where compiled code is kept; None where nothing can be written there, or others than this user can write.

    Numba looks at the change time of one file only, so the folder's name says what was compiled: these sources.
    """
    sources = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        sources.update(source.read_bytes())
    folder = platformdirs.user_cache_path("condense-tui") / "compiled" / sources.hexdigest()[:16]
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = folder.stat()
        # Numba runs what it finds there
        mine = state.st_uid == os.geteuid() and not state.st_mode & 0o022
        if mine and os.access(folder, os.W_OK):
            return folder
    return None
