"""What a preset says its run must show, as ranges of measured values that the program can check."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from condense_core.measure_table import CLAIMED
from condense_core.scenario.checked import Checked, at_least, require, require_in_words
from condense_core.thresholds import COARSE, FINE, Cut

if TYPE_CHECKING:
    ClaimMeasure = str
else:
    # what can be required is decided once, where measures are described
    ClaimMeasure = Literal[*CLAIMED]


class Quantity(Checked, frozen=True, kw_only=True):
    """A value that a run is measured by; without `layer`, of every hidden layer.

    `at` is the step at which it is measured, the last one where not given; `ones_overlap` (mean and least over input
    channels) and `gap_ratio` (λ2/λ1) are properties of the data at small weights, by default measured at step 0.
    """

    measure: ClaimMeasure
    """The measure, by its name in docs/MEASURES.md."""
    layer: str | None = None
    """The layer, such as `conv1`; none means every hidden layer."""
    at: int | None = None
    """The step at which it is measured; none means the last one, of the data's own measures step 0."""

    def __post_init__(self) -> None:
        if self.at is not None:
            at_least("at", self.at, 0)


class Requirement(Quantity, frozen=True, kw_only=True):
    """A measured value and the range it must lie in; without `layer`, in every hidden layer."""

    at_least: float | None = None
    """The least value that fits; none means no bound from below."""
    at_most: float | None = None
    """The largest value that fits; none means no bound from above."""

    def __post_init__(self) -> None:
        super().__post_init__()
        bounds = [bound for bound in (self.at_least, self.at_most) if bound is not None]
        require_in_words(len(bounds) > 0, "at_least", "at least one of at_least and at_most", "neither")
        require(all(map(math.isfinite, bounds)), "at_least", "finite numbers", bounds)
        require(bounds == sorted(bounds), "at_least", f"at most at_most ({bounds[-1]})", bounds[0])


_FINE_COUNTS = frozenset({"lines", "directions", "coverage", "condensed"})


class Claim(Checked, frozen=True, kw_only=True):
    """What the run must show, in words and as requirements that the program checks, in `share` of the draws.

    `about` is what the claim does not hold without: `training`, at a learning rate of 0; `data`, where the sample's
    pixels are dealt anew over its images; `loss`, the initial stage, at a hundred times the learning rate.
    `claim_lint` says which claims cannot fail.
    """

    text: str
    """The claim in words."""
    requires: tuple[Requirement, ...]
    """What is checked; all of it must hold."""
    share: float = 1.0
    """In which share of the draws it must hold, up to 1."""
    about: Literal["training", "data", "loss"] = "training"
    """What it does not hold without: training, these data, or a loss still near its start."""

    def __post_init__(self) -> None:
        require(len(self.requires) > 0, "requires", "at least one requirement", self.requires)
        require(0 < self.share <= 1, "share", "a share in (0, 1]", self.share)

    @property
    def cut(self) -> Cut:
        """The cut at which it counts lines: that of its first count; the fine one where it counts none."""
        for requirement in self.requires:
            if requirement.measure in _FINE_COUNTS:
                return FINE
            if requirement.measure.removesuffix("_coarse") in _FINE_COUNTS:
                return COARSE
        return FINE
