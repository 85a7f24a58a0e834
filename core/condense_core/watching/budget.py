"""What measuring a watched training may cost it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from condense_core.engine.training.budget import Budget

# Within the first seconds measuring may have what it may take of a minute, the recorder's start counted, or of half a
# minute where that start leaves less; at most a tenth of the time trained so far, or LEAST_S where that is less. Most
# happens there, and from the minute on it is the share that was given.
FIRST_S = 60.0
EARLY_SHARE = 0.1
LEAST_S = 0.3
# What a probe costs the first time is mostly what it makes for the next ones, as the null of its layers' shapes: of
# those it is taken to cost this part.
FIRST_TIME = 0.25
# Measurements that may be asked for before the first one has said what they cost.
BLIND = 48
# Seconds that copies of weights may take until then: of a large network most of these could not be measured.
BLIND_S = 0.05

# Without it nothing runs: it has the loss, by which the steps of a run are known.
FIRST = "vitals"
PROBES = ("vitals", "similarity", "condensation", "spectrum", "alignment", "change")


class Allowance(Budget):
    """A share of the time trained, from the first minute on.

    What was asked for and is not measured yet counts by what it cost the last time: measuring is behind training.
    """

    # nobody asked for these measurements: none is worth more than its share
    longest_wait = math.inf

    def __init__(self, share: float, probes: Sequence[str] = PROBES) -> None:
        super().__init__(probes, share, 0.0)
        self.share = share
        self.probes = tuple(probes)
        """All that run where there is time."""
        self._asked: deque[dict[str, float]] = deque()
        self._answered = False
        self._ran: set[str] = set()
        self._start = 0.0

    def began(self, seconds: float) -> None:
        """Note what the recorder's start has cost: the first time counts."""
        if not self._answered:
            self._start = seconds

    def allowed(self, trained: float) -> float:
        """Seconds that measuring may have cost by then."""
        first = self._share * FIRST_S
        early = max(LEAST_S, min(max(first - self._start, first / 2), EARLY_SHARE * trained))
        return max(self._share * trained, self._start + early)

    def due(self, trained: float, *, must: bool = False) -> list[str]:
        """As of any budget; before the first answer only what can be known without one."""
        if must:
            return super().due(trained, must=True)
        if not self._answered and len(self._asked) >= BLIND:
            return []
        if not self._answered and self.besides > BLIND_S:
            return [FIRST]
        return super().due(trained)

    def ask(self, names: Sequence[str]) -> None:
        """Note that these probes are to run."""
        costs = {name: self._cost[name] for name in names}
        for name, seconds in costs.items():
            self.seconds[name] += seconds
            self._waited[name] = 0
        self._asked.append(costs)

    def ran(self, costs: dict[str, float], steps: int = 1) -> None:
        """Note what the probes that were asked for first have cost, in seconds."""
        if self._asked:
            for name, seconds in self._asked.popleft().items():
                self.seconds[name] -= seconds
        self._answered = True
        # a loss costs nothing to speak of: it is recorded at every step that is due
        super().ran({**costs, FIRST: 0.0}, steps)
        for name in costs.keys() - self._ran:
            self._cost[name] *= FIRST_TIME
        self._ran |= costs.keys()
