"""Machine code as a shared library, which the system loads in a thousandth of a second: LLVM takes twenty.

On Linux, where the linker is there with which this Python has its extensions made. Elsewhere LLVM loads the code.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import shlex
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from condense_core import kept_code

# It takes a twentieth of a second.
_PATIENCE_S = 30.0


class Loaded(NamedTuple):
    """Machine code in memory: where a function of a name begins, 0 where there is none, and what keeps it there."""

    address: Callable[[str], int]
    keeps: object


def link(code: bytes, file: Path) -> None:
    """Keep an object file, of code that may lie anywhere, as a shared library, where one can be made of it."""
    if sys.platform != "linux":
        return
    # ValueError: settings of this Python that are no command
    with contextlib.suppress(OSError, ValueError), tempfile.TemporaryDirectory() as folder:
        command = shlex.split(sysconfig.get_config_var("LDSHARED") or "")
        made, library = Path(folder) / "code.o", Path(folder) / "code.so"
        made.write_bytes(code)
        # nothing but what is in it
        command += ["-nostdlib", "-Wl,-z,noexecstack", "-o", str(library), str(made)]
        if _ends_well(command):
            kept_code.write(file, library.read_bytes())


def _ends_well(command: list[str]) -> bool:
    """Whether a program ends with status 0, in time; what it began of its own ends with it."""
    quiet = subprocess.DEVNULL
    program = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        return program.wait(_PATIENCE_S) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()


def load(file: Path) -> Loaded | None:
    """The library that was kept; None where there is none that is whole, or the system takes none from there."""
    if kept_code.read(file) is None:
        return None
    try:
        library = ctypes.CDLL(str(file))
    except OSError:
        # nothing in this home may be run
        return None
    return Loaded(functools.partial(_address, library), library)


def _address(library: ctypes.CDLL, name: str) -> int:
    found = getattr(library, name, None)
    return 0 if found is None else ctypes.cast(found, ctypes.c_void_p).value or 0
