"""Curves that grow, for each program that shows them in a terminal, and how that program is started on them.

Each way is `make(folder)`, a context: `append(step, values)` adds a value to each curve in the form that the program
reads, and `command` shows them. One whose library is missing is left out, and said.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from synthetic import batches

from condense_core.runfile import control
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs.create import create_run, create_watched
from condense_core.scenario import toml
from condense_core.scenario.watched import Watched
from condense_presets import preset_text

Values = Mapping[str, float]
# Measurements after which those of kernels repeat, a whole number of the stretches between key frames.
CYCLE = 256
STEPS = 100_000_000


class Fed(NamedTuple):
    """What is fed, and the program that shows it."""

    append: Callable[[int, Values], None]
    command: Sequence[str]
    environment: Mapping[str, str]
    """What the program needs beside what there is."""
    run: str = ""
    """The run's name, of ours."""


Make = Callable[[Path], contextlib.AbstractContextManager[Fed]]


@contextlib.contextmanager
def _ours(folder: Path, *, kernels: bool) -> Iterator[Fed]:
    """A run of curves alone, or one that has its two layers' kernels and their twenty-odd curves, too."""
    if kernels:
        settings = [f"steps={STEPS}", "record.spacing=linear"]
        experiment = toml.build(toml.override(toml.parse(preset_text("digits-deep")), settings))
        run, measured = create_run(experiment, runs=folder, name="fed"), list(batches(CYCLE))
    else:
        run, measured = create_watched(Watched(name="curves"), runs=folder, steps=STEPS), []
    writer = RunWriter(run)

    def append(step: int, values: Values) -> None:
        row = StepRecord(step, list(values.items()), [], [])
        if measured:
            row = measured[step % CYCLE]
            row = row._replace(step=step, scalars=[pair for pair in row.scalars if pair[0] not in values])
            row.scalars.extend(values.items())
        writer.append(row)
        writer.update(status="running", step=step, heartbeat=time.time(), seconds=step / 10)

    with control.hold(run), contextlib.closing(writer):
        yield Fed(append, [sys.executable, "-m", "condense_tui", "attach", run.name],
                  {"CONDENSE_RUNS_DIR": str(folder)}, run.name)  # fmt: skip


# Runs where wandb is installed: a line of JSON is a value of each curve.
LOGS = """
import json, sys, wandb
# what the machine does is no curve of ours
settings = wandb.Settings(silent=True, x_disable_stats=True, console="off")
run = wandb.init(mode="offline", dir=sys.argv[1], project="curves", settings=settings)
print(run.dir, flush=True)
for line in sys.stdin:
    run.log(json.loads(line))
"""


@contextlib.contextmanager
def _leet(folder: Path, packages: Mapping[str, str]) -> Iterator[Fed]:
    environment = {**packages, "HOME": str(folder), "WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false"}
    logging = subprocess.Popen(
        [sys.executable, "-c", LOGS, str(folder)],
        env={**os.environ, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert logging.stdin is not None
    assert logging.stdout is not None
    run = Path(logging.stdout.readline().strip()).parent
    if not run.name.startswith("offline-run"):
        raise SystemExit("wandb did not say where its offline run is")
    try:

        def append(_step: int, values: Values) -> None:
            assert logging.stdin is not None
            logging.stdin.write(json.dumps(dict(values)) + "\n")
            logging.stdin.flush()

        yield Fed(append, [sys.executable, "-m", "wandb", "leet", str(run)], environment)
    finally:
        logging.stdin.close()
        try:
            logging.wait(30)
        except subprocess.TimeoutExpired:
            logging.kill()


@contextlib.contextmanager
def _terminalboard(folder: Path, packages: Mapping[str, str]) -> Iterator[Fed]:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    events = folder / "events"
    events.mkdir()
    with (events / "events.out.tfevents.1.fed").open("wb") as file:
        records = RecordWriter(file)

        def write(step: int, **content: object) -> None:
            records.write(Event(wall_time=time.time(), step=step, **content).SerializeToString())
            records.flush()

        write(0, file_version="brain.Event:2")

        def append(step: int, values: Values) -> None:
            write(step, summary=Summary(value=[Summary.Value(tag=tag, simple_value=v) for tag, v in values.items()]))

        command = [sys.executable, "-m", "terminalboard", str(events)]
        yield Fed(append, command, {**packages, "HOME": str(folder)})


def ways(packages: Sequence[Path]) -> tuple[dict[str, Make], list[str]]:
    """Every way by its name, ours first, and what is left out for want of something.

    `packages` are folders in which the others are installed, where they are not beside us.
    """
    found: dict[str, Make] = {
        "ours, curves alone": lambda folder: _ours(folder, kernels=False),
        "ours, with kernels": lambda folder: _ours(folder, kernels=True),
    }
    left_out = []
    for name, module, make in (("W&B LEET", "wandb", _leet), ("terminalboard", "terminalboard", _terminalboard)):
        path = os.pathsep.join([*map(str, packages), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
        variables = {"PYTHONPATH": path} if path else {}
        asked = subprocess.run(
            [sys.executable, "-c", f"import {module}"],
            env={**os.environ, **variables}, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        if name == "terminalboard" and importlib.util.find_spec("tensorboard") is None:
            left_out.append(f"{name}: tensorboard, which writes its files, is not installed (extra test)")
        elif asked.returncode:
            left_out.append(f"{name}: {module} is not installed (extra peers, or --packages FOLDER)")
        else:
            found[name] = lambda folder, make=make, variables=variables: make(folder, variables)
    return found, left_out
