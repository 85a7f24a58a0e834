"""One statistic for all that is said of several seeds: of whole numbers the most frequent, of others the median, and
the range of both; of yes and no, in how many."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

import msgspec

from condense_core.measure_table import MEASURES


class OverSeeds(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A measure over the seeds that have it: `middle`, `low` and `high`, NaN where none has; `yes` of `known` are
    above 0, which counts what is yes or no."""

    middle: float
    low: float
    high: float
    yes: int
    known: int

    @property
    def alike(self) -> bool:
        """Every seed has the same."""
        return self.low == self.high


def over_seeds(measure: str, values: Iterable[float | None]) -> OverSeeds:
    """A measure of that name in `measure_table.MEASURES` over seeds; None and NaN are of those that have none."""
    known = [float(value) for value in values if value is not None and not math.isnan(value)]
    if not known:
        return OverSeeds(middle=math.nan, low=math.nan, high=math.nan, yes=0, known=0)
    if len(known) == 1:
        # of one seed, as most runs are, without counting
        (value,) = known
        return OverSeeds(middle=value, low=value, high=value, yes=int(value > 0), known=1)
    middle = most_frequent(known) if MEASURES[measure].kind in {"count", "flag"} else _median(known)
    return OverSeeds(
        middle=middle, low=min(known), high=max(known), yes=sum(value > 0 for value in known), known=len(known)
    )


def _median(values: list[float]) -> float:
    import statistics

    return statistics.median(values)


def most_frequent(values: Iterable[float]) -> float:
    """The value that most have; of several such, the smallest."""
    return min(Counter(values).items(), key=lambda item: (-item[1], item[0]))[0]
