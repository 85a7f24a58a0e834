"""Real workers for campaigns: forked from a process that has PyTorch and the shim, each with faults of its own."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import forking
import shim
from support import SMALL, rows

from campaigns.framework import SkippedError
from condense_core.runfile.frames import Condensation
from condense_core.runfile.info import LOG_NAME
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_run
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.schedule import required_steps, scheduled_steps
from condense_presets import preset_text

# What a dense scenario of ours has of its own: long enough for a kill, with many checkpoints.
LONG = ("steps=3000", "record.frames=60", "record.checkpoint_seconds=0.05")
_DIGITS = ("data.name=digits", "data.samples=40", "steps=150", "record.frames=40")
# Nine that differ in what is trained, how, and which kinds of frames come of it; a second or two each.
SCENARIOS: dict[str, tuple[str, ...]] = {
    "dense": (),
    "dense by batches": ("optimizer.batch=16",),
    "two dense layers by gd": (
        "optimizer.name=gd",
        "optimizer.lr=0.01",
        'layers=[{kind="dense",width=12,activation="xtanh"},{kind="dense",width=6,activation="tanh"}]',
    ),
    "one input": ("data.inputs=1", 'layers=[{kind="dense",width=10,activation="x2tanh"}]', "steps=2000"),
    "stops early": ("stop.loss_ratio=0.9", "stop.every=7", "steps=20000", "optimizer.lr=0.003"),
    "three seeds": ("ensemble.members=3", "steps=1500"),
    "three data draws": ("ensemble.members=3", "ensemble.vary=data", "steps=1500"),
    "one convolution": (*_DIGITS, 'layers=[{kind="conv",width=6,size=3}]', "optimizer.batch=16"),
    "convolution and dense": (
        *_DIGITS,
        'layers=[{kind="conv",width=4,size=3},{kind="dense",width=8}]',
        "loss=cross-entropy",
    ),
}
# What measuring may take where its budget is on: so little that every probe is left out now and then.
BUDGET = ("record.budget=0.01", "record.grace_seconds=0.0")


def experiment(name: str, *settings: str) -> Experiment:
    own = name in SCENARIOS
    before = (*LONG, *SCENARIOS[name]) if own else ()
    return toml.build(toml.override(toml.parse(SMALL if own else preset_text(name)), [*before, *settings]))


@contextlib.contextmanager
def zygote(folder: Path) -> Iterator[Path]:
    """The process that workers are forked from; gives the shim. SkippedError without PyTorch or a compiler."""
    if not _has_torch():
        raise SkippedError("PyTorch is not installed")
    try:
        library = shim.compiled(folder)
    except shim.NoCompilerError as missing:
        raise SkippedError(str(missing)) from None
    with forking.zygote(LD_PRELOAD=str(library)):
        yield library


@functools.cache
def _has_torch() -> bool:
    import importlib.util

    return importlib.util.find_spec("torch") is not None


class Worker:
    """One worker of a run, with faults."""

    def __init__(self, folder: Path, **faults: str) -> None:
        command = [sys.executable, "-P", "-m", "condense_core.engine", str(folder), "--stay"]
        with (folder / LOG_NAME).open("ab") as log:
            self.process = forking.Forked(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **faults},
            )

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def ended(self, seconds: float = 90) -> int:
        """Its exit status; negative for the signal that ended it."""
        return self.process.wait(seconds)

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None


def trained(found: Experiment, runs: Path, **faults: str) -> Path:
    """A run that was trained to its end without interruption."""
    folder = create_run(found, runs=runs, device="cpu")
    assert Worker(folder, **faults).ended() == 0, (folder / LOG_NAME).read_text()
    return folder


def by_place(folder: Path) -> dict[object, object]:
    """Every scalar and frame by where it stands, and by what it is; a place that is there twice is a failure.

    Labels of lines are theirs up to their order and sign, which go on from the frame before.
    """
    found: dict[object, object] = {}
    content = rows(folder)
    for step, name, value in content["scalar"]:
        assert (step, name) not in found, f"{name} at step {step} is there twice"
        found[step, name] = value
    for step, kind, layer, value in content["frame"]:
        assert (step, kind, layer) not in found, f"{kind} of {layer} at step {step} is there twice"
        found[step, kind, layer] = _labels_apart(value) if isinstance(value, Condensation) else value
    return found


def _labels_apart(frame: Condensation) -> object:
    import msgspec

    order: dict[int, tuple[int, int]] = {}
    labels = []
    for label, sign in zip(frame.label.numpy().tolist(), frame.sign.numpy().tolist(), strict=True):
        if label < 0:
            labels.append((label, 0))
            continue
        number, first = order.setdefault(label, (len(order), sign))
        labels.append((number, sign * first))
    rest = {name: value for name, value in msgspec.structs.asdict(frame).items() if name not in {"label", "sign"}}
    return tuple(labels), tuple(rest.items())


def assert_part_of(folder: Path, whole: Path) -> None:
    """What is recorded is recorded in the uninterrupted run too, row for row."""
    mine, theirs = by_place(folder), by_place(whole)
    for place, value in mine.items():
        assert place in theirs, f"{place} is not in the uninterrupted run"
        assert same(theirs[place], value), f"{place} differs: {theirs[place]!r} without interruption, {value!r} here"


def assert_all_that_must_be(folder: Path) -> None:
    """With a budget: every step that must be measured is, with everything, and nothing off the schedule."""
    with RunReader(folder) as run:
        found, status = run.experiment, run.info().status
        steps = {int(step) for step in run.curve("loss")[0]}
    assert status == "done"
    must = {step for step in required_steps(found) if step <= max(steps)}
    assert must <= steps, f"not measured: {sorted(must - steps)}"
    if found.stop is None:
        assert steps <= set(scheduled_steps(found))
        assert found.steps in steps


def same(one: object, other: object) -> bool:
    return one == other or repr(one) == repr(other)


def weights(folder: Path) -> dict[str, bytes]:
    from condense_core.engine import checkpoint

    state = checkpoint.load(folder)
    assert state is not None, "no checkpoint"
    return {name: value.numpy().tobytes() for name, value in state.items()}


def finish(folder: Path, seconds: float = 90) -> None:
    """Train on to the end, without faults."""
    worker = Worker(folder)
    assert worker.ended(seconds) == 0, (folder / LOG_NAME).read_text()[-2000:]
