"""`python -m tests.campaigns [NAME …]`: try what could break the program, thousands of times, from one seed.

Prints how many were tried and how many failed; what failed is kept in a folder that is named, with how to repeat it,
and the status is then 1. Without names all are run, within MINUTES each.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
from pathlib import Path


def main() -> int:
    from campaigns.catalogue import CAMPAIGNS
    from campaigns.framework import run

    names = "\n".join(f"  {name:12} {each.tried:>9,} {each.unit}: {each.about}" for name, each in CAMPAIGNS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.campaigns",
        description=__doc__,
        epilog=f"campaigns:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="of campaigns; all without")
    parser.add_argument("--seed", type=int, default=None, help="of all that is drawn (default: another each time)")
    parser.add_argument("--minutes", type=float, default=15.0, help="at most so long each (%(default)s)")
    parser.add_argument("--tried", type=int, default=None, help="how many are tried (default: as listed below)")
    parser.add_argument("--only", type=int, default=None, help="only the attempt of that number, to repeat a failure")
    parser.add_argument("--keep", type=Path, default=Path("campaign-failures"), help="where failures go (%(default)s)")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in CAMPAIGNS]
    if unknown:
        parser.error(f"unknown campaign {', '.join(unknown)}; expected one of {', '.join(CAMPAIGNS)}")
    # started in the background, Ctrl-C may be ignored, and what is started from here would ignore it too
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["OMP_NUM_THREADS"] = "1"
    seed = random.randrange(2**31) if asked.seed is None else asked.seed
    failed = False
    for name in asked.names or CAMPAIGNS:
        campaign = CAMPAIGNS[name]
        tried = campaign.tried if asked.tried is None else asked.tried
        try:
            outcome = run(
                campaign, seed=seed, tried=tried, minutes=asked.minutes, keep=asked.keep.resolve(), only=asked.only
            )
        except KeyboardInterrupt:
            sys.stderr.write(f"{name}: interrupted (seed {seed})\n")
            return 130
        sys.stdout.write(f"{outcome}\n")
        sys.stdout.flush()
        failed |= outcome.failed > 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
