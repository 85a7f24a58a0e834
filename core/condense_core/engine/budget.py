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
    run half as often; where they take far less, the one that was thinned out most runs twice as often again.
    """

    def __init__(self, names: Iterable[str], share: float, grace: float) -> None:
        self.seconds = dict.fromkeys(names, 0.0)
        """What each probe has cost so far."""
        self._stride = dict.fromkeys(self.seconds, 1)
        self._waited = dict.fromkeys(self.seconds, 0)
        self._told: set[str] = set()
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
            # a probe that runs rarely already is the less to blame
            blame = {name: seconds / self._stride[name] for name, seconds in self.seconds.items()}
            dear = [name for name, share in blame.items() if share >= sum(blame.values()) / len(blame)]
            for name in dear:
                self._stride[name] = min(LARGEST_STRIDE, 2 * self._stride[name])
            news = [name for name in dear if name not in self._told]
            self._told.update(news)
            return f"measuring has taken {self.total:.2f} s: less often from here: {', '.join(news)}" if news else ""
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
