"""Sweeps of many cells, killed at any moment and begun again with the same command: what was finished stays as it is,
only the rest is trained, and the tables and the picture are those of a sweep that nobody killed.

What is killed is the command, or it and all that descends from it at once, as by a loss of power; or each of these
processes at one of its own changes of a file, half of it made. The same command then follows at once.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import psutil
import shim

from campaigns.framework import Attempt, Campaign, Scene, SkippedError
from condense_core.errors import CondenseError
from condense_core.runfile.info import read_run
from condense_core.runfile.schema import FILE_NAME
from condense_core.runfile.status import FINAL

# A cell takes some hundredths of a second; seeds are what differs between cells, besides the learning rate.
TINY = """
name = "tiny"
steps = 3
layers = [{ kind = "dense", width = 2 }]
data = { name = "sine", samples = 10, inputs = 2 }
init = { scheme = "normal", std = 0.05 }
optimizer = { name = "gd", lr = 0.01 }
record = { frames = 4, grace_seconds = 1000.0 }
"""
RATES = 25
# Of a whole campaign, and of its short form.
CELLS, FEW_CELLS = 1_000, 25
KILLS_A_SWEEP = 10


@contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    cells = CELLS if scene.goal > KILLS_A_SWEEP else FEW_CELLS
    file = scene.folder / "tiny.toml"
    file.write_text(TINY)
    try:
        library = shim.compiled(scene.folder)
    except shim.NoCompilerError as missing:
        raise SkippedError(str(missing)) from None
    seconds = [time.monotonic()]
    whole = ended(Sweep(file, scene.folder / "whole", cells, library))
    assert (whole["trained"], whole["kept"]) == (cells, 0)
    seconds.append(time.monotonic())
    again = ended(Sweep(file, scene.folder / "whole", cells, library))
    seconds.append(time.monotonic())
    assert (again["trained"], again["kept"]) == (0, cells)
    first, second = seconds[1] - seconds[0], seconds[2] - seconds[1]
    scene.notes.append(f"{cells:,} cells a sweep, {first:.0f} s without a kill, {second:.1f} s once they are there")
    counts: Counter[str] = Counter()

    def attempt(draw: Random, folder: Path) -> int:
        out, kills, before = folder / "out", 0, dict[Path, bytes]()
        for _ in range(min(KILLS_A_SWEEP, scene.goal)):
            how = draw.choice(("the command", "everything", "at a change"))
            sweep = Sweep(file, out, cells, library, died_at(draw, how))
            # of few cells most of the time is that of starting
            came = killed(sweep, how, draw.uniform(0.0, first * (0.3 if cells == CELLS else 1.0)))
            counts[how] += came
            kills += came
            assert kept(before), "a cell that was finished has changed"
            before = finished(out)
        found = ended(Sweep(file, out, cells, library))
        assert kept(before), "a cell that was finished has changed"
        # those whose workers came to their end while they were told to stop
        assert found["kept"] >= len(before)
        assert found["kept"] + found["trained"] == cells
        same_results(out, scene.folder / "whole")
        counts["kept"] += found["kept"]
        return max(1, kills)

    yield attempt
    scene.notes.append(", ".join(f"{counts[how]} of {how}" for how in ("the command", "everything")))
    scene.notes.append(f"{counts['at a change']} at a change; {counts['kept']:,} cells were kept to the end")


class Sweep:
    """The command, running."""

    def __init__(self, file: Path, out: Path, cells: int, library: Path, dies_at: str = "") -> None:
        self.out = out
        rates = ",".join(str(number / 1000) for number in range(1, RATES + 1))
        seeds = ",".join(map(str, range(cells // RATES)))
        command = [sys.executable, "-m", "condense_tui", "sweep", str(file), "--over", f"seed={seeds}"]
        command += ["--over", f"lr={rates}", "--seeds", "1", "--show", "loss_last", "--out", str(out), "--json"]
        faults = {"LD_PRELOAD": str(library), "SHIM_UNDER": str(out), "SHIM_DIE": dies_at} if dies_at else {}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **faults},
        )


def ended(sweep: Sweep) -> dict[str, int]:
    """What it says at its end."""
    said, trouble = sweep.process.communicate(timeout=3600)
    assert sweep.process.returncode == 0, trouble.decode()[-2000:]
    found = json.loads(said)
    statuses = Counter(cell["status"] for cell in found["cells"])
    assert statuses == {"done": len(found["cells"])}, f"{statuses}: {trouble.decode()[-2000:]}"
    return {"trained": found["trained"], "kept": found["kept"]}


def died_at(draw: Random, how: str) -> str:
    return f"{draw.randrange(1, draw.choice((30, 300, 5000)))} {shim.ANY}" if how == "at a change" else ""


def killed(sweep: Sweep, how: str, seconds: float) -> bool:
    """Kill it after so long; whether it had not ended by itself before."""
    try:
        sweep.process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        found = psutil.Process(sweep.process.pid)
        all_of_it = [found, *(found.children(recursive=True) if how == "everything" else ())]
        for process in all_of_it:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        sweep.process.communicate()
        return True
    return sweep.process.returncode == -signal.SIGKILL


def finished(out: Path) -> dict[Path, bytes]:
    """Run files of cells that have ended, with their content."""
    found = {}
    for file in out.glob(f"cells/*/{FILE_NAME}"):
        try:
            status = read_run(file.parent).status
        except CondenseError:
            # it was being made
            continue
        if status in FINAL and not file.with_name(f"{FILE_NAME}-wal").exists():
            found[file] = file.read_bytes()
    return found


def kept(before: dict[Path, bytes]) -> bool:
    return all(file.read_bytes() == content for file, content in before.items())


def same_results(out: Path, whole: Path) -> None:
    """All but the seconds that training took."""
    for name in ("seeds.csv", "phase.svg"):
        assert (out / name).read_bytes() == (whole / name).read_bytes(), f"{name} differs"
    mine, theirs = (_without_seconds(folder / "results.csv") for folder in (out, whole))
    assert mine == theirs, "results.csv differs"
    # a file that was half written is cleared a minute later
    names = {place.name for place in out.iterdir() if not place.name.endswith(".partial")}
    extra = names - {place.name for place in whole.iterdir()}
    assert not extra, f"left behind: {extra}"
    cells = {place.name for place in (out / "cells").iterdir()}
    assert cells == {place.name for place in (whole / "cells").iterdir()}


def _without_seconds(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened_file:
        return [
            {name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(opened_file)
        ]


CAMPAIGN = Campaign(
    "sweeps",
    "kill -9 of a sweep of 1,000 cells, of all its processes at once, and of each at a change of a file",
    "kills",
    tried=50,
    short=2,
    open=opened,
)
