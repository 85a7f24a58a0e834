"""`python -m condense_core.engine FOLDER`: become a daemon, then train the run in FOLDER; with `--stay`, only train.

The run is held before the fork, and PyTorch is imported after it: whoever started this process gets an answer at once,
has no child left, and from then on the run's lock says whether its worker is alive. A closed terminal reaches neither.
"""

import os
import signal
import sys
import traceback
from pathlib import Path

from condense_core.engine.training.early_stop import StoppedEarly, stoppable
from condense_core.errors import CondenseError
from condense_core.libraries import blame
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
            return _train(folder)
    except CondenseError as error:
        control.log(str(error))
        return error.exit_code


def _train(folder: Path) -> int:
    try:
        with stoppable():
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
