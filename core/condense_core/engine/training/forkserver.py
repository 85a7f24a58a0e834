"""PyTorch imported once, compiled steps loaded once they were needed, and forked for every run named on standard input.

`python -m condense_core.engine.training.forkserver` answers `FOLDER<tab>STATUS` when a run's
process has ended. When standard input closes, whatever still trains is told to stop, with a checkpoint: nothing
outlives whoever asked, nor this process where it is killed.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from condense_core.libraries import blame
from condense_core.runfile.info import LOG_NAME

# How often ended processes are looked for: far below what a run takes, and nothing in load.
LOOK_S = 0.02


def main() -> int:
    try:
        from condense_core.engine.training.worker import preload, work
    except Exception as error:  # noqa: BLE001 - whatever a broken installation raises
        why = blame(error) or f"PyTorch cannot be imported: {type(error).__name__}: {error}"
        sys.stderr.write(f"condense-tui: training {why}\n")
        return 1

    running: dict[int, str] = {}
    waiting = b""
    open_, preloaded = True, False
    # a run that reads the end of this pipe has lost the process that started it, however that went
    alive, held = os.pipe()
    _say("ready")
    while open_ or running:
        if open_ and select.select([0], [], [], LOOK_S)[0]:
            read = os.read(0, 65_536)
            if not read:
                open_ = False
                for pid in running:
                    os.kill(pid, signal.SIGTERM)
            *lines, waiting = (waiting + read).split(b"\n")
            for line in lines:
                folder = os.fsdecode(line)
                running[_fork(Path(folder), work, alive, held)] = folder
        pid, status = os.waitpid(-1, os.WNOHANG if open_ else 0) if running else (0, 0)
        if pid in running:
            load = None if preloaded or not open_ else preload
            preloaded = _ended(running.pop(pid), os.waitstatus_to_exitcode(status), load) or preloaded
    return 0


def _ended(folder: str, status: int, load: Callable[[Path], bool] | None) -> bool:
    """Say that a run has ended; whether `load` has loaded now what such runs load late, half of what a short one takes.

    It reads the run file, and comes first: whoever is told that the run has ended may remove its folder at once.
    """
    loaded = load is not None and load(Path(folder))
    _say(f"{folder}\t{status}")
    return loaded


def _fork(folder: Path, work: object, alive: int, held: int) -> int:
    assert callable(work)
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    os.close(held)
    threading.Thread(target=_stop_with_the_pool, args=(alive,), daemon=True).start()
    log = os.open(folder / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(0)
    os._exit(work(folder))


def _stop_with_the_pool(alive: int) -> None:
    """Nothing is ever written to the pipe: a read returns when nobody holds its other end any more."""
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _say(line: str) -> None:
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # nobody listens any more; standard input says the same, and the runs are stopped there
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - stays open for the process


if __name__ == "__main__":
    sys.exit(main())
