"""`python -m condense_core.engine FOLDER`: become a daemon, then train the run in FOLDER; with `--stay`, only train.

The run is held before the fork, and PyTorch is imported after it: whoever started this process gets an answer at once,
has no child left, and from then on the run's lock says whether its worker is alive. A closed terminal reaches neither.
"""

import contextlib
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

from condense_core.engine.training.early_stop import StoppedEarly, stoppable
from condense_core.errors import CondenseError
from condense_core.libraries import blame
from condense_core.machine import job
from condense_core.runfile import control


def main() -> int:
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
                return _train(folder)
    except CondenseError as error:
        control.log(str(error))
        return error.exit_code


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


def _train(folder: Path) -> int:
    try:
        with stoppable():
            control.say_stage(folder, "importing PyTorch")
            from condense_core.engine.training.worker import train
    except StoppedEarly as stop:
        control.record_end(folder, "stopped", str(stop))
        return 0
    except BaseException as error:  # noqa: BLE001 - whatever a broken installation raises, the run says it
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
