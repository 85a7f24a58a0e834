"""A curve in one line of text. Without NumPy: the first frame of the app draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.-=+*^#"
# What is no number, and what is above and below every number.
NAN, HIGH, LOW = "x", "^", "v"
# From this ratio on, a linear scale shows a curve as a cliff and a floor.
LOG_FROM = 100.0


def sparkline(values: Sequence[float], width: int, unicode: bool = True) -> str:
    """At most `width` characters, one a value or one for several; NaN as x, infinities as ^ and v.

    The scale is that of the finite values, logarithmic where all are positive and span two decades or more. A flat
    curve runs along the bottom.
    """
    if width <= 0 or not values:
        return ""
    count = min(width, len(values))
    # the last of each group: what stands at the right end is the newest value
    picked = [values[(index + 1) * len(values) // count - 1] for index in range(count)]
    finite = [value for value in picked if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    log = low > 0 and high / LOG_FROM >= low
    steps = BLOCKS if unicode else PLAIN
    return "".join([_step(value, low, high, log, steps) for value in picked])


def _step(value: float, low: float, high: float, log: bool, steps: str) -> str:
    if math.isnan(value):
        return NAN
    if math.isinf(value):
        return HIGH if value > 0 else LOW
    if log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    # halves first: the span of two finite numbers may be none
    span = high / 2 - low / 2
    place = (value / 2 - low / 2) / span if span > 0 else 0.0
    return steps[min(len(steps) - 1, int(place * len(steps)))]
