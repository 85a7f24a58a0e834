"""Steps on a GPU: an eager PyTorch loop, ours, ours recorded, and what the card itself allows, in one run.

Dense networks of one, 64 and 1,024 seeds, one and three convolutions, and a ResNet18 with batches. Beside the eager
loop stands what one would write who wants speed: PyTorch's own settings, which round to TF32, torch.compile of one
seed, and torch.func.vmap of many. Rounds alternate between the ways. A time is that of a whole stretch of steps,
between two points at which the card has nothing left to do. The floors are measured on the same card: *launch* is what
the kernels of a step cost when each of them does nothing and all are in one graph; *memory* is what it costs to copy
once the weights, their moments and the layers' outputs.

Ends within eight minutes however slow the card: stretches of steps are as long as some seconds allow, and no round
begins after a case's share of the time. Needs no network and no data sets. `--device cpu --quick` tries the benchmark
itself on a machine without a GPU.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from leftovers import end_tidily
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from condense_core.engine.data.datasets import load
from condense_core.engine.network.make import make_network
from condense_core.engine.steppers import make_ensemble
from condense_core.engine.training import device as devices
from condense_core.engine.training import worker
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_run
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment

DENSE = """
name = "dense"
steps = 100000
layers = [{ kind = "dense", width = 50, activation = "tanh" }]
data = { name = "sine", samples = 80, inputs = 5, seed = 178 }
init = { scheme = "normal", std = 0.005 }
optimizer = { name = "adam", lr = 0.0001 }
"""
IMAGES = 'data = { name = "photos", size = 32, samples = 500, test_samples = 0, labels = "onehot" }'
CONVOLUTIONS = f"""
name = "convolutions"
steps = 100000
loss = "cross-entropy"
layers = [LAYERS]
{IMAGES}
init = {{ scheme = "mean-fan-power", gamma = 1.5 }}
optimizer = {{ name = "adam", lr = 0.0001 }}
"""
LAYER = '{ kind = "conv", width = 32, size = 3, activation = "tanh" }'
RESNET = f"""
name = "resnet18"
steps = 100000
loss = "cross-entropy"
trunk = "resnet18"
layers = [{{ kind = "dense", width = 64, activation = "tanh" }}]
{IMAGES}
init = {{ scheme = "normal", std = 0.01 }}
optimizer = {{ name = "adam", lr = 0.0001, batch = 128 }}
"""


EAGER = "eager, fused Adam"
# A stretch of steps takes at most about so long, and a whole run, without measuring, so long.
STRETCH_S, RUN_S = 1.0, 3.0
# After so long no case begins, and no round; what is under way then takes half a minute at most.
MOST_S = 420.0


class Case(NamedTuple):
    """A scenario, how many seeds of it, and how many steps are timed at a time."""

    title: str
    text: str
    seeds: int
    steps: int

    def experiment(self, *settings: str) -> Experiment:
        members = f"ensemble.members={self.seeds}"
        return toml.build(toml.override(toml.parse(self.text), [members, *settings]))


CASES = (
    Case("5-50-1, 80 points, 1 seed", DENSE, 1, 2_000),
    Case("5-50-1, 80 points, 64 seeds", DENSE, 64, 2_000),
    Case("5-50-1, 80 points, 1,024 seeds", DENSE, 1_024, 500),
    Case("one convolution 32×3×3, 500 images 3×32×32", CONVOLUTIONS.replace("LAYERS", LAYER), 1, 400),
    Case(
        "three convolutions 32×3×3, 500 images 3×32×32", CONVOLUTIONS.replace("LAYERS", ", ".join([LAYER] * 3)), 1, 200
    ),
    Case("ResNet18 and a dense layer, batches of 128 images 3×32×32", RESNET, 1, 60),
)


class Timer:
    """Seconds of a step on that device, with nothing queued before and after."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def settle(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def __call__(self, advance: Callable[[int], object], steps: int) -> float:
        self.settle()
        begun = time.perf_counter()
        advance(steps)
        self.settle()
        return (time.perf_counter() - begun) / steps


@contextlib.contextmanager
def free() -> Iterator[None]:
    """PyTorch as it comes, and told to try which kernels are fastest: TF32 in convolutions, sums in any order. Ours
    keep every bit of float32, and give the same bits each time."""
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before
        torch.use_deterministic_algorithms(True, warn_only=True)


