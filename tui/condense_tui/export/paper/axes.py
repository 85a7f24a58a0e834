"""Where ticks stand on a figure's axes, and how their numbers are written."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axis import Axis
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

from condense_tui.draw.numbers import short_step, tick
from condense_tui.draw.scale import Scale, ticks

ANGLES = {-math.pi: "−π", -math.pi / 2: "−π/2", 0.0: "0", math.pi / 2: "π/2", math.pi: "π"}


def round_numbers(most: int, *, whole: bool = False) -> MaxNLocator:
    """At most so many steps between ticks, of one, two or five."""
    return MaxNLocator(most, steps=[1, 2, 5, 10], integer=whole, min_n_ticks=2)


def first_to_last(first: int, last: int) -> FixedLocator:
    """A few whole numbers, the first and the last among them."""
    strides = (size * 10**power for power in range(10) for size in (1, 2, 5))
    stride = next(stride for stride in strides if last <= 4 * stride)
    inside = [at for at in range(stride, last, stride) if at > first and last - at > 0.4 * stride]
    return FixedLocator(sorted({first, *inside, last}))


def steps_along(axis: Axis, most: int) -> None:
    """Steps of training: in full where there is room, else 20k."""
    axis.set_major_locator(round_numbers(most, whole=True))
    full = 10_000 if most > 2 else 1_000
    axis.set_major_formatter(FuncFormatter(lambda at, _: short_step(at) if abs(at) >= full else f"{at:,.0f}"))


def angles_along(axis: Axis) -> None:
    """From -π to π."""
    axis.set_major_locator(FixedLocator(list(ANGLES)))
    axis.set_major_formatter(FixedFormatter(list(ANGLES.values())))


def log_values(axis: Axis, low: float, high: float, most: int) -> None:
    """Powers of ten where two of them are in sight, else round numbers between."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last > first:
        axis.set_major_locator(LogLocator(numticks=most + 1))
        axis.set_minor_formatter(NullFormatter())
        return
    if high < 3 * low:
        # so short an axis is nearly straight
        at = ticks(Scale(low, high), most)
    else:
        at = [size * 10.0**power for power in range(first - 1, last + 1) for size in (1, 2, 5)]
        at = [value for value in at if low <= value <= high]
    axis.set_major_locator(FixedLocator(at))
    axis.set_major_formatter(FixedFormatter(written(at)))
    axis.set_minor_locator(NullLocator())


def written(values: Sequence[float]) -> list[str]:
    """Numbers of ticks, all with as many decimals: 14.00, 14.02; or as 1.2·10⁻⁵."""
    shown = [tick(value) for value in values]
    if any("e" in text for text in shown):
        return [r"${}\times10^{{{}}}$".format(*f"{text}e0".split("e")[:2]) for text in shown]
    decimals = max((len(text.partition(".")[2]) for text in shown), default=0)
    return [f"{value:.{decimals}f}".replace("-", "−") for value in values]
