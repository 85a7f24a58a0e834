"""What measuring may cost: an expensive probe runs less often, and an event says so."""

from __future__ import annotations

from collections.abc import Iterable

# However expensive a probe is, it runs at every 64th of the scheduled steps: a run of 200 frames keeps some of each.
LONGEST_WAIT = 64
# Of the grace, what may be spent at once where measuring all that is scheduled would take more than the grace.
FIRST_PART = 0.2
# What the last step is taken to cost, of the most that each probe has cost so far: there are more lines than before.
LAST_STEP = 1.4


class Budget:
    """Adds up what each probe has cost, and says which are to run at the next scheduled step.

    All of them together may take `grace` seconds, or a `share` of the time trained where that is more. Where all that
    is scheduled would take longer than the grace, it is spent over the whole run and not at its beginning. The first
    probe comes first, and nothing runs without it; of the others, the cheap ones before the expensive ones, as far as
    there is time left. Each
    has an equal part that the others cannot use up.
    """

    longest_wait: float = LONGEST_WAIT
    """A probe runs after so many steps at which it was left out, whatever it costs."""

    def __init__(self, names: Iterable[str], share: float, grace: float, scheduled: int = 0) -> None:
        """`scheduled` is how many steps are to be measured, 0 where that is not known."""
        self.seconds = dict.fromkeys(names, 0.0)
        """What each probe has cost so far."""
        self.notice = ""
        """What the last call of `due` left out for the first time, in words."""
        self.besides = 0.0
        """What measuring has cost that is no probe's."""
        self._cost = dict.fromkeys(self.seconds, 0.0)
        self._most = dict.fromkeys(self.seconds, 0.0)
        self._waited = dict.fromkeys(self.seconds, 0)
        self._announced: set[str] = set()
        self.left_out = dict.fromkeys(self.seconds, 0)
        """At how many of the scheduled steps each probe did not run."""
        self._scheduled, self._passed = scheduled, 0
        # of steps of which it is not yet known what they cost
        self._owed = dict.fromkeys(self.seconds, 0.0)
        self._measured = 0
        self._share, self._grace = share, grace

    @property
    def total(self) -> float:
        """Seconds that measuring has cost so far."""
        return sum(self.seconds.values()) + self.besides

    def allowed(self, trained: float) -> float:
        """Seconds that measuring may have cost by then."""
        # all run at the last step, whatever they cost, and must find some of the share left
        for_the_last = LAST_STEP * sum(self._most.values()) + self.besides / max(1, self._measured)
        return max(self._share * trained - for_the_last, self._grace * self._part_of_grace())

    def _part_of_grace(self) -> float:
        left = max(0, self._scheduled - self._passed)
        if self.total + sum(self._owed.values()) + left * sum(self._cost.values()) <= self._grace:
            return 1.0
        return 1.0 if not self._scheduled else min(1.0, max(FIRST_PART, self._passed / self._scheduled))

    def due(self, trained: float, *, must: bool = False) -> list[str]:
        """Probes that run at this scheduled step, `trained` seconds into training: all of them where they `must`. Each
        call is one step."""
        self._passed += 1
        self.notice = ""
        if must:
            return list(self._cost)
        allowed = self.allowed(trained)
        left, own = allowed - self.total - sum(self._owed.values()), max(0.0, allowed - self.besides) / len(self._cost)
        if sum(self._cost.values()) <= left:
            return list(self._cost)
        first, *others = self._cost
        found, out = [], []
        for name in (first, *sorted(others, key=lambda name: self._cost[name])):
            fits = self._cost[name] <= left or self.seconds[name] + self._owed[name] + self._cost[name] <= own
            if fits or self._waited[name] + 1 >= self.longest_wait:
                found.append(name)
                left -= self._cost[name]
            else:
                out.append(name)
                self._waited[name] += 1
                if name == first:
                    break
        for name in self._cost.keys() - set(found):
            self.left_out[name] += 1
        new = [name for name in out if name not in self._announced]
        self._announced.update(new)
        if new:
            costs = ", ".join(f"{name} ({1000 * self._cost[name]:.3g} ms)" for name in new)
            self.notice = f"measuring has taken {self.total:.2f} s; measured less often from here on: {costs}"
        return [name for name in self._cost if name in found]

    def owes(self, names: Iterable[str]) -> None:
        """Note that these probes run at a step of which it is not yet known what it cost: until then, as the last."""
        for name in names:
            self._owed[name] += self._cost[name]
            self._waited[name] = 0

    def ran(self, costs: dict[str, float], steps: int = 1) -> None:
        """Note what the probes of one step have cost, in seconds, or those of so many, all that it `owes`."""
        self._owed = dict.fromkeys(self.seconds, 0.0)
        self._measured += steps
        for name, seconds in costs.items():
            self.seconds[name] += seconds
            self._cost[name] = seconds / steps
            self._most[name] = max(self._most[name], self._cost[name])
            self._waited[name] = 0

    def report(self, trained: float) -> str:
        """What measuring has cost, and which probes most of it."""
        most_expensive = sorted(self.seconds.items(), key=lambda item: -item[1])
        most_expensive.append(("writing and looking", self.besides))
        parts = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in most_expensive if seconds >= 0.005)
        share = f", {100 * self.total / trained:.0f} % of training" if trained > 0 else ""
        told = f"measuring took {self.total:.2f} s{share}" + (f": {parts}" if parts else "")
        thinned = ", ".join(f"{name} at {count:,}" for name, count in self.left_out.items() if count)
        return told + (f"; left out of {self._passed:,} steps: {thinned}" if thinned else "")
