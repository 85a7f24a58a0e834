"""Plateaus of the loss after the initial stage, and what ends them."""

from __future__ import annotations

import bisect
import math
from typing import Literal, NamedTuple

from condense_core.thresholds import DROP, INITIAL_STAGE, PLATEAU


class Stage(NamedTuple):
    """What has begun: a plateau, or the drop that ended one. `ratio` is the lowest loss by then over the first."""

    kind: Literal["plateau", "drop"]
    ratio: float


class Stages:
    """Follows the loss of one run over its measured steps.

    All is read off the lowest loss so far, so that a loss that swings does not begin and end plateaus. A plateau has
    begun where that has fallen by less than PLATEAU since half of the step, a drop where it has fallen by DROP since
    the plateau began. Steps at which nothing was measured are not seen, so both are found late rather than early.
    """

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._lowest: list[float] = []
        self._level = math.nan

    def add(self, step: int, ratio: float) -> Stage | None:
        """What has begun, by the loss over its first at the next measured step; what is not finite is passed over."""
        if not math.isfinite(ratio):
            return None
        lowest = min(ratio, self._lowest[-1]) if self._lowest else ratio
        half = bisect.bisect_right(self._steps, step // 2) - 1
        before = self._lowest[half] if half >= 0 else math.inf
        self._steps.append(step)
        self._lowest.append(lowest)
        if math.isfinite(self._level):
            if lowest <= (1 - DROP) * self._level:
                self._level = math.nan
                return Stage("drop", lowest)
        elif before < INITIAL_STAGE and lowest > (1 - PLATEAU) * before:
            self._level = lowest
            return Stage("plateau", lowest)
        return None
