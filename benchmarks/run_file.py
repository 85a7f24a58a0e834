"""What the run file costs, in this format and in the first: bytes a step, append, open, seek, poll, curves.

A step is one measurement of two small layers whose kernels turn: eight frames and thirty scalars. Curves are read from
a file of as many steps with scalars alone. Both formats are written and read in turn; prints medians and 99th
percentiles.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
from leftovers import end_tidily
from synthetic import KERNELS, batches

from condense_core.runfile import schema
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RunWriter
from condense_core.runs.create import create_run
from condense_core.runs.glance import glance
from condense_core.scenario import toml
from condense_presets import preset_text

FORMATS = (1, schema.VERSION)


class Table:
    """Lines of medians and 99th percentiles, a column each for the formats."""

    def __init__(self) -> None:
        self._taken: dict[str, list[list[float]]] = {}

    def timed(self, what: str, actions: list[Callable[[], object]]) -> None:
        """Do each action once, and note how long they took."""
        taken = []
        for action in actions:
            begun = time.perf_counter()
            action()
            taken.append(1e6 * (time.perf_counter() - begun))
        self._taken.setdefault(what, []).append(taken)

    def show(self) -> None:
        for what, columns in self._taken.items():
            shown = (f"{np.median(taken):12,.1f} {np.quantile(taken, 0.99):12,.1f}" for taken in columns)
            print(f"{what:34}{'    '.join(shown)}")


@contextlib.contextmanager
def new_run(format_: int) -> Iterator[Path]:
    """The folder of a run without rows whose file has that format."""
    with tempfile.TemporaryDirectory() as runs:
        with mock.patch("condense_core.runs.create.create", partial(schema.create, version=format_)):
            folder = create_run(toml.loads(preset_text("digits-deep")), runs=Path(runs))
        yield folder


def steps(table: Table, format_: int, count: int) -> float:
    """Write `count` steps one by one and read them; bytes of a step."""
    layer = next(iter(KERNELS))
    with new_run(format_) as folder:
        writer = RunWriter(folder)
        records = list(batches(count))
        table.timed("append and commit a step", [partial(writer.append, record) for record in records])
        table.timed("open", [lambda: RunReader(folder).close()] * 50)
        table.timed("glance", [partial(glance, folder)] * 50)
        with RunReader(folder) as run:
            sought = np.random.default_rng(1).integers(0, count, 500).tolist()
            table.timed("seek", [partial(run.similarity, layer, step) for step in sought])
            run.curve("loss")
            table.timed("poll, nothing new", [run.refresh] * 1000)

            def tail() -> None:
                run.refresh()
                run.curve("loss")

            table.timed("poll a curve, nothing new", [tail] * 1000)
        writer.close()
        return (folder / schema.FILE_NAME).stat().st_size / count


def curves(table: Table, format_: int, count: int) -> None:
    """Read curves of `count` points."""
    with new_run(format_) as folder:
        cycle = [record.scalars for record in batches(256)]
        writer = RunWriter(folder)
        connection, scalars = writer._connection, writer._scalars
        connection.execute("BEGIN")
        seq = 1
        for step in range(count):
            found = scalars.numbered(seq, step, cycle[step % len(cycle)])
            scalars.put(found)
            seq += len(found)
        connection.execute("COMMIT")
        writer.close()
        for what, name in (("open, and its last value", None), ("a whole curve", "conv2.lines")):

            def read(name: str | None = name) -> None:
                with RunReader(folder) as run:
                    run.newest("loss") if name is None else run.curve(name)

            table.timed(f"{what}, {count:,} steps", [read] * 7)
        with RunReader(folder) as run:
            table.timed(f"names, {count:,} steps", [lambda: run.curve_names] * 20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="?", type=int, default=4_000, help="of two layers (%(default)s)")
    parser.add_argument("points", nargs="?", type=int, default=100_000, help="of a curve (%(default)s)")
    asked = parser.parse_args()
    table = Table()
    sizes = [steps(table, format_, asked.steps) for format_ in FORMATS]
    for format_ in FORMATS:
        curves(table, format_, asked.points)
    print(f"{'µs':34}" + "    ".join(f"{f'format {format_}, median':>12} {'p99':>8}" for format_ in FORMATS))
    table.show()
    print(f"{'bytes of a step':34}" + " " * 10 + (" " * 27).join(f"{size:,.0f}" for size in sizes))


if __name__ == "__main__":
    end_tidily()
    main()
