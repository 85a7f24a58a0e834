"""Memory of a process that trains: what a step gives back is there for the next one."""

from __future__ import annotations

import contextlib
import ctypes
import os

# Arrays up to this size, and as much of what is free at the end of the heap, glibc's malloc keeps. By default it takes
# each array of more than 32 MB from the system anew, whose pages are then made and cleared one by one: half of a step.
KEPT_BYTES = 2**30
# The most that an older glibc, as of many clusters, lets arrays be that it keeps: it refuses more.
OLD_ARRAY_BYTES = 2**25
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


def keep_pages() -> None:
    """Have this process keep the memory that a step gives back. Where the C library is another, or the user has set
    $MALLOC_MMAP_THRESHOLD_ or the like, nothing changes."""
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        # the second alone would make it worse: malloc raises the first by itself as long as neither is set
        if mallopt(_MMAP_THRESHOLD, KEPT_BYTES) or mallopt(_MMAP_THRESHOLD, OLD_ARRAY_BYTES):
            mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
