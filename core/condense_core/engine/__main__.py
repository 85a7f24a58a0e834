"""`python -m condense_core.engine FOLDER`: become a daemon, then train the run in FOLDER.

The fork comes before anything is imported: the process that started this one returns at once and has no child left,
and a closed terminal reaches neither.
"""

import os
import signal
import sys
from pathlib import Path


def main() -> int:
    folder = Path(sys.argv[1])
    if os.fork():
        os._exit(0)
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    from condense_core.engine.worker import work

    return work(folder)


if __name__ == "__main__":
    sys.exit(main())
