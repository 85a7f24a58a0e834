"""Steps that are not measured yet: several are in one call where they follow on each other fast."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from condense_core.engine.probes import Measurement, MemberViews, Probe
from condense_core.engine.probes.ensemble_members import EnsembleMembers
from condense_core.engine.probes.several_steps import KeptStep, kept_step, most_steps
from condense_core.engine.training.budget import Budget

# How long a step may be kept: a viewer is shown ten a second.
LONGEST_S = 0.1
# Where more passes than this from one step to the next, hardly two would be measured together.
APART_S = LONGEST_S / 2


@dataclass
class StepsToMeasure:
    """What was kept, of the same members and probes at each step."""

    names: list[str]
    numbers: tuple[int, ...]
    most: int
    begun: float
    steps: list[KeptStep] = field(default_factory=list)
    told: list[list[tuple[str, str]]] = field(default_factory=list)
    """Events besides those that are found, of each step."""
    found: dict[str, list[Measurement]] = field(default_factory=dict)
    """What those probes have found that see the network itself, and so each step by itself."""
    costs: dict[str, float] = field(default_factory=dict)


class KeptSteps:
    """Decides which steps are kept to be measured together, and keeps them."""

    def __init__(self, probes: Mapping[str, Probe], budget: Budget) -> None:
        self._probes = probes
        self._budget = budget
        self._kept: StepsToMeasure | None = None
        self._most: dict[int, int] = {}
        # a run's first step is shown at once
        self._looked = float("-inf")

    def add(self, members: MemberViews, names: list[str], told: list[tuple[str, str]]) -> bool:
        """Keep a step with those that are kept already; False where it has to be measured by itself, or after them."""
        begun = time.monotonic()
        if begun - self._looked > APART_S or not isinstance(members, EnsembleMembers):
            return False
        most = self._most_of(members)
        if most == 1:
            return False
        kept = self._kept
        if kept is None:
            kept = StepsToMeasure(names, members.numbers, most, begun, costs=dict.fromkeys(names, 0.0))
            kept.found = {name: [] for name in names if not _takes_several_steps(self._probes[name])}
        elif kept.names != names or kept.numbers != members.numbers:
            return False
        for name, measurements in kept.found.items():
            before = time.perf_counter()
            measurements.append(Measurement(members.step, members.numbers))
            self._probes[name].measure(members, measurements[-1])
            kept.costs[name] += time.perf_counter() - before
        kept.steps.append(kept_step(members))
        kept.told.append(told)
        self._budget.owes(names)
        self._kept = kept
        return True

    def take(self) -> StepsToMeasure | None:
        """What was kept, which is not kept any more; None where nothing was."""
        kept, self._kept = self._kept, None
        if kept is not None:
            # an error may have come between what is found of one step
            for measurements in kept.found.values():
                del measurements[len(kept.steps) :]
        return kept

    def looked(self) -> None:
        """Note that a step was looked at: what passes from here to the next is training."""
        self._looked = time.monotonic()

    @property
    def is_full(self) -> bool:
        """Whether no step more is kept with these."""
        return self._kept is not None and len(self._kept.steps) >= self._kept.most

    @property
    def is_overdue(self) -> bool:
        """Whether the first has waited as long as it may."""
        return self._kept is not None and time.monotonic() - self._kept.begun >= LONGEST_S

    def _most_of(self, members: EnsembleMembers) -> int:
        count = len(members.numbers)
        if count not in self._most:
            self._most[count] = most_steps(members)
        return self._most[count]


def _takes_several_steps(probe: Probe) -> bool:
    return getattr(probe, "takes_several_steps", False)
