"""Goals of training: dense networks beside every other way to write them, convolutions, threads and memory."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import training as benchmark
from goal_rows import Row, Seconds, in_turn, times_as_fast

from condense_core.engine.data.datasets import load
from condense_core.engine.steppers import make_ensemble
from condense_core.engine.steppers.compiled.functions import CODES
from condense_core.engine.training import device, worker
from condense_core.engine.training.fast import SLOWER, refuse_slower
from condense_core.errors import ScenarioError
from condense_core.machine import usable_cores
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_run
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment

CPU = torch.device("cpu")
# The name that checkpoints have of versions which knew no compiled code: steps are taken as they were taken then.
AS_BEFORE = ""
# Of what is measured in turn, each goes on for about this long.
A_WHILE_S = 0.2
# Steps that every run is long enough with for compiled code.
MANY_STEPS = 10**6


def dense(rounds: int) -> list[Row]:
    """5-50-1 of 80 points beside the peers, one seed and 64 at once, one core for all."""
    _one_core()
    found = in_turn(dict(benchmark.dense()), rounds)
    rows = []
    for seeds in ("1 seed", "64 seeds"):
        own = found.pop(f"ours, {seeds}")
        others = {name.removesuffix(f", {seeds}"): times for name, times in found.items() if name.endswith(seeds)}
        ratios = {name: times_as_fast(own, times) for name, times in others.items()}
        speed = f"{1 / sorted(own)[len(own) // 2]:,.0f} seed·steps/s"
        beside = " · ".join(f"{name}: {words}" for name, (_, words) in ratios.items())
        what = f"5-50-1, 80 points, Adam, {seeds}"
        goals = {"JAX": 1.2} | ({"C,": 0.75} if seeds == "64 seeds" else {})
        for peer, least in goals.items():
            fastest = min((ratio for name, (ratio, _) in ratios.items() if name.startswith(peer)), default=None)
            goal = f"≥ {least:g} × {'JAX' if peer == 'JAX' else 'a loop in C'}"
            if fastest is None:
                rows.append(Row(what, goal, f"{speed}; the peer is not installed", beside))
            else:
                rows.append(Row(what, goal, speed, beside if peer == "JAX" else "as above", fastest >= least))
    return rows


LAYER = '{kind="dense",width=50,activation="tanh"}'
DIGITS = 'data={name="digits",samples=80,labels="onehot"}'
# What differs from 5-50-1 with tanh, mean squared error and Adam.
SMALL: dict[str, tuple[str, ...]] = {
    **{name: (f"layers=[{LAYER.replace('tanh', name)}]",) for name in CODES},
    "cross-entropy": ('loss="cross-entropy"', DIGITS),
    "softmax-mse": ('loss="softmax-mse"', DIGITS),
    "gradient descent": ('optimizer={name="gd",lr=0.001}',),
    "momentum": ('optimizer={name="gd",lr=0.001,momentum=0.9}',),
    "gradient descent, cosine": ('optimizer={name="gd",lr=0.001,decay="cosine"}',),
    "Adam, warm-up": ('optimizer={name="adam",lr=0.001,warmup=100}',),
    "Adam, batches of 20": ('optimizer={name="adam",lr=0.001,batch=20}',),
    "AdamW": ('optimizer={name="adamw",lr=0.001,weight_decay=0.01}',),
    **{f"{depth} layers": (f"layers=[{','.join([LAYER] * depth)}]",) for depth in (2, 3, 6)},
}


def small(rounds: int) -> list[Row]:
    """Other small dense networks, one seed, beside the same steps as they were taken before there was compiled code."""
    _one_core()
    rows = []
    for name, settings in SMALL.items():
        experiment = _of_fcn(1, *settings)
        data = load(experiment.data)
        now, before = (make_ensemble(experiment, [data], CPU, way) for way in (None, AS_BEFORE))
        found = in_turn({"now": _for_a_while(now.advance), "before": _for_a_while(before.advance)}, rounds)
        ratio, words = times_as_fast(found["now"], found["before"])
        rows.append(Row(f"5-50-1, but: {name}", "≥ 3 × steps in PyTorch", f"{words} × ({now.name})", "", ratio >= 3))
    return rows


def equal(_: int) -> list[Row]:
    """One seed beside the same seed as a member of an ensemble, in float64."""
    worst = 0.0
    for settings in ("steps=1000000", 'optimizer={name="adam",lr=0.001,batch=20}'):
        together, alone = (_of_fcn(members, 'dtype="float64"', settings) for members in (8, 1))
        data = load(together.data)
        many, one = make_ensemble(together, [data] * 8, CPU), make_ensemble(alone, [data], CPU)
        for ensemble in (many, one):
            ensemble.advance(200)
        of_many, of_one = (ensemble.observe()[0].parameters() for ensemble in (many, one))
        worst = max(worst, *(float((of_many[name] - value).norm() / value.norm()) for name, value in of_one.items()))
    return [
        Row("one seed and the same seed of eight, float64, 200 steps", "≤ 1e-12", f"{worst:.1g}", "", worst <= 1e-12)
    ]


def threads(rounds: int) -> list[Row]:
    """Two threads over seeds, in seconds that pass; and ten times the samples."""
    return [_two_threads(rounds), _samples(rounds)]


def _two_threads(rounds: int) -> Row:
    what, goal = "64 seeds of 5-50-1, two threads", "taken where time says so"
    if usable_cores() < 2:
        return Row(what, goal, "there is one core")
    experiment = _of_fcn(64)
    ensemble = make_ensemble(experiment, [load(experiment.data)] * 64, CPU)

    def with_threads(count: int) -> Seconds:
        def taken() -> float:
            torch.set_num_threads(count)
            begun = time.perf_counter()
            ensemble.advance(4_000)
            return time.perf_counter() - begun

        return taken

    found = in_turn({"one": with_threads(1), "two": with_threads(2)}, rounds)
    ratio, words = times_as_fast(found["two"], found["one"])
    # as a worker does, whatever this benchmark was told
    os.environ.pop("OMP_NUM_THREADS", None)
    device.set_threads(float("inf"), ensemble.warm_up, "auto")
    chosen = torch.get_num_threads()
    torch.set_num_threads(1)
    right = (chosen > 1) == (ratio > 1 / device.WORTH_IT)
    return Row(what, goal, f"{words} × as fast; a run takes {chosen}", "one thread", right)


def _samples(rounds: int) -> Row:
    ways = {}
    for count in (800, 8_000):
        experiment = _of_fcn(1, f"data.samples={count}")
        ways[str(count)] = _for_a_while(make_ensemble(experiment, [load(experiment.data)], CPU).advance)
    found = in_turn(ways, rounds)
    # how many times as long the larger one takes
    ratio, words = times_as_fast(found["800"], found["8000"])
    return Row(
        "5-50-1, from 800 samples to 8,000", "≤ 11 × the time of a step", f"{words} ×", "800 samples", ratio <= 11
    )


def convolutions(rounds: int) -> list[Row]:
    """One convolution beside our own steps of before, three beside the best of the peers."""
    _one_core()
    rows = []
    for layers in (1, 3):
        others, left_out = benchmark.convolution_ways()
        ways = {name: benchmark._for_a_while(make(layers), 1, 1.0) for name, make in others.items()}
        experiment = benchmark.cnn_scenario(layers, "")
        now, before = (make_ensemble(experiment, [benchmark._images()], CPU, way) for way in (None, AS_BEFORE))
        ways |= {"now": _for_a_while(now.advance, 1.0), "before": _for_a_while(before.advance, 1.0)}
        found = in_turn(ways, rounds)
        own, old = found.pop("now"), found.pop("before")
        speed = f"{1 / sorted(own)[len(own) // 2]:.3g} steps/s ({now.name})"
        ratios = {name: times_as_fast(own, times) for name, times in found.items()}
        beside = " · ".join([*(f"{name}: {words}" for name, (_, words) in ratios.items()), *left_out])
        what = f"{'one convolution' if layers == 1 else 'three convolutions'}, 500 images 3×32×32, float32"
        if layers == 1:
            ratio, words = times_as_fast(own, old)
            rows.append(Row(what, "≥ 1.5 × before", speed, f"before: {words} · {beside}", ratio >= 1.5))
        else:
            fastest = min(ratio for ratio, _ in ratios.values())
            rows.append(Row(what, "≥ the best of the peers", speed, beside, fastest >= 1))
    return [*rows, _refused(rounds)]


# Layers of 32 filters, and what `fast` asks for.
ASKED = ((1, "channels-last"), (1, "bf16"), (2, "bf16"), (3, "channels-last"), (3, "bf16"))


def _refused(rounds: int) -> Row:
    """What a run does with `fast`, beside what takes longer."""
    said, every = [], True
    for layers, name in ASKED:
        plain, asked = (benchmark.cnn_scenario(layers, fast) for fast in ("", f'"{name}"'))
        data = benchmark._images()
        try:
            refuse_slower(asked, [data])
            done = "taken"
        except ScenarioError:
            done = "refused"
        steps = f"eager, {name}"
        ways = {"without": make_ensemble(plain, [data], CPU), "with": make_ensemble(asked, [data], CPU, steps)}
        found = in_turn({way: _for_a_while(ensemble.advance) for way, ensemble in ways.items()}, rounds)
        ratio, words = times_as_fast(found["without"], found["with"])
        said.append(f"{name} of {layers}: {done}, {words} × the time of a step")
        # at the limit either is right
        every = every and ((done == "refused") == (ratio > SLOWER) or abs(ratio - SLOWER) < 0.1)
    return Row("fast that slows one, two or three convolutions", "refused, and no other", " · ".join(said), "", every)


def memory(_: int) -> list[Row]:
    """Peak memory of whole recorded runs on 10,000 colour images, in a process each."""
    rows = []
    for layers in (1, 3):
        command = [sys.executable, "-c", f"import goals_training; goals_training.peak_of_a_run({layers}, 10_000)"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        name, megabytes = json.loads(done.stdout)
        what = f"a run on 10,000 images 3×32×32, {'one' if layers == 1 else 'three'} of 32 filters, all included"
        rows.append(Row(what, "≤ 2 GB", f"{megabytes / 1000:.2f} GB ({name})", "", megabytes <= 2_000))
    return rows


def peak_of_a_run(layers: int, count: int) -> None:
    """Print the way that steps are taken and the most memory that was held, in MB."""
    torch.set_num_threads(1)
    text = benchmark.CNN.format(layers=", ".join([benchmark.LAYER] * layers), fast="")
    # as many steps as compiled code repays, of which the first two are taken
    settings = [f'data={{name="photos",size=32,samples={count},labels="onehot"}}', "stop={accuracy=0.01,every=2}"]
    experiment = toml.build(toml.override(toml.parse(text), settings))
    with tempfile.TemporaryDirectory() as runs:
        folder = create_run(experiment, runs=Path(runs), device="cpu")
        if worker.work(folder):
            raise SystemExit((folder / "worker.log").read_text(encoding="utf-8"))
        with RunReader(folder) as run:
            started = next(event.text for event in run.events if event.kind == "started")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps([started.rpartition(", ")[2].removesuffix(" steps"), peak]))


def _of_fcn(members: int, *settings: str) -> Experiment:
    text = benchmark.FCN.format(steps=MANY_STEPS, members=members)
    return toml.build(toml.override(toml.parse(text), settings))


def _for_a_while(advance: Callable[[int], object], seconds: float = A_WHILE_S) -> Seconds:
    return benchmark._for_a_while(advance, 1, seconds)


def _one_core() -> None:
    """Peers would take all there are."""
    torch.set_num_threads(1)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
