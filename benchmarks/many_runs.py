"""Thousands of runs in one folder: how long `runs list` takes and home until all are shown, and what idle home costs.

Runs are small files copied from one of 30 steps, each with an id, a seed and a time of its own. With `--mixed` they
are like those of somebody who works: of several presets and settings, 30 to 200 steps long, some with a name and tags,
some whose worker is gone, some damaged; a thousand of them are as large as 5,000 others. Home is the app in a
pseudo-terminal; its share of a core is what the kernel counted for the process over some seconds in which nothing
happens.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from leftovers import end_tidily
from synthetic import batches
from terminal import Terminal

from condense_core.runfile.info import read_run
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runfile.writer import RunWriter
from condense_core.runs.about_run import AboutRun, write_about
from condense_core.runs.create import create_run
from condense_core.scenario import toml
from condense_presets import preset_text

PROGRAM = (sys.executable, "-m", "condense_tui")
# As a person has it, whose second start finds the program compiled.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
DAY_S = 86_400


class Kind(NamedTuple):
    """What a run is copied from."""

    preset: str
    settings: tuple[str, ...] = ()
    steps: int = 30


MIXED = (
    Kind("digits-deep", ("steps=160",), 160),
    Kind("digits-deep", ("optimizer.lr=0.001", "init.gamma=1.5")),
    Kind("digits-gd", ("steps=400",), 200),
    Kind("digits-deep", ("layers.0.width=64", "steps=80"), 80),
)
# Of mixed runs, one in so many has lost its worker, has a name, or is damaged.
LOST, NAMED, DAMAGED = 50, 10, 100
# After the last run was shown, presets and machines are read.
SETTLED_S = 8.0
PATIENCE_S = 120.0


def make(runs: Path, count: int, *, mixed: bool = False) -> int:
    """So many finished runs of a preset with a claim, each of its own seed, as old as a year of work makes them; of
    several kinds where they are `mixed`. How many of them can be read."""
    with tempfile.TemporaryDirectory() as elsewhere:
        kinds = MIXED if mixed else (Kind("digits-deep"),)
        originals = [_original(Path(elsewhere), kind) for kind in kinds]
        experiments = [read_run(original).experiment for original in originals]
        runs.mkdir()
        for number in range(count):
            original, experiment = originals[number % len(kinds)], experiments[number % len(kinds)]
            created = time.time() - DAY_S * (1 + 365 * (count - number) / count)
            name = f"{time.strftime('%y%m%d-%H%M%S', time.localtime(created))}-digits-deep-{number:04x}"
            folder = runs / name
            folder.mkdir(mode=0o700)
            shutil.copy(original / FILE_NAME, folder / FILE_NAME)
            with writer(folder / FILE_NAME) as connection:
                connection.execute(
                    "UPDATE run SET id = ?, seed = ?, experiment = ?, created = ?, heartbeat = ?",
                    (name, number, f"seed = {number}\n{experiment}", created, created),
                )
                if mixed and number % LOST == 1:
                    connection.execute("UPDATE run SET status = 'running'")
            if mixed and number % NAMED == 2:
                write_about(folder, AboutRun(name=f"run {number}", tags=("kept", f"week-{number % 50}")))
            if mixed and number % DAMAGED == 3:
                os.truncate(folder / FILE_NAME, 10_000)
            for place in (*folder.iterdir(), folder):
                os.utime(place, (created, created))
    return count - (len(range(3, count, DAMAGED)) if mixed else 0)


def _original(runs: Path, kind: Kind) -> Path:
    table = toml.override(toml.parse(preset_text(kind.preset)), list(kind.settings))
    original = create_run(toml.build(table), runs=runs, preset=kind.preset if kind.settings else "")
    with_rows = RunWriter(original)
    for record in batches(kind.steps):
        with_rows.append(record)
    with_rows.update(status="done", step=kind.steps - 1, seconds=3.0, device="cpu")
    with_rows.close()
    return original


def listed(runs: Path, count: int) -> tuple[float, float]:
    """Seconds that `runs list` takes, and those of processor time."""
    before, begun = of_children(), time.perf_counter()
    command = [*PROGRAM, "runs", "list", "--runs-dir", str(runs)]
    shown = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=PATIENCE_S, env=ENVIRONMENT
    ).stdout
    taken = time.perf_counter() - begun
    if shown.count("\n") < count:
        raise SystemExit(f"runs list shows {shown.count(chr(10)):,} lines of {count:,} runs")
    return taken, of_children() - before


def of_children() -> float:
    """Processor time of the programs that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def home(runs: Path, count: int, seconds: float) -> tuple[float, float]:
    """Seconds until home has shown all runs, and the share of a core that it takes from then on."""
    terminal = Terminal(PROGRAM, size=(120, 40), environment={**ENVIRONMENT, "CONDENSE_RUNS_DIR": str(runs)})
    try:
        begun = time.perf_counter()
        first = terminal.wait_for("runs ", "presets ", seconds=PATIENCE_S)
        shown = terminal.wait_for(f"runs {count}", seconds=PATIENCE_S) - first
        print(f"home: first frame {first - begun:.2f} s, all {count:,} runs {shown:.2f} s later", flush=True)
        # what was put off until after the first frame
        time.sleep(SETTLED_S)
        before, at = terminal.seconds_of_cpu(), time.perf_counter()
        time.sleep(seconds)
        return shown, (terminal.seconds_of_cpu() - before) / (time.perf_counter() - at)
    finally:
        terminal.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="?", type=int, default=5_000, help="how many (%(default)s)")
    parser.add_argument("--seconds", type=float, default=30.0, help="of idle home that are measured (%(default)s)")
    parser.add_argument("--mixed", action="store_true", help="as somebody has them who works; home is left out")
    parser.add_argument("--folder", type=Path, help="keep the runs in this folder, or use those that are there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as elsewhere:
        runs = asked.folder or Path(elsewhere) / "runs"
        count = 0 if runs.exists() else make(runs, asked.runs, mixed=asked.mixed)
        count = count or sum(folder.name[0] != "." for folder in runs.iterdir())
        shutil.rmtree(runs / ".index", ignore_errors=True)
        for what in ("cold", "warm", "warm"):
            taken, cpu = listed(runs, count)
            print(f"runs list, {count:,} runs, {what}: {taken:.2f} s, {cpu:.2f} s of processor time", flush=True)
        for _ in range(0 if asked.mixed else 2):
            _, share = home(runs, count, asked.seconds)
            print(f"home, idle: {100 * share:.2f} % of a core over {asked.seconds:g} s", flush=True)


if __name__ == "__main__":
    end_tidily()
    main()
