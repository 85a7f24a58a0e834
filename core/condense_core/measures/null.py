"""How condensed random kernels look, so that chance is not taken for condensation.   # M kernels, K entries a kernel"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from condense_core.measures.clusters import CondensedLines, Judged, cut_at_each, kept_kernels, linkage_trees
from condense_core.measures.kernels import norms_of, units_of
from condense_core.measures.null_table import CUTS, ENTRIES, look_up
from condense_core.measures.similarity import cosines, upper_triangle
from condense_core.thresholds import FINE, LEAST_COVERAGE, Cut

_Array = np.ndarray[Any, Any]

# Up to this many entries random kernels form lines that cover them all, so coverage alone says nothing.
FEW_ENTRIES = 3
# Clustering costs M². More kernels scatter less about the same mean, so quantiles at 256 bound those of larger layers.
MOST_KERNELS = 256
# Random directions only get further apart with K; at 1024 the largest of 256 × 255 / 2 cosines is about 0.15.
MOST_ENTRIES = 1024
# Kernels drawn in all: 200 trials at M = 51 and fewer, 40 at M = 256, the least that places a 95 % quantile.
KERNELS_DRAWN = 10_240
MOST_TRIALS = 200
# Numbers that trials are worked on at a time, 8 bytes each.
NUMBERS_AT_ONCE = 1 << 18


class Null(NamedTuple):
    """95 % quantiles of `coverage`, `mean_abs_cos` and `tightness` of `clusters.CondensedLines` over fresh Gaussian
    kernels."""

    coverage95: float
    abs_cos95: float
    tightness95: float


@lru_cache(maxsize=1024)
def null_condensation(entries: int, kernels: int, *, cut: float = FINE.cos, smallest_share: float = FINE.share) -> Null:
    """What M = `kernels` random kernels of K = `entries` reach, from simulating at most 256 Gaussian ones of 1024.

    Looked up where `null_table` has it; else drawn from a generator of its own with a fixed seed, so the answer is the
    same on every call and nothing else's random numbers move; cached. Both caps err on the side of calling less
    condensed. A trial without any line has no tightness and counts as 0; fewer than two kernels give quantiles that
    nothing exceeds (1). Raises ValueError for less than one entry or kernel.
    """
    if entries < 1 or kernels < 1:
        raise ValueError(f"entries, kernels: expected 1 or more of each, got {entries}, {kernels}")
    kernels, entries = min(kernels, MOST_KERNELS), min(entries, MOST_ENTRIES)
    setting = Cut(cut, smallest_share)
    return (_standard(entries, kernels) if setting in CUTS else simulated(entries, kernels, (setting,)))[setting]


def is_at_hand(entries: int) -> bool:
    """Whether the null of kernels of so many entries is looked up, however many they are (`calibration_size`), and need
    not be simulated."""
    return min(entries, MOST_ENTRIES) in ENTRIES


@lru_cache(maxsize=1024)
def _standard(entries: int, kernels: int) -> dict[Cut, Null]:
    """Both settings that are always asked for, of the same trials: a tree costs much, a cut of it nothing."""
    known = look_up(entries, kernels)
    return simulated(entries, kernels, CUTS) if known is None else {cut: Null(*known[cut]) for cut in CUTS}


def simulated(entries: int, kernels: int, settings: Sequence[Cut]) -> dict[Cut, Null]:
    """What `kernels` random kernels reach at each setting, in 2 ms to 0.1 s."""
    if kernels == 1:
        return dict.fromkeys(settings, Null(1.0, 1.0, 1.0))
    generator = torch.Generator().manual_seed(kernels * MOST_ENTRIES + entries)
    trials = min(MOST_TRIALS, KERNELS_DRAWN // kernels)
    values: dict[Cut, list[Tensor]] = {setting: [] for setting in settings}
    at_once = max(1, NUMBERS_AT_ONCE // (kernels * max(kernels, entries)))
    for first in range(0, trials, at_once):
        # one by one, as the generator gives other numbers for many at once
        drawn = [
            torch.randn(kernels, entries, dtype=torch.float64, generator=generator)
            for _ in range(min(at_once, trials - first))
        ]
        unit_SMK = units_of(torch.stack(drawn))
        kept_SM = kept_kernels(norms_of(torch.stack(drawn)).numpy())
        trees = linkage_trees(unit_SMK, kept_SM, upper_triangle(cosines(unit_SMK).numpy()))
        for lines, found in zip(cut_at_each(trees, settings), values.values(), strict=True):
            of_trials = (lines.coverage_S, lines.mean_abs_cos_S, lines.tightness_S)
            found.append(torch.from_numpy(np.stack(of_trials, axis=1)))
    return {setting: _quantiles(torch.cat(found)) for setting, found in values.items()}


def _quantiles(values: Tensor) -> Null:
    # one kernel left by chance is as condensed as can be; no line at all is as loose as can be
    values[:, 1].nan_to_num_(nan=1.0)
    values[:, 2].nan_to_num_(nan=0.0)
    return Null(*torch.quantile(values, 0.95, dim=0).tolist())


def calibration_size(kept: int) -> int:
    """The number of kernels that a layer's null is taken of: `kept` down to its two leading binary digits.

    What is kept changes from step to step, and these sizes are few; fewer random kernels look more condensed, so
    rounding down is the careful side.
    """
    unit = 1 << max(0, kept.bit_length() - 2)
    return max(1, kept // unit * unit)


def is_condensed(lines: CondensedLines | Judged, null: Null, entries: int) -> bool:
    """Whether a layer lies on lines more than 0.8 of it and more than chance would have it (docs/SCIENCE.md, "Null
    calibration").

    With more than three entries a kernel (K): coverage above both 0.8 and the null's. With K ≤ 3 the null's coverage is
    at or near 1, which nothing exceeds, so there coverage above 0.8 and tightness above the null's: random kernels fill
    the plane and are merely cut into lines, condensed ones lie on theirs. False where a value is NaN, and for K = 1.
    """
    found = np.array([lines.coverage]), np.array([lines.tightness]), np.array([null]), np.array([entries])
    return bool(are_condensed(*found)[0])


def are_condensed(coverage_S: _Array, tightness_S: _Array, null_SQ: _Array, entries_S: _Array) -> _Array:
    """`is_condensed` of each member; `null_SQ` (S, 3) has its `Null` in a row."""
    beyond_S = coverage_S > np.maximum(LEAST_COVERAGE, null_SQ[:, 0])
    tight_S = (coverage_S > LEAST_COVERAGE) & (tightness_S > null_SQ[:, 2])
    found_S: _Array = np.where(entries_S > FEW_ENTRIES, beyond_S, tight_S)
    return found_S
