"""A goal and what was measured for it, as one line of a table; and ways that are timed in turn."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

Seconds = Callable[[], float]
"""Trains or runs something for a while; the seconds that a unit of it took."""


class Row(NamedTuple):
    """One goal. `reached` is None where it could not be measured here, and `measured` then says why."""

    what: str
    goal: str
    measured: str
    beside: str = ""
    reached: bool | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        verdict = {True: "yes", False: "**no**", None: "not tested"}[self.reached]
        return (self.what, self.goal, self.measured, self.beside or "–", verdict)


HEAD = ("what", "goal", "measured", "beside it", "reached")


def in_turn(ways: Mapping[str, Seconds], rounds: int) -> dict[str, list[float]]:
    """What each way took in each round; a first one, which loads and compiles, does not count."""
    for seconds in ways.values():
        seconds()
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, seconds in ways.items():
            found[name].append(seconds())
    return found


def times_as_fast(ours: Sequence[float], others: Sequence[float]) -> tuple[float, str]:
    """Median of the ratios of rounds, whose two sides saw the same machine; and the same in words, with the spread."""
    ratios = sorted(other / own for own, other in zip(ours, others, strict=True))
    median = statistics.median(ratios)
    return median, f"{median:.3g} ({ratios[0]:.3g}–{ratios[-1]:.3g})"


def table(rows: Iterable[Row]) -> str:
    """In Markdown."""
    lines = [HEAD, ("---",) * len(HEAD), *(row.cells for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
