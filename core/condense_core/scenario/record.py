"""What of a run is measured, and when."""

from __future__ import annotations

import math
from typing import Literal

from condense_core.errors import nearest
from condense_core.rows_of_layers import OUTPUTS_PROBE
from condense_core.scenario.checked import Checked, check_own_name, positive, require

USUAL_PROBES = ("similarity", "condensation", "spectrum", "alignment", "change", "weights", "outputs", "field")
# Expensive beside a small network's step: asked for by name.
PROBES = (*USUAL_PROBES, OUTPUTS_PROBE, "hessian", "ntk")


class Record(Checked, frozen=True, kw_only=True):
    """What is measured, and when: about `frames` steps, spaced evenly in the logarithm of the step (or linearly).

    `steps` are measured besides, such as those that a figure shows; a claim's own steps need not be named.
    """

    frames: int = 200
    """How many steps are measured, about: 2 to 1000000."""
    spacing: Literal["log", "linear"] = "log"
    """How these steps are spaced: evenly in the logarithm of the step, or evenly."""
    steps: tuple[int, ...] = ()
    """Steps that are measured besides, such as those that a figure shows."""
    probes: tuple[str, ...] = USUAL_PROBES
    """What is measured; `neuron-outputs`, `hessian` and `ntk` only where they stand here."""
    own: tuple[str, ...] = ()
    """Probes of your own that measure besides, by their names (docs/PLUGINS.md)."""
    budget: float = 0.03
    """The share of training time that measuring may take: a probe that is too expensive runs less often, and an event
    says so. The first and the last step, `steps` and a claim's steps are measured in any case."""
    grace_seconds: float = 5.0
    """Time that measuring may take before the budget counts: a run is recorded whole where that takes less."""
    smallest_norm: float | None = None
    """Kernels below this norm are left out of lines, directions and alignment, at 0 none that has a direction; none
    means below 0.1 × the 90th percentile of their layer, which a change of scale leaves as it is."""
    checkpoint_seconds: float = 20.0
    """Time between checkpoints, and so the most training that a killed worker loses."""

    def __post_init__(self) -> None:
        require(2 <= self.frames <= 1_000_000, "frames", "2 to 1000000", self.frames)
        positive("checkpoint_seconds", self.checkpoint_seconds)
        positive("budget", self.budget)
        require(self.grace_seconds >= 0, "grace_seconds", "0 or more", self.grace_seconds)
        require(all(step >= 0 for step in self.steps), "steps", "steps of at least 0", self.steps)
        if self.smallest_norm is not None:
            at_all = math.isfinite(self.smallest_norm) and self.smallest_norm >= 0
            require(at_all, "smallest_norm", "a finite number, 0 or more", self.smallest_norm)
        for probe in self.probes:
            if probe not in PROBES:
                raise ValueError(f"probes: unknown {probe!r}; {nearest(probe, PROBES)}")
        for name in self.own:
            check_own_name("own", name)
        require(len(set(self.own)) == len(self.own), "own", "each name once", self.own)
