"""Every benchmark in one run: training, run file, start-up, plots, the live app, remote use, keys over ssh, other
programs that show curves, and growth.

Each prints its own table, ratios where there is something to compare with; all of them take about half an hour. One
that fails says so, and the others go on. Options of one are given to it alone: python benchmarks/startup.py --help.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from leftovers import end_tidily

HERE = Path(__file__).parent
# In the order of what a reader wants to know first.
ORDER = (
    "training",
    "measuring",
    "run_file",
    "startup",
    "plots",
    "app",
    "many_runs",
    "remote",
    "drawn",
    "viewers",
    "growth",
)
# Longer than any of them takes on a slow machine.
PATIENCE_S = 1800.0
TO_CLEAR_UP_S = 20.0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    # argparse holds a list that may be empty against its choices as a whole
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(ORDER)}; all without")
    asked = parser.parse_args().names or ORDER
    if unknown := [name for name in asked if name not in ORDER]:
        parser.error(f"no benchmark {', '.join(unknown)}; expected some of {', '.join(ORDER)}")
    failed = []
    for name in asked:
        print(f"\n{name}", flush=True)
        try:
            # a process each: none is to profit from what another has imported
            status = _ended(subprocess.Popen([sys.executable, str(HERE / f"{name}.py")]))
            why = f"exit status {status}" if status else ""
        except subprocess.TimeoutExpired:
            why = f"no end after {PATIENCE_S:g} s"
        if why:
            print(f"{name} failed: {why}", file=sys.stderr, flush=True)
            failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Its exit status; TimeoutExpired where it had to be ended, which lets it clear up."""
    with process:
        try:
            return process.wait(PATIENCE_S)
        finally:
            process.terminate()
            try:
                process.wait(TO_CLEAR_UP_S)
            except subprocess.TimeoutExpired:
                process.kill()


if __name__ == "__main__":
    end_tidily()
    sys.exit(main())
