"""The difference of two heatmaps, kernel by kernel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from condense_tui.snapshots.snapshot import LayerImage


def difference(a: LayerImage, b: LayerImage) -> LayerImage | str:
    """Half of a − b, which lies in [-1, 1] as the cosines do, in the order of a; in words why there is none.

    Kernel i of one is taken from kernel i of the other: where both runs began with one draw of the weights, the same.
    """
    if a.pooled or b.pooled:
        return "too many kernels: each run has pooled its own"
    if a.kernels != b.kernels:
        return f"{a.kernels} and {b.kernels} kernels"
    half = (a.cosine.astype(np.float64) - b.cosine) / 2
    return replace(a, cosine=half, dropped=a.dropped | b.dropped)


def size_of(image: LayerImage) -> tuple[float, float]:
    """Mean and largest |a − b| of every two kernels that neither run has dropped; NaN where there are no two."""
    kept = np.flatnonzero(~image.dropped)
    rows, columns = np.triu_indices(len(kept), 1)
    apart = 2 * np.abs(image.cosine[np.ix_(kept, kept)][rows, columns])
    apart = apart[np.isfinite(apart)]
    return (float(apart.mean()), float(apart.max())) if len(apart) else (float("nan"), float("nan"))
