"""Every benchmark in one run: training, run file, start-up, the app while it is live, remote use, and keys over ssh.

    python benchmarks [training|run_file|startup|app|remote|drawn ...]

Each prints its own table, ratios where there is something to compare with; all of them take about ten minutes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
# In the order of what a reader wants to know first.
ORDER = ("training", "run_file", "startup", "app", "remote", "drawn")


def main() -> int:
    there = [name for name in ORDER if (HERE / f"{name}.py").exists()]
    asked = sys.argv[1:] or there
    unknown = [name for name in asked if name not in there]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; expected some of {', '.join(there)}", file=sys.stderr)
        return 2
    status = 0
    for name in asked:
        print(f"\n{name}", flush=True)
        # a process each: none is to profit from what another has imported
        status |= subprocess.run([sys.executable, str(HERE / f"{name}.py")], check=False).returncode
    return status


if __name__ == "__main__":
    sys.exit(main())
