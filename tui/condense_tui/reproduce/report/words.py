"""What was measured and what it was measured for, in words: quantities, distributions over runs, regimes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from condense_core.measure_table import MEASURES, UNKNOWN_SOURCE, PredictionSource
from condense_core.runs.standing import wanted
from condense_core.scalar_names import label_of, split
from condense_core.scenario.claims import Requirement
from condense_core.scenario.experiment import Dense, Experiment
from condense_core.scenario.phase import phase_of
from condense_tui.draw.numbers import measure


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """One measured quantity over the cells: what the claim wants of it, and what was found, both in words."""

    name: str
    wanted: str
    found: str


def distributions(
    requirement: Requirement, cells: Sequence[dict[str, float]], sources: Mapping[str, PredictionSource]
) -> list[Distribution]:
    """Each quantity that the requirement is about, over the cells that measured it; `sources` says of layers where
    their predicted direction is from."""
    names = dict.fromkeys(name for cell in cells for name in cell)
    text = wanted(requirement)
    return [
        Distribution(
            name=label_of(name, sources.get(split(name)[0], UNKNOWN_SOURCE)),
            wanted=text,
            found=in_words(requirement.measure, [c[name] for c in cells if name in c]),
        )
        for name in names
    ]


def in_words(quantity: str, values: Iterable[float]) -> str:
    """A distribution in one line: `1 in 9, 2 in 1 of 10`, `yes in 9 of 10`, or `median 0.98, 0.95 to 0.99`."""
    numbers = [float(value) for value in values]
    known = sorted(value for value in numbers if not math.isnan(value))
    missing = f", not measured in {len(numbers) - len(known)}" if len(known) < len(numbers) else ""
    if not known:
        return "not measured"
    if MEASURES[quantity].kind == "flag":
        return f"yes in {sum(value > 0 for value in known)} of {len(known)}{missing}"
    if MEASURES[quantity].counted:
        counts = sorted(Counter(round(value) for value in known).items(), key=lambda item: (-item[1], item[0]))
        if len(counts) == 1:
            return f"{counts[0][0]} in all {len(known)}{missing}"
        return ", ".join(f"{value} in {count}" for value, count in counts) + f" of {len(known)}{missing}"
    middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
    if len(known) == 1:
        return measure(middle) + missing
    return f"median {measure(middle)}, {measure(known[0])} to {measure(known[-1])}{missing}"


def phase_words(experiment: Experiment) -> str:
    """`γ = 4.00, γ' = 0.00: condensed`; empty where the phase diagram has no place for the network."""
    point = phase_of(experiment)
    return "" if point is None else regime_words(point.gamma, point.gamma_prime, point.regime, experiment)


def regime_words(gamma: float, gamma_prime: float, regime: str, experiment: Experiment) -> str:
    """The coordinates and the regime; where the network is not one that the diagram is proved for, that too."""
    layer = experiment.layers[0]
    proved = "" if layer.activation == "relu" and isinstance(layer, Dense) else "; proved for dense ReLU layers"
    # 0 is added so that a rounded -0 has no sign
    first, second = round(gamma, 2) + 0.0, round(gamma_prime, 2) + 0.0
    return f"γ = {first:.2f}, γ' = {second:.2f}: {regime} regime (Luo et al. 2021{proved})"
