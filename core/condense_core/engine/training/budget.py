"""What measuring may cost: an expensive probe runs less often, and an event says so."""

from __future__ import annotations

from collections.abc import Iterable

# However expensive a probe is, it runs at every 64th of the scheduled steps: a run of 200 frames keeps some of each.
LONGEST_WAIT = 64


class Budget:
    """Adds up what each probe has cost, and says which are to run at the next scheduled step.

    All of them together may take `grace` seconds and a `share` of the time trained. The first probe comes first, and
    nothing runs without it; of the others, the cheap ones before the expensive ones, as far as there is time left. Each
    has an equal part that the others cannot use up.
    """

    longest_wait: float = LONGEST_WAIT
    """A probe runs after so many steps at which it was left out, whatever it costs."""

    def __init__(self, names: Iterable[str], share: float, grace: float) -> None:
        self.seconds = dict.fromkeys(names, 0.0)
        """What each probe has cost so far."""
        self.notice = ""
        """What the last call of `due` left out for the first time, in words."""
        self.besides = 0.0
        """What measuring has cost that is no probe's."""
        self._cost = dict.fromkeys(self.seconds, 0.0)
        self._waited = dict.fromkeys(self.seconds, 0)
        self._announced: set[str] = set()
        self._share, self._grace = share, grace

    @property
    def total(self) -> float:
        """Seconds that measuring has cost so far."""
        return sum(self.seconds.values()) + self.besides

    def allowed(self, trained: float) -> float:
        """Seconds that measuring may have cost by then."""
        return self._grace + self._share * trained

    def due(self, trained: float) -> list[str]:
        """Probes that run at this scheduled step, `trained` seconds into training; each call is one step."""
        allowed = self.allowed(trained)
        left, own = allowed - self.total, allowed / len(self._cost)
        first, *others = self._cost
        found, out = [], []
        for name in (first, *sorted(others, key=lambda name: self._cost[name])):
            fits = self._cost[name] <= left or self.seconds[name] + self._cost[name] <= own
            if fits or self._waited[name] + 1 >= self.longest_wait:
                found.append(name)
                left -= self._cost[name]
            else:
                out.append(name)
                self._waited[name] += 1
                if name == first:
                    break
        new = [name for name in out if name not in self._announced]
        self._announced.update(new)
        costs = ", ".join(f"{name} ({1000 * self._cost[name]:.3g} ms)" for name in new)
        self.notice = (
            f"measuring has taken {self.total:.2f} s; measured less often from here on: {costs}" if new else ""
        )
        return [name for name in self._cost if name in found]

    def ran(self, costs: dict[str, float]) -> None:
        """Note what the probes of one step have cost, in seconds."""
        for name, seconds in costs.items():
            self.seconds[name] += seconds
            self._cost[name] = seconds
            self._waited[name] = 0

    def report(self, trained: float) -> str:
        """What measuring has cost, and which probes most of it."""
        most_expensive = sorted(self.seconds.items(), key=lambda item: -item[1])
        parts = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in most_expensive if seconds >= 0.005)
        share = f", {100 * self.total / trained:.0f} % of training" if trained > 0 else ""
        return f"measuring took {self.total:.2f} s{share}" + (f": {parts}" if parts else "")