def eager(case: Case, device: torch.device, *, compiled: bool = False) -> Callable[[int], object]:
    """The loop that anybody would write: one seed after another is what many seeds cost there, so one is timed."""
    experiment = case.experiment("ensemble.members=1")
    data = load(experiment.data).to(device, torch.float32)
    # not one of an ensemble, whose parameters are parts of one block of memory
    network = make_network(experiment, data.input_shape, data.outputs).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=device.type == "cuda")
    batch = experiment.optimizer.batch or len(data.input)

    def error(input_: Tensor, target: Tensor) -> Tensor:
        return _error(experiment, network(input_), target)

    found = torch.compile(error, dynamic=False, mode="reduce-overhead") if compiled else error

    def advance(steps: int) -> None:
        for number in range(steps):
            at = number * batch % (len(data.input) - batch + 1)
            optimizer.zero_grad()
            found(data.input[at : at + batch], data.target[at : at + batch]).backward()
            optimizer.step()

    return advance


def vmapped(case: Case, device: torch.device) -> Callable[[int], object]:
    """All seeds stacked by torch.func, and one fused Adam."""
    experiment = case.experiment()
    data = load(experiment.data).to(device, torch.float32)
    networks = [make_network(each, data.input_shape, data.outputs).to(device) for each in experiment.members]
    weights, _ = torch.func.stack_module_state(networks)  # type: ignore[arg-type]
    optimizer = torch.optim.Adam(weights.values(), lr=1e-4, fused=device.type == "cuda")

    def error(own: dict[str, Tensor]) -> Tensor:
        return _error(experiment, torch.func.functional_call(networks[0], own, (data.input,)), data.target)

    gradients = torch.func.vmap(torch.func.grad(error))

    def advance(steps: int) -> None:
        for _ in range(steps):
            found = gradients({name: value.detach() for name, value in weights.items()})
            for name, value in weights.items():
                value.grad = found[name]
            optimizer.step()

    return advance


def _error(experiment: Experiment, output: Tensor, target: Tensor) -> Tensor:
    if experiment.loss == "mse":
        return 0.5 * (output - target).square().mean()
    return nn.functional.cross_entropy(output, target)


def ours(case: Case, device: torch.device) -> Callable[[int], object]:
    """Our steps, without a recorder."""
    experiment = case.experiment()
    return make_ensemble(experiment, [load(experiment.data)] * case.seeds, device).advance


def recorded(case: Case, device: torch.device, steps: int, *settings: str) -> float:
    """Seconds a step of a whole run through the worker, from its event `started` to its last."""
    experiment = case.experiment(f"steps={steps}", *settings)
    with tempfile.TemporaryDirectory() as runs:
        folder = create_run(experiment, runs=Path(runs), device=str(device))
        if worker.work(folder):
            raise SystemExit(f"the run failed: {(folder / 'worker.log').read_text()}")
        with RunReader(folder) as reader:
            at = {event.kind: event.time for event in reader.events}
            return (at["done"] - at["started"]) / steps


def floors(case: Case, device: torch.device, timer: Timer) -> tuple[float, float]:
    """Seconds that a step takes at least: by the launches of its kernels, and by the memory that it moves."""
    experiment = case.experiment()
    ensemble = make_ensemble(experiment, [load(experiment.data)] * case.seeds, device)
    ensemble.advance(1)
    timer.settle()
    kinds = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA][: 1 + (device.type == "cuda")]
    with torch.profiler.profile(activities=kinds) as profile:
        ensemble.advance(1)
        timer.settle()
    wanted = torch.autograd.DeviceType.CUDA if device.type == "cuda" else torch.autograd.DeviceType.CPU
    kernels = sum(event.device_type == wanted for event in profile.events())
    weights = sum(value.numel() for value in ensemble.observe()[0].parameters().values()) * case.seeds
    samples = (experiment.optimizer.batch or len(load(experiment.data).input)) * case.seeds
    outputs = _outputs_of_a_sample(ensemble.observe()[0]._network, load(experiment.data).input[:1])
    # weights and two moments are read and written, the gradient written and read, an output likewise, there and back
    moved = 4 * (8 * weights + 4 * samples * outputs)
    return kernels * _empty_kernel(device, timer), moved / _bandwidth(device, timer)


