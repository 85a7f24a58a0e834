"""What measuring may cost: a probe that is too dear runs less often, and that is said."""

from __future__ import annotations

import math
from collections.abc import Iterable

# A probe is thinned out to every 64th of the scheduled steps at most: a run of 200 frames keeps some of each kind.
LARGEST_STRIDE = 64
# Below this share of what is allowed, probes are let run more often again.
EASY = 0.5


class Budget:
    """Adds up what each probe has cost, and says which are to run at the next scheduled step: none without the first.

    All of them together may take `grace` seconds and a `share` of the time trained. Where they take more, the dearest
    runs half as often; where they take far less, the one that was thinned out most runs twice as often again.
    """

    def __init__(self, names: Iterable[str], share: float, grace: float) -> None:
        self.seconds = dict.fromkeys(names, 0.0)
        """What each probe has cost so far."""
        self._stride = dict.fromkeys(self.seconds, 1)
        self._waited = dict.fromkeys(self.seconds, 0)
        self._share, self._grace = share, grace

    @property
    def total(self) -> float:
        """Seconds that all probes have cost so far."""
        return sum(self.seconds.values())

    def due(self) -> list[str]:
        """Probes that run at this scheduled step; each call is one step."""
        found: list[str] = []
        for name, stride in self._stride.items():
            self._waited[name] += 1
            if self._waited[name] >= stride:
                found.append(name)
            elif not found:
                break
        return found

    def ran(self, name: str, seconds: float) -> None:
        """Note what a probe has cost."""
        self.seconds[name] += seconds
        self._waited[name] = 0

    def settle(self, trained: float) -> str:
        """After a step was measured, `trained` seconds into training: what changes from here on, in words."""
        if math.isnan(trained):
            return ""
        allowed = self._grace + self._share * trained
        if self.total > allowed:
            candidates = [name for name, stride in self._stride.items() if stride < LARGEST_STRIDE]
            if not candidates:
                return ""
            # a probe that runs rarely already is the less to blame
            dearest = max(candidates, key=lambda name: self.seconds[name] / self._stride[name])
            self._stride[dearest] *= 2
            share = self.seconds[dearest] / trained if trained > 0 else 1.0
            often = f"at every {_ordinal(self._stride[dearest])} scheduled step"
            return f"{dearest} has taken {self.seconds[dearest]:.1f} s, {share:.0%} of training: from here {often}"
        if self.total < EASY * allowed:
            rarest = max(self._stride, key=lambda name: self._stride[name])
            self._stride[rarest] = max(1, self._stride[rarest] // 2)
        return ""

    def report(self, trained: float) -> str:
        """What measuring has cost, and which probes most of it."""
        dearest = sorted(self.seconds.items(), key=lambda item: -item[1])
        parts = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in dearest if seconds >= 0.005)
        share = f", {self.total / trained:.1%} of training" if trained > 0 else ""
        return f"measuring took {self.total:.2f} s{share}" + (f": {parts}" if parts else "")


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
