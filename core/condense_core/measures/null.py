"""How condensed random kernels look, so that chance is not taken for condensation.   # M kernels, K entries a kernel"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch

from condense_core.measures.clusters import CondensedLines, cut_tree, linkage_tree
from condense_core.thresholds import COARSE, FINE, LEAST_COVERAGE, Cut

# Both are always asked for.
_STANDARD = (FINE, COARSE)

# Up to this many entries random kernels form lines that cover them all, so coverage alone says nothing.
FEW_ENTRIES = 3
# Clustering costs M². More kernels scatter less about the same mean, so quantiles at 256 bound those of larger layers.
MOST_KERNELS = 256
# Random directions only get further apart with K; at 1024 the largest of 256 × 255 / 2 cosines is about 0.15.
MOST_ENTRIES = 1024
# Kernels drawn in all: 200 trials at M = 51 and fewer, 40 at M = 256, the least that places a 95 % quantile.
KERNELS_DRAWN = 10_240
MOST_TRIALS = 200


@dataclass(frozen=True)
class Null:
    """95 % quantiles of `coverage`, `mean_abs_cos` and `tightness` of `clusters.CondensedLines` over fresh Gaussian
    kernels."""

    coverage95: float
    abs_cos95: float
    tightness95: float


@lru_cache(maxsize=1024)
def null_condensation(entries: int, kernels: int, *, cut: float = FINE.cos, smallest_share: float = FINE.share) -> Null:
    """What M = `kernels` random kernels of K = `entries` reach, from simulating at most 256 Gaussian ones of 1024.

    Drawn from a generator of its own with a fixed seed, so the answer is the same on every call and nothing else's
    random numbers move; cached. Both caps err on the side of calling less condensed. A trial without any line has no
    tightness and counts as 0; fewer than two kernels give quantiles that nothing exceeds (1). Raises ValueError for
    less than one entry or kernel.
    """
    if entries < 1 or kernels < 1:
        raise ValueError(f"entries, kernels: expected 1 or more of each, got {entries}, {kernels}")
    kernels, entries = min(kernels, MOST_KERNELS), min(entries, MOST_ENTRIES)
    setting = Cut(cut, smallest_share)
    return (_standard(entries, kernels) if setting in _STANDARD else _simulated(entries, kernels, (setting,)))[setting]


@lru_cache(maxsize=1024)
def _standard(entries: int, kernels: int) -> dict[Cut, Null]:
    """Both settings that are always asked for, of the same trials: a tree costs much, a cut of it nothing."""
    return _simulated(entries, kernels, _STANDARD)


def _simulated(entries: int, kernels: int, settings: Sequence[Cut]) -> dict[Cut, Null]:
    if kernels == 1:
        return dict.fromkeys(settings, Null(1.0, 1.0, 1.0))
    generator = torch.Generator().manual_seed(kernels * MOST_ENTRIES + entries)
    trials: dict[Cut, list[tuple[float, float, float]]] = {setting: [] for setting in settings}
    for _ in range(min(MOST_TRIALS, KERNELS_DRAWN // kernels)):
        tree = linkage_tree(torch.randn(kernels, entries, dtype=torch.float64, generator=generator))
        for setting, found in trials.items():
            lines = cut_tree(tree, cut=setting.cos, smallest_share=setting.share)
            found.append((lines.coverage, lines.mean_abs_cos, lines.tightness))
    return {setting: _quantiles(found) for setting, found in trials.items()}


def _quantiles(trials: list[tuple[float, float, float]]) -> Null:
    values = torch.tensor(trials, dtype=torch.float64)
    # one kernel left by chance is as condensed as can be; no line at all is as loose as can be
    values[:, 1].nan_to_num_(nan=1.0)
    values[:, 2].nan_to_num_(nan=0.0)
    return Null(*torch.quantile(values, 0.95, dim=0).tolist())


def is_condensed(lines: CondensedLines, null: Null, entries: int) -> bool:
    """Whether a layer lies on lines more than 0.8 of it and more than chance would have it (docs/SCIENCE.md, "Null
    calibration").

    With more than three entries a kernel (K): coverage above both 0.8 and the null's. With K ≤ 3 the null's coverage is
    at or near 1, which nothing exceeds, so there coverage above 0.8 and tightness above the null's: random kernels fill
    the plane and are merely cut into lines, condensed ones lie on theirs. False where a value is NaN, and for K = 1.
    """
    if entries > FEW_ENTRIES:
        return lines.coverage > max(LEAST_COVERAGE, null.coverage95)
    return lines.coverage > LEAST_COVERAGE and lines.tightness > null.tightness95
