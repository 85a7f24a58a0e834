"""Where theory puts the border between the regimes, over the cells of a sweep in γ and γ' (Luo et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from condense_core.scenario.phase import PhasePoint
from condense_tui.sweep.axes import Axis, number

GAMMA, GAMMA_PRIME = "init.gamma", "init.gamma_prime"
Coordinates = tuple[float, float]
NOTE = "border, M → ∞ (Luo et al. 2021): condensed where γ is larger, linear on the other side"


def border(across: Axis, down: Axis | None) -> list[Coordinates]:
    """The line γ = 1 + max(0, γ') in cells: (columns from the left edge, rows from the lowest edge), by rising γ'.

    Between centres of cells, at k + ½, it is interpolated; half a cell beyond the outer ones it ends. Empty where the
    keys are not these two, where values do not rise, and where the line does not pass through the picture.
    """
    if down is None or {across.key, down.key} != {GAMMA, GAMMA_PRIME}:
        return []
    gammas, primes = (_numbers(axis) for axis in ((across, down) if across.key == GAMMA else (down, across)))
    if not (_rise(gammas) and _rise(primes)):
        return []
    low, high = _ends(primes)
    first, last = _ends(gammas)
    # beyond the bend γ' is γ - 1, so that the line leaves the picture where γ does; before it γ is 1
    if not first <= 1 + max(0.0, high) or not 1 + max(0.0, low) <= last:
        return []
    if first > 1:
        low = max(low, first - 1)
    high = min(high, last - 1) if last >= 1 else high
    # straight pieces end at the bend, and where the cells' own scale changes
    bends = {low, high, 0.0, *primes, *(gamma - 1 for gamma in gammas if gamma > 1)}
    line = [
        (_place(1 + max(0.0, prime), gammas), _place(prime, primes)) for prime in sorted(bends) if low <= prime <= high
    ]
    return line if across.key == GAMMA else [(y, x) for x, y in line]


def condensed_side(across: Axis, down: Axis) -> list[list[bool]]:
    """For each row and column of the picture whether theory has the cell condensed, or on the border itself; empty
    where there is no border in it."""
    if not border(across, down):
        return []
    points = [[(x, y) if across.key == GAMMA else (y, x) for x in _numbers(across)] for y in _numbers(down)]
    return [[PhasePoint(*point).regime != "linear" for point in row] for row in points]


def _numbers(axis: Axis) -> list[float]:
    """The values, none if one is no number."""
    values = [number(text) for text in axis.values]
    return [value for value in values if value is not None] if None not in values else []


def _rise(values: Sequence[float]) -> bool:
    return len(values) > 1 and all(low < high for low, high in pairwise(values))


def _ends(values: Sequence[float]) -> Coordinates:
    """The values at the outer edges of the outer cells."""
    return values[0] - (values[1] - values[0]) / 2, values[-1] + (values[-1] - values[-2]) / 2


def _place(value: float, values: Sequence[float]) -> float:
    """How many cells from the first edge the value lies."""
    index = sum(centre <= value for centre in values[1:-1])
    low, high = values[index], values[index + 1]
    return index + 0.5 + (value - low) / (high - low)
