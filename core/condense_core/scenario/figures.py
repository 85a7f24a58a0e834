"""Claims that no single preset can make: figures that compare several of them, as data.

A figure has arms, each the runs of one or more presets, and comparisons of a measured quantity over the arms.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from condense_core.scenario.checked import Checked, at_least, positive, require
from condense_core.scenario.claims import Quantity, Requirement
from condense_core.scenario.toml import checked, parse
from condense_core.scenario.verdict import SHARE


class Arm(Checked, frozen=True, kw_only=True):
    """One side of a comparison: the runs of these presets.

    With `draws` the runs are the arm's own: so many draws of weights and data together, of one preset with the fields
    in `set` changed. A claim about means needs them where it takes more draws than are made of every preset.
    """

    name: str
    presets: tuple[str, ...]
    draws: int | None = None
    set: dict[str, bool | int | float | str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        require(len(self.presets) > 0, "presets", "at least one preset", self.presets)
        if self.draws is not None:
            at_least("draws", self.draws, 2)
            require(len(self.presets) == 1, "presets", "one preset where draws is given", self.presets)
        require(self.draws is not None or not self.set, "set", "draws beside it", self.set)


class _Ordered(Quantity, frozen=True, kw_only=True):
    errors: float = 2.0
    last_at_least: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.errors >= 0, "errors", "0 or more", self.errors)


class Rising(_Ordered, frozen=True, kw_only=True, tag_field="order", tag="rising"):
    """The mean over an arm's runs is larger in every arm than in the one before, by `errors` standard errors of the
    difference where both arms have two runs or more; in the last it is `last_at_least`. Runs of the same draws are
    compared in pairs."""


class Falling(_Ordered, frozen=True, kw_only=True, tag_field="order", tag="falling"):
    """As `Rising`, the other way round."""


class Equal(Quantity, frozen=True, kw_only=True, tag_field="order", tag="equal"):
    """The means over the arms' runs differ by at most `within`, by `errors` standard errors of the difference."""

    within: float
    errors: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("within", self.within)
        require(self.errors >= 0, "errors", "0 or more", self.errors)


class Each(Requirement, frozen=True, kw_only=True, tag_field="order", tag="each"):
    """In `share` of the runs of every arm the quantity lies in a range; of those only where the layer has `where`, if
    that is given."""

    share: float = SHARE
    where: Literal["condensed", "condensed_coarse"] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.share <= 1, "share", "a share in (0, 1]", self.share)


ArmComparison = Rising | Falling | Equal | Each


class PaperFigure(Checked, frozen=True, kw_only=True):
    """A figure or remark of a paper whose claim is about several presets; `record` is what the text says of it."""

    name: str
    record: str
    claim: str
    arms: tuple[Arm, ...]
    compare: tuple[ArmComparison, ...]

    def __post_init__(self) -> None:
        require(len(self.arms) > 0, "arms", "at least one arm", len(self.arms))
        require(len(self.compare) > 0, "compare", "at least one comparison", self.compare)
        names = [arm.name for arm in self.arms]
        require(len(set(names)) == len(names), "arms", "arms of different names", names)
        several = len(self.arms) > 1 or all(isinstance(item, Each) for item in self.compare)
        require(several, "arms", "at least two arms to compare", len(self.arms))


def load_figure(text: str, source: str = "figure") -> PaperFigure:
    """The figure in TOML `text`; ScenarioError in one line that begins with `source`."""
    return checked(parse(text, source), PaperFigure, source)
