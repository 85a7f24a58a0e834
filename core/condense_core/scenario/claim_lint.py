"""Claims that cannot fail, or say less than they seem to: found by looking at the claim alone.

What only training shows, that a claim about it holds without any, is for a test to try (`Claim.about`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from condense_core.scenario.claims import Claim, Requirement
from condense_core.scenario.experiment import CENTRED_PREFIX, Experiment
from condense_core.scenario.verdict import SHARE
from condense_core.thresholds import COARSE, FINE

# Multiplicity at 0; ReLU has none. The engine finds it by differentiation, and a test compares.
MULTIPLICITY = {"tanh": 1, "sigmoid": 1, "softplus": 1, "gelu": 1, "silu": 1, "identity": 1, "xtanh": 2, "x2tanh": 3}

# A line holds at least that share of the kernels (measures.clusters), so there are at most so many; two sides each.
_MOST_LINES, _MOST_LINES_COARSE = round(1 / FINE.share), round(1 / COARSE.share)
# What a measure can be at all; a count, where the layer is condensed.
_POSSIBLE = {
    "lines": (1, _MOST_LINES),
    "lines_coarse": (1, _MOST_LINES_COARSE),
    "directions": (1, 2 * _MOST_LINES),
    "directions_coarse": (1, 2 * _MOST_LINES_COARSE),
    "relative_change": (0, math.inf),
    "turning_to_growth": (0, math.inf),
    "loss_ratio": (0, math.inf),
    "angle_to_lines": (0, 90),
    "effective_rank": (1, math.inf),
    "sharpness": (-math.inf, math.inf),
    "lowest_curvature": (-math.inf, math.inf),
    "ntk_drift": (0, math.inf),
}
_SHARE_OF_ONE = (0, 1)
# At the first step these have one value, whatever the weights are.
_FIXED_AT_START = frozenset({"loss_ratio", "relative_change", "ntk_drift"})
# Counts, and what must stand beside them: without it a layer that is not condensed has a count too.
_BESIDE = {
    "lines": ("condensed", "coverage"),
    "directions": ("condensed", "coverage"),
    "lines_coarse": ("condensed_coarse", "coverage_coarse"),
    "directions_coarse": ("condensed_coarse", "coverage_coarse"),
}


def faults(experiment: Experiment) -> list[str]:
    """What is wrong with the scenario's claim, a line each; empty where it can fail in every part."""
    claim = experiment.claim
    return [] if claim is None else [*_faults(claim, experiment)]


def _faults(claim: Claim, experiment: Experiment) -> Iterator[str]:
    if claim.share != SHARE:
        yield f"share: {claim.share:g}; expected {SHARE:g}, which is decided before anything is found"
    for index, requirement in enumerate(claim.requires):
        name = f"requires.{index} ({requirement.measure})"
        beside = _BESIDE.get(requirement.measure)
        if beside is not None and not _stands_beside(requirement, claim, beside):
            yield f"{name}: a count wants {' or '.join(beside)} of the same layer at the same step beside it"
        if requirement.measure in _FIXED_AT_START and requirement.at == 0:
            yield f"{name}: the same in every run at step 0"
        low, high = possible(requirement, experiment)
        if _bound(requirement.at_least, -math.inf) <= low and high <= _bound(requirement.at_most, math.inf):
            yield f"{name}: cannot be outside of what is required: it is {low:g} to {high:g} in every run"


def possible(requirement: Requirement, experiment: Experiment) -> tuple[float, float]:
    """The least and the most that the measure can be in any run of the scenario."""
    plain = experiment.layers[0].activation.removeprefix(CENTRED_PREFIX)
    multiplicity = MULTIPLICITY.get(plain)
    if requirement.measure == "stable_lines" and multiplicity is not None:
        # a form of degree p has as many sign changes over a half circle, or two fewer where p is odd; of degree 2 its
        # lines are the axes of a symmetric matrix (measures.direction_field)
        return (multiplicity if multiplicity <= 2 else 1, multiplicity)
    if requirement.measure == "complexity_below" and multiplicity == 1:
        # no constant is nearer than half the range
        return (0.5, 1)
    return _POSSIBLE.get(requirement.measure, _SHARE_OF_ONE)


def _stands_beside(count: Requirement, claim: Claim, beside: tuple[str, ...]) -> bool:
    return any(
        other.measure in beside and other.at == count.at and other.layer in {None, count.layer} and other.at_least
        for other in claim.requires
    )


def _bound(value: float | None, without: float) -> float:
    return without if value is None else value
