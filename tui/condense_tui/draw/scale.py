"""Axes: from values to places, logarithms taken here so that no plotting library has to, and round ticks."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import overload

import numpy as np


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic axis from `low` to `high` in its own coordinate: the value, or its log10.

    `shift` is added before the logarithm: 1 for steps, which start at 0.
    """

    low: float
    high: float
    log: bool = False
    shift: float = 0.0

    def forward(self, value: np.ndarray | float) -> np.ndarray:
        """Axis coordinate; NaN if a logarithm has no value."""
        array = np.asarray(value, np.float64) + self.shift
        if not self.log:
            return array
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(array > 0, np.log10(np.where(array > 0, array, 1)), np.nan)

    @overload
    def back(self, coordinate: float) -> float: ...
    @overload
    def back(self, coordinate: np.ndarray) -> np.ndarray: ...
    def back(self, coordinate: float | np.ndarray) -> float | np.ndarray:
        """The value at an axis coordinate."""
        if not self.log:
            return coordinate - self.shift
        with np.errstate(over="ignore"):  # an axis may end a little above the largest number
            value = np.power(10.0, coordinate) - self.shift
        return value if isinstance(coordinate, np.ndarray) else float(value)

    def share(self, value: np.ndarray | float) -> np.ndarray:
        """Place along the axis, 0 at `low`, 1 at `high`."""
        return (self.forward(value) - self.low) / (self.high - self.low)

    def column(self, value: float, width: int) -> int | None:
        """The character cell of `width` that holds the value, None outside."""
        place = float(self.share(value))
        if not math.isfinite(place) or place < -1e-9 or place > 1 + 1e-9:
            return None
        return min(width - 1, max(0, round(place * (width - 1))))

    def column_of(self, values: np.ndarray, width: int) -> np.ndarray:
        """Cells of `width` that hold the values, those outside at its ends."""
        cells: np.ndarray = np.clip(np.rint(self.share(values) * (width - 1)), 0, width - 1)
        return cells


def fit(values: np.ndarray, log: bool, shift: float = 0.0) -> Scale:
    """The axis that holds all finite `values`; a flat or empty series gets a little room on both sides."""
    unfitted = Scale(0, 1, log, shift)
    coordinates = unfitted.forward(values)
    coordinates = coordinates[np.isfinite(coordinates)]
    if not len(coordinates):
        return unfitted
    low, high = float(coordinates.min()), float(coordinates.max())
    # Below a millionth of the size, differences are rounding: an axis there would show noise as shape.
    if high - low <= 1e-6 * max(abs(low), abs(high)):
        room = 0.05 if log else max(abs(high) * 0.05, 1e-12)
        low, high = low - room, high + room
    return Scale(low, high, log, shift)


def ticks(scale: Scale, most: int) -> list[float]:
    """At most `most` round values inside the axis, spread over it."""
    if most < 1:
        return []
    if scale.log and scale.high - scale.low >= 1.0:
        return _decades(scale, most)
    # Within one decade a logarithmic axis is nearly straight: round values, not powers, are what one reads there.
    low, high = sorted((scale.back(scale.low), scale.back(scale.high)))
    return _round_values(low, high, most)


def _decades(scale: Scale, most: int) -> list[float]:
    first, last = math.ceil(scale.low - 1e-9), math.floor(scale.high + 1e-9)
    stride = max(1, math.ceil((last - first + 1) / most))
    # ends on the highest decade, where curves of a log plot mostly start
    exponents = range(min(last, sys.float_info.max_10_exp), first - 1, -stride)
    return sorted(10.0**exponent for exponent in exponents)


def _round_values(low: float, high: float, most: int) -> list[float]:
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return []
    magnitude = 10.0 ** math.floor(math.log10(span))
    if magnitude < sys.float_info.min:
        # below it a tenth of a number may be 0
        return []
    for size in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0, 10.0):
        stride = size * magnitude
        first, last = math.ceil(low / stride - 1e-9), math.floor(high / stride + 1e-9)
        if 1 <= last - first + 1 <= most:
            return [index * stride for index in range(first, last + 1)]
    return []
