"""Whose tanh is the faster one on this machine: PyTorch's takes up to 13 times as long as NumPy's on some processors,
and less on others. Both are exact to 1.4 units in the last place, and differ there.

The choice is made once for each processor and versions of both libraries, and kept, so that bits depend on no timing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from condense_core.engine.found_once import found_once
from condense_core.machine import processor, usable_cores

NUMPY, TORCH = "NumPy", "PyTorch"
# Numbers that both are tried on, and the share of PyTorch's time that NumPy's must stay below.
TRIED, WORTH_IT = 100_000, 0.7


def by_numpy(z: Tensor) -> Tensor:
    """tanh in place, of a tensor on the CPU."""
    values = z.numpy()
    np.tanh(values, out=values)
    return z


def faster(dtype: str) -> str:
    """NUMPY or TORCH, as was found here first; TORCH where that cannot be kept."""
    on = f"{processor()}, {usable_cores()} cores, PyTorch {torch.__version__}, NumPy {np.__version__}, {dtype}"
    found = found_once("tanh", on, lambda: NUMPY if _numpy_is_faster(dtype) else TORCH, {NUMPY, TORCH}.__contains__)
    return found.word if found.kept else TORCH


def _numpy_is_faster(dtype: str) -> bool:
    z = torch.linspace(-1, 1, TRIED, dtype=getattr(torch, dtype))
    # PyTorch's may share the work out, at best to every core
    return _seconds(by_numpy, z) < WORTH_IT * _seconds(torch.tanh_, z) / usable_cores()


def _seconds(function: Callable[[Tensor], Tensor], z: Tensor) -> float:
    taken = []
    for _ in range(5):
        value = z.clone()
        begun = time.perf_counter()
        function(value)
        taken.append(time.perf_counter() - begun)
    return min(taken)
