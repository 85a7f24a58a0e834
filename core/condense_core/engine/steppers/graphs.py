"""Blocks of steps as one CUDA graph: on a GPU a small network's step is mostly the launching of its kernels.

It checks itself before it is used: a block that is replayed must give the weights that single steps give, or steps are
taken one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.work import multiplications
from condense_core.engine.steppers.parameters import Parameters
from condense_core.scenario.experiment import Experiment

# Steps of one graph: launching one replay then costs a per cent of launching its kernels one by one.
BLOCK = 32
# Multiplications of one forward pass, of all members, up to which steps are taken so: a block of larger ones would keep
# a command waiting for more than a second on a small GPU, and launching is the least part of their time.
MOST_WORK = 2e10
# Tensors that optimisers move, above which a try alone would take long: of members that are trained one by one.
MOST_TENSORS = 256


def repay(experiment: Experiment, datasets: Sequence[Dataset], parameters: Parameters) -> bool:
    """Whether blocks of these steps save time and keep nobody waiting; `datasets` has a sample for each member."""
    tensors = sum(len(group.params) for group in parameters.groups)
    return tensors <= MOST_TENSORS and len(datasets) * multiplications(experiment, datasets[0]) <= MOST_WORK


class Graph(Protocol):
    """A captured sequence of kernels."""

    def replay(self) -> None:
        """Run it once."""


Capture = Callable[[Callable[[], None]], Graph]


class CapturedBlock:
    """`BLOCK` steps as one replay. `memory` are all tensors that a step reads and writes again in the next."""

    def __init__(
        self,
        step: Callable[[Sequence[Tensor] | None], None],
        memory: Sequence[Tensor],
        batches: Tensor | None = None,
        capture: Capture | None = None,
    ) -> None:
        """`batches` (S, BLOCK, B) are the numbers of the samples of steps to try it with; None where a step, which is
        given those of its own, a tensor for each member, sees all samples. RuntimeError where the steps cannot be
        captured, or a replay does not give what single steps give.

        Whatever comes of it, `memory` is as it was before; what a step computes besides is not.
        """
        start = [value.clone() for value in memory]
        self._batches = batches

        def rewind() -> None:
            for value, before in zip(memory, start, strict=True):
                value.copy_(before)

        def block() -> None:
            for number in range(BLOCK):
                step(None if batches is None else batches[:, number].unbind())

        try:
            block()
            expected = [value.clone() for value in memory]
            rewind()
            self._graph = (capture or _capture)(block)
            rewind()
            self._graph.replay()
            same = all(map(_same, memory, expected))
        finally:
            rewind()
        if not same:
            raise RuntimeError("a replayed CUDA graph gives other weights than single steps")

    def replay(self, batches: Tensor | None = None) -> None:
        """Take BLOCK steps, on these samples."""
        if self._batches is not None:
            assert batches is not None
            self._batches.copy_(batches)
        self._graph.replay()


def _same(found: Tensor, expected: Tensor) -> bool:
    # every bit, as a resumed run must take up single steps where this one took blocks; NaN where training diverges
    return bool(((found == expected) | (found.isnan() & expected.isnan())).all())


def _capture(block: Callable[[], None]) -> Graph:
    """As PyTorch asks for it: once on a stream of its own, so that libraries have allocated what a capture must not.

    On the current device, which is the one that the weights are on. Only this thread's calls are held against the
    capture: that of the run file uses no GPU, and one that reads the machine's load may.
    """
    own = torch.cuda.current_stream()
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(own)
    with torch.cuda.stream(aside):
        block()
    own.wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            block()
    finally:
        # PyTorch leaves the captured one where the capture cannot be ended
        torch.cuda.set_stream(own)
    return graph
