"""The device a run trains on."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable

import torch

from condense_core.errors import ScenarioError
from condense_core.machine import processor, usable_cores
from condense_core.scenario.device import device_named

# Below this many multiplications, waking a second thread costs more than it does: a 5-50-1 network or one layer of 3×3
# filters on 8×8 digits runs faster on one, and does not collapse when other programs want the cores.
WORK_A_THREAD = 2e7
# What twice the threads must leave of a step's time to be taken.
WORTH_IT = 0.85
# A step that takes this long needs no second try.
LONG_STEP_S = 0.2

_THREADS = re.compile(r", (\d+) threads?$")


def choose(name: str) -> torch.device:
    """`auto` (CUDA where there is one), `cpu`, `cuda` or `cuda:i`; ScenarioError where it is not there."""
    kind, number = device_named(name)
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "cpu" or (kind == "auto" and not count):
        return torch.device("cpu")
    if number >= count:
        last = f" to cuda:{count - 1}" if count > 1 else " only"
        there = f"this machine has cuda:0{last}" if count else "PyTorch finds no GPU on this machine"
        raise ScenarioError(f"--device {name}: {there}; try --device auto")
    return torch.device("cuda", number)


def make_deterministic(device: torch.device) -> None:
    """Same machine, same seed, same bits: on CUDA at some cost in speed, on the CPU it holds anyway.

    The device becomes the current one, which is where streams and graphs are made.
    """
    if device.type != "cuda":
        return
    torch.cuda.set_device(device)
    # cuBLAS reads this when its first handle is made, which is after this call
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    # every tensor that is made is written to anyway; filling it first with NaN is one more pass over the memory
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def set_threads(work: float, step: Callable[[], object], before: str) -> None:
    """As many threads as make `step` fastest, by trying; one for steps whose `work` (multiplications) is small.

    A run that goes on takes as many as it had: `before` is its device in words, and sums in another order would be
    other bits. $OMP_NUM_THREADS, where set, is obeyed.
    """
    if "OMP_NUM_THREADS" in os.environ:
        return
    told = _THREADS.search(before)
    if told is not None:
        torch.set_num_threads(max(1, min(usable_cores(), int(told[1]))))
        return
    torch.set_num_threads(1)
    if work < WORK_A_THREAD:
        return
    best, fastest = 1, _time(step)
    threads = 2
    while threads <= usable_cores():
        torch.set_num_threads(threads)
        taken = _time(step)
        # a core more must be worth it: others may want it too
        if taken < WORTH_IT * fastest:
            best, fastest = threads, taken
        threads *= 2
    torch.set_num_threads(best)


def _time(step: Callable[[], object]) -> float:
    """Seconds that a step takes: the second try, or the only one where that took long enough to be believed."""
    taken = math.inf
    for _ in range(2):
        begun = time.perf_counter()
        step()
        taken = min(taken, time.perf_counter() - begun)
        if taken > LONG_STEP_S:
            break
    return taken


def describe(device: torch.device) -> str:
    """The device in words a person recognises: `cuda:0 NVIDIA H100 …`, `cpu Intel …, 1 thread`."""
    if device.type == "cuda":
        return f"{device} {torch.cuda.get_device_name(device)}"
    threads = torch.get_num_threads()
    return f"cpu {processor()}, {threads} thread{'s' if threads > 1 else ''}"


def without_threads(words: str) -> str:
    """What `describe` said, of the device alone."""
    return _THREADS.sub("", words)
