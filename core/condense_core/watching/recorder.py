"""`python -m condense_core.watching.recorder FOLDER`: the process that measures and writes what is watched.

A process of its own: Python runs one thread of a process at a time, and a training would wait for each line of its
measuring. It ends with the training's process, whose end it sees by its standard input. The run is held before PyTorch
is imported, so that from the beginning its lock says whether it is alive.

Where nothing but this program has run yet, as before a script that is watched unchanged, it is a fork of the training's
process, `forked.py`: PyTorch is there already, and to import it once more would take longer than measuring does in a
short training.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from condense_core.foreign import reason
from condense_core.runfile import control


def main() -> int:
    return record(Path(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer, keep_empty=sys.argv[2:] == ["--keep-empty"])


def record(folder: Path, incoming: BinaryIO, outgoing: BinaryIO, *, keep_empty: bool) -> int:
    """Record what comes in until training ends or is gone; the status that the process ends with."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # the training's process gets them too, and says here what they made of it
        signal.signal(number, signal.SIG_IGN)
    os.nice(5)
    speaking = threading.Lock()

    def answer(found: Any) -> None:
        """Say something to the training's process; from any thread."""
        with speaking:
            outgoing.write(msgspec.json.encode(found) + b"\n")
            outgoing.flush()

    try:
        with control.hold(folder):
            from condense_core.watching.measuring import serve

            return serve(folder, incoming, answer, keep_empty=keep_empty, worked=time.process_time)
    except Exception as error:  # noqa: BLE001 - the boundary of the process: training is told, and goes on
        with contextlib.suppress(OSError):
            answer({"failed": reason(error)})
        return 1


if __name__ == "__main__":
    # without taking PyTorch apart, which nobody needs
    os._exit(main())
