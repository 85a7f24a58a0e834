"""Where each kernel stands in the heatmap, so that condensed kernels stand together.   # M kernels

Lines keep their number over time (frames.Condensation), so an order by that number does not jump between frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from condense_core.runfile.display_order import by_line

__all__ = ["Group", "by_index", "by_line", "groups"]


@dataclass(frozen=True)
class Group:
    """Neighbours in the order that share a line (or have none) and point to one side of it."""

    label: int
    sign: int
    start: int
    stop: int


def by_index(kernels: int) -> np.ndarray:
    """The order in the network itself."""
    return np.arange(kernels)


def groups(label_M: np.ndarray, sign_M: np.ndarray, order_M: np.ndarray) -> tuple[Group, ...]:
    """Runs of one line and side along `order_M`."""
    label = np.asarray(label_M, np.int64)[order_M]
    sign = np.where(label >= 0, np.asarray(sign_M, np.int64)[order_M], 0)
    if not len(label):
        return ()
    starts = np.flatnonzero(np.r_[True, (np.diff(label) != 0) | (np.diff(sign) != 0)])
    stops = np.r_[starts[1:], len(label)]
    return tuple(Group(int(label[a]), int(sign[a]), int(a), int(b)) for a, b in zip(starts, stops, strict=True))
