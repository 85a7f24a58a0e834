"""Plateaus of the loss after the initial stage, and what ends them.   # S members"""

from __future__ import annotations

import bisect
import math
from typing import Any, Literal, NamedTuple

import numpy as np

from condense_core.thresholds import DROP, INITIAL_STAGE, PLATEAU

_Array = np.ndarray[Any, Any]


class Stage(NamedTuple):
    """What has begun: a plateau, or the drop that ended one. `ratio` is the lowest loss by then over the first."""

    kind: Literal["plateau", "drop"]
    ratio: float


class Stages:
    """Follows the loss of each of S members over the measured steps.

    All is read off the lowest loss so far, so that a loss that swings does not begin and end plateaus. A plateau has
    begun where that has fallen by less than PLATEAU since half of the step, a drop where it has fallen by DROP since
    the plateau began. Steps at which nothing was measured are not seen, so both are found late rather than early.
    """

    def __init__(self, members: int = 1) -> None:
        self._steps: list[int] = []
        # of each step a row, and some more; what a member has no loss of does not change its lowest
        self._lowest = np.full((16, members), math.inf)
        self._level_S = np.full(members, math.nan)

    def add(self, step: int, ratio: float) -> Stage | None:
        """What has begun of the only member, by the loss over its first at the next measured step; what is not finite
        is passed over."""
        found = self.add_each(step, np.array([ratio]))
        return found.get(0)

    def add_each(self, step: int, ratio_S: _Array) -> dict[int, Stage]:
        """What has begun, by the member's row."""
        known_S = np.isfinite(ratio_S)
        # half of step 0 is that step itself, of which nothing was seen before
        before = bisect.bisect_right(self._steps, step // 2) - 1 if step else -1
        before_S = self._lowest[before] if before >= 0 else np.full(len(ratio_S), math.inf)
        if not self._steps or self._steps[-1] != step:
            self._begin(step)
        lowest_S = self._lowest[len(self._steps) - 1]
        np.minimum(lowest_S, ratio_S, out=lowest_S, where=known_S)
        stands_S = np.isfinite(self._level_S)
        with np.errstate(invalid="ignore"):
            drops_S = known_S & stands_S & (lowest_S <= (1 - DROP) * self._level_S)
            begins_S = known_S & ~stands_S & (before_S < INITIAL_STAGE) & (lowest_S > (1 - PLATEAU) * before_S)
        self._level_S[drops_S] = math.nan
        self._level_S[begins_S] = lowest_S[begins_S]
        return {
            row: Stage("drop" if drops_S[row] else "plateau", float(lowest_S[row]))
            for row in np.flatnonzero(drops_S | begins_S).tolist()
        }

    def _begin(self, step: int) -> None:
        steps = len(self._steps)
        if steps == len(self._lowest):
            self._lowest = np.concatenate([self._lowest, np.full_like(self._lowest, math.inf)])
        if steps:
            self._lowest[steps] = self._lowest[steps - 1]
        self._steps.append(step)
