"""`python -m condense_core.watching.recorder FOLDER`: the process that measures and writes what is watched.

A process of its own: Python runs one thread of a process at a time, and a training would wait for each line of its
measuring. It ends with the training's process, whose end it sees by its standard input. The run is held before PyTorch
is imported, so that from the beginning its lock says whether it is alive.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from condense_core.foreign import reason
from condense_core.runfile import control


def main() -> int:
    folder = Path(sys.argv[1])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # the training's process gets them too, and says here what they made of it
        signal.signal(number, signal.SIG_IGN)
    os.nice(5)
    try:
        with control.hold(folder):
            from condense_core.watching.measuring import serve

            keep_empty = sys.argv[2:] == ["--keep-empty"]
            return serve(folder, sys.stdin.buffer, answer, keep_empty=keep_empty, worked=time.process_time)
    except Exception as error:  # noqa: BLE001 - the boundary of the process: training is told, and goes on
        with contextlib.suppress(OSError):
            sys.stdout.buffer.write(msgspec.json.encode({"failed": reason(error)}) + b"\n")
        return 1


_speaking = threading.Lock()


def answer(found: Any) -> None:
    """Say something to the training's process; from any thread."""
    with _speaking:
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    # without taking PyTorch apart, which nobody needs
    os._exit(main())
