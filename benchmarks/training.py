"""Training speed against hand-written loops of the same scenarios in PyTorch, NumPy, JAX and C, in one run.

Rounds alternate between the ways to train, so that a busy machine slows all of them; the table gives medians and ratios
to the eager loop. Everything has one core. Recorded runs are whole ones through the worker, timed by the run file's own
events, with every probe at its default cadence.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from convolution_peers import ways as convolution_ways
from dense_peers import ways as dense_ways
from leftovers import scratch
from peers import eager_fcn
from rich.console import Console
from rich.table import Table

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.steppers import make_ensemble
from condense_core.engine.training import device, worker
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_run
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment

FCN = """
name = "5-50-1"
steps = {steps}
layers = [{{ kind = "dense", width = 50, activation = "tanh" }}]
data = {{ name = "sine", samples = 80, inputs = 5, seed = 178 }}
init = {{ scheme = "normal", std = 0.005 }}
optimizer = {{ name = "adam", lr = 0.0001 }}
ensemble = {{ members = {members} }}
"""
CNN = """
name = "colour images"
steps = 2000
loss = "cross-entropy"
layers = [{layers}]
fast = [{fast}]
data = {{ name = "cifar10", samples = 500, labels = "onehot" }}
init = {{ scheme = "mean-fan-power", gamma = 1.5 }}
optimizer = {{ name = "adam", lr = 0.0001 }}
"""
LAYER = '{ kind = "conv", width = 32, size = 3, activation = "tanh" }'
FAST = '"channels-last", "bf16"'

# Long enough for one step of three convolutions in PyTorch.
A_WHILE_S = 1.0

CPU = torch.device("cpu")

Seconds = Callable[[], float]
"""Trains for a while; the seconds that a step of one seed took."""


def fcn_steps(members: int, steps: int) -> Seconds:
    experiment = toml.loads(FCN.format(steps=steps, members=members))
    ensemble = make_ensemble(experiment, [_points()] * members, CPU)
    return lambda: _timed_block(ensemble.advance, steps) / members


def fcn_run(members: int, steps: int, *settings: str) -> Seconds:
    """A whole run through the worker, from its event `started` to its last."""
    experiment = toml.build(toml.override(toml.parse(FCN.format(steps=steps, members=members)), settings))

    def run() -> float:
        with tempfile.TemporaryDirectory() as runs:
            folder = create_run(experiment, runs=Path(runs), device="cpu")
            worker.work(folder)
            with RunReader(folder) as reader:
                at = {event.kind: event.time for event in reader.events}
                return (at["done"] - at["started"]) / steps / members

    return run


def cnn_scenario(layers: int, fast: str) -> Experiment:
    return toml.loads(CNN.format(layers=", ".join([LAYER] * layers), fast=fast))


def _points() -> Dataset:
    generator = torch.Generator().manual_seed(0)
    input_ = 6 * torch.rand(80, 5, generator=generator, dtype=torch.float64) - 4
    return Dataset(name="points", note="", input=input_, target=(3.5 * torch.sin(5 * input_ + 1)).sum(1, keepdim=True))


def _images() -> Dataset:
    generator = torch.Generator().manual_seed(0)
    pixel = torch.rand(500, 3, 32, 32, generator=generator, dtype=torch.float64)
    label = torch.arange(500) % 10
    one_hot = torch.nn.functional.one_hot(label, 10).double()
    return Dataset(
        name="noise", note="", input=pixel, target=one_hot, label=label, class_target=torch.eye(10, dtype=torch.float64)
    )


def _timed_block(advance: Callable[[int], object], steps: int) -> float:
    begun = time.perf_counter()
    advance(steps)
    return (time.perf_counter() - begun) / steps


def _timed(step: Callable[[], object], steps: int) -> float:
    begun = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - begun) / steps


Way = tuple[str, Seconds]


def fcn() -> Iterator[Way]:
    points = _points()
    yield "eager loop, one seed", lambda: _timed(eager_fcn(points), 400)
    yield "ours, 1 seed", fcn_steps(1, 1_500)
    yield "ours, 1 seed, recorded", fcn_run(1, 20_000)
    yield "ours, 1 seed, recorded, no first second", fcn_run(1, 20_000, "record.grace_seconds=0")
    yield "ours, 1 seed, not recorded", fcn_run(1, 20_000, "record.frames=2", "record.probes=[]")
    yield "ours, 16 seeds", fcn_steps(16, 600)
    yield "ours, 16 seeds, recorded", fcn_run(16, 20_000)
    yield "ours, 64 seeds", fcn_steps(64, 150)
    yield "ours, 64 seeds, recorded", fcn_run(64, 8_000)


def cnn() -> Iterator[Way]:
    yield from _convolutions(1)


def deep() -> Iterator[Way]:
    yield from _convolutions(3)


def _convolutions(layers: int) -> Iterator[Way]:
    """Ours beside what else a person would write; `fast` where it is not refused for a run of this length."""
    others, left_out = convolution_ways()
    for reason in left_out:
        print(f"left out: {reason}")
    for name, make in others.items():
        yield name, _for_a_while(make(layers), 1, A_WHILE_S)
    # both are refused for one convolution, but not for a run that began so
    for fast, way in (("", None), ('"bf16"', "eager, bf16") if layers == 1 else (FAST, None)):
        ours = make_ensemble(cnn_scenario(layers, fast), [_images()], CPU, way)
        yield f"ours ({ours.name})", _for_a_while(ours.advance, 1, A_WHILE_S)


def dense() -> Iterator[Way]:
    """Ours beside what else a person would write, one seed and 64."""
    others, left_out = dense_ways()
    for reason in left_out:
        print(f"left out: {reason}")
    for members in (1, 64):
        for name, make in others.items():
            yield f"{name}, {members} seed{'s' * (members > 1)}", _for_a_while(make(members), members)
        ours = make_ensemble(toml.loads(FCN.format(steps=10**6, members=members)), [_points()] * members, CPU)
        yield f"ours, {members} seed{'s' * (members > 1)}", _for_a_while(ours.advance, members)


def _for_a_while(steps: Callable[[int], object], members: int, seconds: float = 0.2) -> Seconds:
    """As many steps as take about so long, in one call; a first one compiles what is to be compiled.

    Seconds of a core: nothing here waits, and a busy machine disturbs less.
    """
    steps(1)
    begun = time.process_time()
    steps(1)
    count = max(2, int(seconds / (time.process_time() - begun)))
    # ways that look slow at first may be so because of a call's own cost
    steps(count)
    begun = time.process_time()
    steps(count)
    count = max(2, int(count * seconds / (time.process_time() - begun)))
    steps(count)

    def taken() -> float:
        start = time.process_time()
        steps(count)
        return (time.process_time() - start) / count / members

    return taken


GROUPS = {
    "dense": ("5-50-1, 80 points, Adam, in one process", dense),
    "fcn": ("5-50-1, 80 points, Adam", fcn),
    "cnn": ("one convolution 32×3×3, 500 images 3×32×32, Adam", cnn),
    "deep": ("three convolutions 32×3×3, 500 images 3×32×32, Adam", deep),
}


def compare(console: Console, title: str, ways: list[Way], rounds: int) -> None:
    for _, seconds in ways:
        seconds()
    found = {name: [] for name, _ in ways}
    for _ in range(rounds):
        for name, seconds in ways:
            found[name].append(seconds())
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for head in ("", "seed·steps/s", "× eager", "least", "most"):
        table.add_column(head, justify="right" if head else "left")
    peer = found[ways[0][0]]
    for name, times in found.items():
        # a ratio a round: both of its sides saw the same machine
        ratios = [mine / other for mine, other in zip(peer, times, strict=True)]
        speed = 1 / statistics.median(times)
        cells = (f"{speed:,.0f}" if speed > 10 else f"{speed:.2f}", *(f"{ratio:.2f}" for ratio in _spread(ratios)))
        table.add_row(name, *cells)
    console.print(table)


def _spread(ratios: list[float]) -> tuple[float, float, float]:
    return statistics.median(ratios), min(ratios), max(ratios)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=sorted(GROUPS), action="append", help="some of them; may be given again")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    # JAX takes as many threads as it sees cores
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    console = Console(width=100)
    console.print(device.describe(CPU), highlight=False)
    for key, (title, ways) in GROUPS.items():
        if not asked.only or key in asked.only:
            compare(console, title, list(ways()), asked.rounds)


if __name__ == "__main__":
    with scratch():
        main()
