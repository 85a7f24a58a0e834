"""Whether what a scenario's `fast` asks for is the faster way on this machine: both are tried, and the slower refused.

Which it is depends on the processor, on how many cores it has, on filters, layers and how many images a step has; so
no rule knows it, and steps do. Only the refusal depends on time, no bit of a run does.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence

import msgspec
import torch

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.found_once import found_once
from condense_core.engine.network.work import multiplications
from condense_core.engine.steppers import gradient_method, make_ensemble
from condense_core.engine.training import device
from condense_core.errors import ScenarioError
from condense_core.machine import processor, usable_cores
from condense_core.scenario.experiment import Experiment

# A run of fewer steps is over before both ways have been tried: they take about ten of each.
LEAST_STEPS = 200
# Rounds in which both take turns, and how much longer is slower: less may be what others do meanwhile.
ROUNDS, SLOWER = 3, 1.1
CPU = torch.device("cpu")


def refuse_slower(experiment: Experiment, samples: Sequence[Dataset]) -> None:
    """ScenarioError where a run that begins on a CPU is slowed down by what its `fast` asks for.

    Tried are the first steps of the run itself, once for each machine, versions, network and size of the sample;
    `samples` has one for each member.
    """
    plain = msgspec.structs.replace(experiment, fast=())
    # called for what it refuses untried, too
    if gradient_method(experiment, CPU) is gradient_method(plain, CPU) or experiment.steps < LEAST_STEPS:
        return
    word = found_once("fast", _on(experiment, samples), lambda: _times_as_long(experiment, plain, samples), _knows).word
    ratio, _, way = word.partition(" ")
    if float(ratio) <= SLOWER:
        return
    asked = " with ".join(f"'{name}'" for name in experiment.fast)
    raise ScenarioError(
        f"fast: {asked} slows this network: tried on this machine, a step takes {float(ratio):.1f} times as long as"
        f" without it ({way} steps); leave it out (--set 'fast=[]')"
    )


def _on(experiment: Experiment, samples: Sequence[Dataset]) -> str:
    """All that the ratio depends on."""
    count = experiment.optimizer.batch or len(samples[0])
    return (
        f"{processor()}, {usable_cores()} cores, {os.environ.get('OMP_NUM_THREADS', 'any')} threads, PyTorch"
        f" {torch.__version__}, {experiment.fast}, {experiment.layers}, {experiment.loss}, {experiment.dtype},"
        f" {experiment.ensemble.members} members, {count} of {samples[0].input_shape} to {samples[0].outputs},"
        f" {gradient_method(msgspec.structs.replace(experiment, fast=()), CPU).name}"
    )


def _times_as_long(experiment: Experiment, plain: Experiment, samples: Sequence[Dataset]) -> str:
    """Seconds of a step beside those without `fast`, each with the threads that suit it best, and the way of these."""
    work = len(samples) * multiplications(experiment, samples[0])
    ways = []
    for each in (experiment, plain):
        ensemble = make_ensemble(each, samples, CPU)
        device.set_threads(work, ensemble.warm_up, "")
        ways.append((ensemble, torch.get_num_threads()))
    taken = [math.inf, math.inf]
    for _ in range(ROUNDS):
        for number, (ensemble, threads) in enumerate(ways):
            torch.set_num_threads(threads)
            begun = time.perf_counter()
            ensemble.warm_up()
            taken[number] = min(taken[number], time.perf_counter() - begun)
    return f"{taken[0] / taken[1]:.2f} {ways[1][0].name}"


def _knows(word: str) -> bool:
    ratio, _, way = word.partition(" ")
    try:
        return 0 < float(ratio) < math.inf and bool(way)
    except ValueError:
        return False
