"""`python -m condense_core.engine FOLDER`: become a daemon, then train the run in FOLDER; with `--stay`, only train.
With `--early` in place of a folder: import PyTorch, and train the run that is handed over on standard input.

The run is held before the fork, and PyTorch is imported after it: whoever started this process gets an answer at once,
has no child left, and from then on the run's lock says whether its worker is alive. A closed terminal reaches neither.
"""

import contextlib
import os
import signal
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

from condense_core.engine.training.early_stop import StoppedEarly, stoppable
from condense_core.errors import CondenseError
from condense_core.libraries import blame
from condense_core.machine import job
from condense_core.runfile import control


def main() -> int:
    if sys.argv[1:] == ["--early"]:
        return _early()
    folder = Path(sys.argv[1])
    try:
        with control.hold(folder):
            if sys.argv[2:] != ["--stay"]:
                if os.fork():
                    # the child has inherited the lock and keeps it
                    os._exit(0)
                os.setsid()
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            with _scratch():
                return _train(_Run(folder))
    except CondenseError as error:
        control.log(str(error))
        return error.exit_code


class _Run:
    """The run that is trained, known from the start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def say_stage(self) -> None:
        control.say_stage(self._folder, "importing PyTorch")

    def folder(self) -> Path:
        """Its folder; waits until it is known."""
        return self._folder


class _LaterRun(_Run):
    """One that is handed over on standard input, while PyTorch is imported or after that. Nobody waits for this process
    to say that it has heard: the lock comes with the run. Where none comes any more the process ends."""

    def __init__(self) -> None:
        self._known = threading.Event()
        self._imports = True
        threading.Thread(target=self._take_over, name="run to come", daemon=True).start()

    def say_stage(self) -> None:
        """Said by the thread, once the run is known."""

    def folder(self) -> Path:
        self._imports = False
        self._known.wait()
        return self._folder

    def let_go(self) -> None:
        """Hold the run no more."""
        os.close(self._held)

    def _take_over(self) -> None:
        try:
            with socket.socket(fileno=os.dup(0)) as channel:
                found = control.take_over(channel)
            if found is None:
                os._exit(0)
            self._folder, self._held, log = found
            _print_to(log)
            if self._imports:
                super().say_stage()
        except BaseException:  # noqa: BLE001 - nobody would be told that no run comes, and it would be held for ever
            control.log(traceback.format_exc())
            os._exit(1)
        self._known.set()


def _print_to(log: int) -> None:
    """From here on what is printed goes to a run's log, and first what was printed before, to a file."""
    so_far = os.dup(2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, place in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, place)
    os.close(nothing)
    os.close(log)
    with os.fdopen(so_far, encoding="utf-8", errors="replace") as printed:
        printed.seek(0)
        if words := printed.read():
            control.log(words)


def _early() -> int:
    if os.fork():
        # whoever started this process has no child left
        os._exit(0)
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    run = _LaterRun()
    status = _train(run)
    # what PyTorch does at the end of a process concerns nobody who waits for the run
    run.let_go()
    return status


@contextlib.contextmanager
def _scratch() -> Iterator[None]:
    """In a Slurm job: a folder of the job's own for temporary files, on the node's disk where Slurm names one; it goes
    with the worker. Jobs that share a node do not meet in it."""
    if not job():
        yield
        return
    # not where Slurm's folder is missing, as a cluster without that plugin has it
    named = os.environ.get("SLURM_TMPDIR", "")
    place = named if named and Path(named).is_dir() else None
    with tempfile.TemporaryDirectory(prefix=f"condense-tui-{job()}-", dir=place) as own:
        os.environ["TMPDIR"] = tempfile.tempdir = own
        yield


def _train(run: _Run) -> int:
    try:
        with stoppable():
            run.say_stage()
            from condense_core.engine.training.worker import train

            folder = run.folder()
    except StoppedEarly as stop:
        control.record_end(run.folder(), "stopped", str(stop))
        return 0
    except BaseException as error:  # noqa: BLE001 - whatever a broken installation raises, the run says it
        folder = run.folder()
        control.log(traceback.format_exc())
        library = blame(error)
        control.record_failure(
            folder,
            f"training {library}"
            if library
            else f"PyTorch, or a package that it needs, cannot be imported: {type(error).__name__}: {error}",
        )
        return 1
    return train(folder)


if __name__ == "__main__":
    sys.exit(main())
