"""Many short runs: a few at a time, in processes forked from one that has imported PyTorch. No torch here."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from pathlib import Path

from condense_core.errors import RunFailedError
from condense_core.machine import usable_cores

# PyTorch on a cold network file system takes this long to import at the worst that was seen on clusters.
START_PATIENCE_S = 300.0


class Pool:
    """Trains runs that are written and not started. Use it as a context: leaving it stops what still trains."""

    def __init__(self, jobs: int) -> None:
        """`jobs` runs are meant to train at a time; each gets its share of the cores as threads."""
        threads = os.environ.get("OMP_NUM_THREADS", str(max(1, usable_cores() // jobs)))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "condense_core.engine.training.forkserver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": threads},
            # Ctrl-C in the terminal is for the command; this process stops when its standard input closes
            start_new_session=True,
        )
        self._read = b""
        self._ready = False
        self.running: set[Path] = set()
        """Folders of the runs that have been started and have not ended."""

    def start(self, folder: Path) -> None:
        """Train the run in a separate process."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(os.fsencode(folder) + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise RunFailedError("the process that starts the workers has ended") from None
        self.running.add(folder)

    def ended(self, seconds: float) -> list[Path]:
        """Runs whose process has ended, waiting at most that long for the first; their files say how they ended."""
        deadline = time.monotonic() + (seconds if self._ready else START_PATIENCE_S)
        while True:
            found = self._lines(max(0.0, min(deadline - time.monotonic(), seconds)))
            if found or time.monotonic() >= deadline or self._ready:
                self.running -= set(found)
                return found

    def _lines(self, seconds: float) -> list[Path]:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        if select.select([descriptor], [], [], seconds)[0]:
            read = os.read(descriptor, 65_536)
            if not read:
                raise RunFailedError(f"the process that starts the workers ended with status {self._process.wait()}")
            self._read += read
        *lines, self._read = self._read.split(b"\n")
        ended = []
        for line in lines:
            folder, tab, _ = os.fsdecode(line).partition("\t")
            if tab:
                ended.append(Path(folder))
            else:
                self._ready = True
        return ended

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        # still importing PyTorch: nothing trains that would have to be waited for
        with contextlib.suppress(RunFailedError):
            self._lines(0.0)
            if not self._ready:
                self._process.kill()
        # its last answers are read away, so that it never waits for a full pipe
        self._process.stdout.read()
        self._process.wait()
