"""How costs grow: with seeds, width, depth, samples, colour images, recorded steps, runs and cells, from few to as many
as can be.

Each size is a process of its own. The last column says how the cost grew from the size before: 1 is in proportion, 2 as
the square; whoever sees more than 1 where nothing is said about it has found a surprise. CPU time, so a busy machine
disturbs less.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from leftovers import scratch

if TYPE_CHECKING:
    from condense_tui.batch.cells import Cell

HERE = Path(__file__).resolve().parent
PRESET = "fcn-fig03-tanh"
# Sizes, the first two of which are the small form.
SIZES = {
    "seeds": (16, 64, 1_024, 4_096),
    "width": (64, 256, 4_096, 65_536),
    "depth": (2, 6, 20, 60),
    "samples": (80, 800, 8_000, 60_000),
    "images": (100, 1_000, 10_000),
    "frames": (1_000, 10_000, 100_000, 1_000_000),
    "runs": (20, 100, 1_000, 5_000),
    "cells": (100, 1_000, 2_000, 10_000),
}
WHAT = {
    "seeds": ("ms a step", "ms a measurement"),
    "width": ("ms a step", "ms a measurement"),
    "depth": ("ms a step", "ms a measurement"),
    "samples": ("ms a step", "ms a measurement"),
    "images": ("ms a step", "ms a measurement"),
    "frames": ("µs to append, each", "ms to open, seek and read a curve"),
    "runs": ("ms of `runs list`, cold", "ms, warm"),
    "cells": ("ms to plan a sweep", "ms to drive it and make its tables and picture, not trained"),
}
# Growth above this is marked.
SURPRISE = 1.15
STEPS, MEASUREMENTS = 20, 3


def settings_of(what: str, size: int) -> list[str]:
    dense = 'layers=[{kind="dense",width=50,activation="tanh"}]'
    match what:
        case "seeds":
            return [f"ensemble.members={size}"]
        case "width":
            return [f'layers=[{{kind="dense",width={size},activation="tanh"}}]']
        case "depth":
            layer = '{kind="dense",width=30,activation="tanh"}'
            return [f"layers=[{','.join([layer] * size)}]"]
        case "images":
            layer = '{kind="conv",width=32,size=3,activation="tanh"}'
            return [f"layers=[{layer}]", f'data={{name="photos",size=32,samples={size}}}']
        case _:
            return [dense, f"data.samples={size}"]


def trained(what: str, size: int) -> tuple[float, float]:
    """Milliseconds of a core that a step takes and a measurement of all there is, without writing it."""
    import torch

    from condense_core.engine.probes import Measurement, compile_where_it_repays, probes_for
    from condense_core.engine.probes.ensemble_members import EnsembleMembers
    from condense_core.engine.steppers import make_ensemble
    from condense_core.engine.training.worker import samples_of
    from condense_core.scenario.toml import build, override, parse
    from condense_presets import preset_text

    torch.set_num_threads(1)
    table = parse(preset_text(PRESET))
    table.pop("claim", None)
    experiment = build(override(table, [*settings_of(what, size), "steps=100"]))
    ensemble = make_ensemble(experiment, samples_of(experiment)[0], torch.device("cpu"))

    def members() -> EnsembleMembers:
        return EnsembleMembers(ensemble.observe(), ensemble.members, ensemble.stacked())

    compile_where_it_repays(experiment, members())
    probes = probes_for(experiment, members())

    def measure() -> None:
        for block in members().blocks():
            found = Measurement(block.step, block.numbers, ensemble=len(ensemble.members) > 1)
            for probe in probes.values():
                probe.measure(block, found)

    ensemble.advance(1)
    measure()
    step = seconds_of(lambda: ensemble.advance(1), STEPS)
    # a step before each, as in a run
    both = seconds_of(lambda: (ensemble.advance(1), measure()), MEASUREMENTS)
    return 1e3 * step, 1e3 * (both - step)


def recorded(size: int) -> tuple[float, float]:
    """Microseconds to append a step of eight kernels, and milliseconds to open, seek to the middle and read a curve."""
    import numpy as np

    from condense_core.runfile.levels import SimilarityEncoder
    from condense_core.runfile.reader import RunReader
    from condense_core.runfile.writer import RunWriter, StepRecord
    from condense_core.runs.create import create_run
    from condense_core.scenario.toml import loads
    from condense_presets import preset_text

    with tempfile.TemporaryDirectory() as runs:
        folder = create_run(loads(preset_text(PRESET)), runs=Path(runs))
        writer, encoder = RunWriter(folder), SimilarityEncoder()
        cosine = np.eye(8)
        begun = time.process_time()
        for step in range(size):
            writer.append(StepRecord(step, [("loss", 1.0 / (step + 1))], [("dense1", encoder.encode(cosine, 8))], []))
        appended = (time.process_time() - begun) / size
        writer.close()

        def read() -> None:
            with RunReader(folder) as run:
                run.similarity("dense1", size // 2)
                # as many points as there are
                run.curve("loss")

        return 1e6 * appended, 1e3 * seconds_of(read, 3)


def listed(size: int) -> tuple[float, float]:
    """Milliseconds of a core that `runs list` takes, first and then again."""
    import many_runs

    with tempfile.TemporaryDirectory() as elsewhere:
        runs = Path(elsewhere) / "runs"
        many_runs.make(runs, size)
        _, cold = many_runs.listed(runs, size)
        _, warm = many_runs.listed(runs, size)
    return 1e3 * cold, 1e3 * warm


class NothingTrained:
    """An engine whose runs end as they are begun."""

    def __init__(self) -> None:
        self._begun: list[Path] = []

    def start(self, cell: Cell) -> None:
        self._begun.append(cell.folder)

    def ended(self, seconds: float) -> list[Path]:
        found, self._begun = self._begun, []
        return found

    def __enter__(self) -> NothingTrained:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def swept(size: int) -> tuple[float, float]:
    """Milliseconds of a core to plan a sweep of so many cells, and for all else that it does with them but to train."""
    from condense_core.scenario.toml import loads
    from condense_presets import preset_text
    from condense_tui.batch.drive import drive
    from condense_tui.sweep.axes import Axis
    from condense_tui.sweep.grid import grids, scale_of
    from condense_tui.sweep.plan import make_sweep
    from condense_tui.sweep.results import read_results
    from condense_tui.sweep.svg import svg
    from condense_tui.sweep.table import cells_table

    across = max(number for number in range(1, 101) if number * number <= size and size % number == 0)
    axes = [
        Axis("init.std", tuple(f"{1e-4 * number:.6g}" for number in range(1, across + 1))),
        Axis("seed", tuple(map(str, range(size // across)))),
    ]
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as out:
        sweep = make_sweep(loads(preset_text(PRESET)), PRESET, axes, Path(out))
        planned = time.process_time()
        drive(sweep.plan, jobs=2, device="cpu", show=lambda _: None, engine=NothingTrained())
        results = read_results(sweep, {}, "condensed")
        pictures = grids(sweep, results, "condensed", ["dense1"])
        svg(pictures, scale_of(pictures, "condensed"), "condensed")
        cells_table(sweep, results, None, "condensed")
    return 1e3 * (planned - begun), 1e3 * (time.process_time() - planned)


def seconds_of(call: Callable[[], object], times: int) -> float:
    begun = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - begun) / times


def case(what: str, size: int) -> str:
    of_its_own = {"frames": recorded, "runs": listed, "cells": swept}
    costs = of_its_own[what](size) if what in of_its_own else trained(what, size)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return " ".join(map(str, (*costs, peak)))


def once(what: str, size: int) -> tuple[float, ...]:
    command = [sys.executable, str(HERE / "growth.py"), "--case", what, str(size)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{what} {size}: {(done.stderr.strip() or 'killed').splitlines()[-1]}")
    return tuple(map(float, done.stdout.split()[-3:]))


def growth(before: float, now: float, times: float) -> float:
    """The power of the size with which a cost grew."""
    return math.log(max(now, 1e-9) / max(before, 1e-9)) / math.log(times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs=2, metavar=("WHAT", "SIZE"), help="one size in this process, as numbers")
    parser.add_argument("--only", choices=SIZES, action="append", help="some of what grows")
    parser.add_argument("--small", action="store_true", help="the two smallest sizes of each")
    asked = parser.parse_args()
    if asked.case:
        print(case(asked.case[0], int(asked.case[1])))
        return 0
    for what in asked.only or SIZES:
        print(
            f"\n| {what} | {WHAT[what][0]} | {WHAT[what][1]} | MB at most | grew as |\n| --- | --- | --- | --- | --- |"
        )
        before: tuple[int, tuple[float, ...]] | None = None
        for size in SIZES[what][: 2 if asked.small else None]:
            found = once(what, size)
            words = ""
            if before is not None:
                powers = [growth(old, new, size / before[0]) for old, new in zip(before[1], found, strict=True)]
                words = " · ".join(f"{power:.2f}{' !' if power > SURPRISE else ''}" for power in powers)
            print(f"| {size:,} | {found[0]:.3g} | {found[1]:.3g} | {found[2]:,.0f} | {words} |", flush=True)
            before = size, found
    return 0


if __name__ == "__main__":
    with scratch():
        sys.exit(main())
