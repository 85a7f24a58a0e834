"""What random kernels reach, worked out beforehand for the layers that there are.   # M kernels, K entries a kernel

`null_table.npy` holds what `null` would find by simulating, for every K up to 129 and those of common layers, and for
every M that `null.calibration_size` gives. `make_null_table` makes it, in minutes, from the seeds that `null` draws
from; a test draws some of it again.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from condense_core.thresholds import COARSE, FINE, Cut

FILE = Path(__file__).with_name("null_table.npy")
CUTS = (FINE, COARSE)
KERNELS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
# Beyond 129 those of 3×3 and 5×5 filters of 16, 32 and 64 channels, of common widths and of images, each with a bias
# and without, and the largest, which stands for all above it.
LARGER = (144, 150, 196, 200, 225, 250, 256, 288, 300, 400, 500, 512, 576, 600, 784, 800, 1_000)
ENTRIES = (*range(1, 130), *sorted({*LARGER, *(entries + 1 for entries in LARGER)}), 1_024)

Quantiles = tuple[float, float, float]
"""95 % quantiles of coverage, mean |cos| and tightness."""


def look_up(entries: int, kernels: int) -> dict[Cut, Quantiles] | None:
    """What M = `kernels` random kernels of K = `entries` reach at either cut; None where the table does not have it."""
    if entries not in ENTRIES or kernels not in KERNELS:
        return None
    found = _table()[ENTRIES.index(entries), KERNELS.index(kernels)].tolist()
    return {cut: tuple(values) for cut, values in zip(CUTS, found, strict=True)}


@cache
def _table() -> np.ndarray[Any, np.dtype[np.float64]]:
    """By K, M and cut, the three quantiles."""
    table: np.ndarray[Any, np.dtype[np.float64]] = np.load(FILE, allow_pickle=False)
    assert table.shape == (len(ENTRIES), len(KERNELS), len(CUTS), 3)
    return table