def _outputs_of_a_sample(network: nn.Module, sample: Tensor) -> int:
    total = 0

    def count(_: nn.Module, __: object, output: Tensor) -> None:
        nonlocal total
        total += output.numel()

    hooks = [part.register_forward_hook(count) for part in network.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    where = next(network.parameters())
    network.eval()
    with torch.no_grad():
        network(sample.to(where.device, where.dtype))
    network.train()
    for hook in hooks:
        hook.remove()
    return total


def _empty_kernel(device: torch.device, timer: Timer, count: int = 1_000) -> float:
    """Seconds of a kernel that does next to nothing, one of many in a graph."""
    one = torch.zeros(1, device=device)

    def launch() -> None:
        for _ in range(count):
            one.add_(1)

    launch()
    if device.type != "cuda":
        return timer(lambda steps: [launch() for _ in range(steps)], 3) / count
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        launch()
    return timer(lambda steps: [graph.replay() for _ in range(steps)], 20) / count


def _bandwidth(device: torch.device, timer: Timer, size: int = 1 << 26) -> float:
    """Bytes a second, read and written, of a copy that no cache holds."""
    source, target = torch.ones(size, device=device), torch.empty(size, device=device)
    target.copy_(source)
    return 2 * 4 * size / timer(lambda steps: [target.copy_(source) for _ in range(steps)], 5)


def ways(case: Case, device: torch.device, timer: Timer, steps: int) -> Iterator[tuple[str, Callable[[], float]]]:
    """Each way's name, and the seconds that a step of one seed takes."""
    peers: dict[str, tuple[Callable[[], Callable[[int], object]], int]] = {
        EAGER: (lambda: eager(case, device), 1),
        "the same, TF32 and any order of sums": (lambda: eager(case, device), 1),
    }
    if case.seeds == 1:
        peers["torch.compile, TF32 and any order of sums"] = (lambda: eager(case, device, compiled=True), 1)
    else:
        peers["torch.func.vmap, fused Adam"] = (lambda: vmapped(case, device), case.seeds)
    for name, (make, seeds) in peers.items():
        around = contextlib.nullcontext if name == EAGER else free
        with around():
            advance = make()
            count, _ = _stretch(advance, timer, steps)

        def timed(
            advance: Callable[[int], object] = advance,
            count: int = count,
            seeds: int = seeds,
            around: Callable[[], contextlib.AbstractContextManager[None]] = around,
        ) -> float:
            with around():
                return timer(advance, count) / seeds

        yield name, timed
    own = ours(case, device)
    of_own, each = _stretch(own, timer, steps)
    of_run = max(2, min(10 * steps, int(RUN_S / each)))
    yield "ours", lambda: timer(own, of_own) / case.seeds
    yield "ours, recorded", lambda: recorded(case, device, of_run) / case.seeds
    blind = ("record.frames=2", "record.probes=[]")
    yield "ours, whole run, not recorded", lambda: recorded(case, device, of_run, *blind) / case.seeds


def _stretch(advance: Callable[[int], object], timer: Timer, steps: int) -> tuple[int, float]:
    """How many steps are timed at once, and the seconds of one."""
    # libraries load, kernels are chosen, graphs captured
    advance(2)
    first = max(2, min(steps, 64, int(STRETCH_S / timer(advance, 2))))
    advance(first)
    each = timer(advance, first)
    return max(2, min(steps, int(STRETCH_S / each))), each


def compare(console: Console, case: Case, timer: Timer, rounds: int, steps: int, *, until: float) -> None:
    """`until` is the time, by the monotonic clock, after which no round begins but the first."""
    device = timer.device
    there = list(ways(case, device, timer, steps))
    found: dict[str, list[float]] = {name: [] for name, _ in there}
    for number in range(rounds):
        if number and time.monotonic() > until:
            console.print(f"{number} of {rounds} rounds: no time for more", highlight=False)
            break
        for name, seconds in there:
            found[name].append(seconds())
    launch, memory = (floor / case.seeds for floor in floors(case, device, timer))
    table = Table(title=case.title, title_justify="left", box=None, header_style="bold")
    for head in ("", "seed·steps/s", "× eager", "share of the floor's speed"):
        table.add_column(head, justify="right" if head else "left")
    peer = statistics.median(found[EAGER])
    for name, times in found.items():
        taken = statistics.median(times)
        table.add_row(name, f"{1 / taken:,.0f}", f"{peer / taken:.2f}", f"{max(launch, memory) / taken:.2f}")
    table.add_row("floor: launch", f"{1 / launch:,.0f}" if launch else "–", "", "")
    table.add_row("floor: memory", f"{1 / memory:,.0f}", "", "")
    console.print(table)
    console.print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:i, or cpu to try the benchmark itself")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the steps, one round")
    asked = parser.parse_args()
    device = devices.choose(asked.device)
    devices.make_deterministic(device)
    console = Console(width=100)
    console.print(f"{devices.describe(device)}, PyTorch {torch.__version__}", highlight=False)
    begun = time.monotonic()
    for number, case in enumerate(CASES):
        left = MOST_S - (time.monotonic() - begun)
        if left < 0:
            console.print(f"left out, {MOST_S:g} s are over: {case.title}", highlight=False)
            continue
        steps = max(2, case.steps // 100) if asked.quick else case.steps
        until = time.monotonic() + left / (len(CASES) - number)
        compare(console, case, Timer(device), 1 if asked.quick else asked.rounds, steps, until=until)


if __name__ == "__main__":
    end_tidily()
    main()
