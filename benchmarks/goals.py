"""Every goal of speed and size that a processor alone can show, in one run and one table: what · goal · measured ·
what it is measured beside · reached or not.

Medians of five rounds; where a peer or an older way is measured beside ours, both take turns in each round, and the
ratio is the median of the rounds' ratios. Each part is a process of its own, one after the other; a part that fails
says so in its line, and a peer that is not installed is named. About 25 minutes on two quiet cores. What is after `--`
is given to `reproduce --quick`, so that it finds data: python benchmarks/goals.py -- --data-root ~/data
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from goal_rows import Row, table
from leftovers import end_tidily, scratch

# Parts by name, and the modules that have them: those of training import PyTorch.
PARTS = {
    "dense": "goals_training",
    "small": "goals_training",
    "equal": "goals_training",
    "threads": "goals_training",
    "convolutions": "goals_training",
    "memory": "goals_training",
    "measuring": "goals_measuring",
    "recorded": "goals_measuring",
    "file": "goals_program",
    "startup": "goals_program",
    "home": "goals_program",
    "growth": "goals_program",
    "reproduce": "goals_program",
}
# Longer than any part takes on a slow machine.
PATIENCE_S = 1800.0


def part(name: str, rounds: int, extra: list[str]) -> list[Row]:
    """One part, in this process."""
    take: Callable[..., list[Row]] = getattr(importlib.import_module(PARTS[name]), name)
    return take(rounds, extra) if name == "reproduce" else take(rounds)


def part_elsewhere(name: str, rounds: int, extra: list[str]) -> list[Row]:
    """One part, in a process of its own, whose other output goes to stderr."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = [sys.executable, __file__, "--part", name, str(file), "--rounds", str(rounds), "--", *extra]
        # one thread, but where a part says otherwise; `reproduce` and the program itself are as a person has them
        alone = {} if PARTS[name] == "goals_program" else {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        try:
            done = subprocess.run(
                command, env={**os.environ, **alone}, stdout=sys.stderr, check=False, timeout=PATIENCE_S
            )
            why = f"exit status {done.returncode}" if done.returncode else ""
        except subprocess.TimeoutExpired:
            why = f"no end after {PATIENCE_S:g} s"
        if why:
            return [Row(name, "it runs", f"failed: {why}", reached=False)]
        return [Row(*cells) for cells in json.loads(file.read_text(encoding="utf-8"))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--only", choices=PARTS, action="append", help="some of the parts")
    parser.add_argument("--without", choices=PARTS, action="append", default=[], help="all but some of the parts")
    parser.add_argument("--part", nargs=2, metavar=("NAME", "FILE"), help="one part in this process, as JSON in FILE")
    parser.add_argument("extra", nargs="*", metavar="-- OPTION", help="for reproduce --quick")
    asked = parser.parse_args()
    if asked.part:
        name, file = asked.part
        with scratch():
            Path(file).write_text(json.dumps(part(name, asked.rounds, asked.extra)), encoding="utf-8")
        return 0
    begun = time.monotonic()
    rows: list[Row] = []
    for name in asked.only or [name for name in PARTS if name not in asked.without]:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows += part_elsewhere(name, asked.rounds, asked.extra)
    reached, tested = sum(row.reached is True for row in rows), sum(row.reached is not None for row in rows)
    print(table(rows))
    print(
        f"\n{reached} of {tested} goals are reached; {asked.rounds} rounds, {(time.monotonic() - begun) / 60:.0f} min."
    )
    return 0


if __name__ == "__main__":
    end_tidily()
    sys.exit(main())
