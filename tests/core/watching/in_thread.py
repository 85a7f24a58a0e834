"""A recorder in a thread of the test, behind the same pipes that its process has."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import msgspec

from condense_core.runfile import control
from condense_core.watching import pipe
from condense_core.watching.measuring import serve

MODULE = "condense_core.watching.recorder"


class InThread:
    """In place of `subprocess.Popen`, as far as a recording uses it."""

    def __init__(self, command: list[str], **_: Any) -> None:
        folder = Path(command[command.index(MODULE) + 1])
        (there, ours), (here, theirs) = os.pipe(), os.pipe()
        self.stdin, self.stdout = os.fdopen(ours, "wb"), os.fdopen(here, "rb")
        self._incoming, self._outgoing = os.fdopen(there, "rb"), os.fdopen(theirs, "wb", buffering=0)
        self._status = -1
        self._thread = threading.Thread(target=self._serve, args=(folder, "--keep-empty" in command), daemon=True)
        self._thread.start()

    def _serve(self, folder: Path, keep_empty: bool) -> None:
        def answer(found: pipe.Answer) -> None:
            self._outgoing.write(msgspec.json.encode(found) + b"\n")

        with control.hold(folder):
            self._status = serve(folder, self._incoming, answer, keep_empty=keep_empty)
        self._incoming.close()
        self._outgoing.close()

    def wait(self, timeout: float | None = None) -> int:
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise subprocess.TimeoutExpired("recorder", timeout or 0.0)
        return self._status
