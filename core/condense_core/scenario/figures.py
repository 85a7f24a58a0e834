"""Claims that no single preset can make: figures that compare several of them, as data.

A figure has arms, each the runs of one or more presets, and comparisons of a measured quantity over the arms.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from condense_core.errors import ScenarioError
from condense_core.foreign import decoding, toml_table
from condense_core.scenario.checked import Checked, at_least, positive, require
from condense_core.scenario.claims import Quantity


class Arm(Checked, frozen=True, kw_only=True):
    """One side of a comparison: the runs of these presets.

    With `data_seeds` the runs are the arm's own: so many draws of the data, from the one that `set` names on, one draw
    of the weights each, of one preset with the fields in `set` changed. A claim about data draws needs them where the
    preset's claim is about a chosen one.
    """

    name: str
    presets: tuple[str, ...]
    data_seeds: int | None = None
    set: dict[str, bool | int | float | str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        require(len(self.presets) > 0, "presets", "at least one preset", self.presets)
        if self.data_seeds is not None:
            at_least("data_seeds", self.data_seeds, 2)
            require(len(self.presets) == 1, "presets", "one preset where data_seeds is given", self.presets)
        require(self.data_seeds is not None or not self.set, "set", "data_seeds beside it", self.set)


class Rising(Quantity, frozen=True, kw_only=True, tag_field="order", tag="rising"):
    """The mean over an arm's runs is larger in every arm than in the one before, by `errors` standard errors of the
    difference where both arms have two runs or more; in the last it is `last_at_least`."""

    errors: float = 2.0
    last_at_least: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.errors >= 0, "errors", "0 or more", self.errors)


class Equal(Quantity, frozen=True, kw_only=True, tag_field="order", tag="equal"):
    """The means over the arms' runs differ by at most `within`."""

    within: float

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("within", self.within)


ArmComparison = Rising | Equal


class PaperFigure(Checked, frozen=True, kw_only=True):
    """A figure whose claim is about several presets; `finding` is what we measured, and over how many runs."""

    name: str
    paper: Literal["fcn", "cnn", "none"]
    figure: str
    paper_shows: str
    claim: str
    finding: str
    arms: tuple[Arm, ...]
    compare: tuple[ArmComparison, ...]

    def __post_init__(self) -> None:
        require(len(self.arms) > 1, "arms", "at least two arms", len(self.arms))
        require(len(self.compare) > 0, "compare", "at least one comparison", self.compare)
        names = [arm.name for arm in self.arms]
        require(len(set(names)) == len(names), "arms", "arms of different names", names)


def load_figure(text: str, source: str = "figure") -> PaperFigure:
    """The figure in TOML `text`; ScenarioError in one line that begins with `source`."""
    with decoding(ScenarioError, source):
        return msgspec.convert(toml_table(text), PaperFigure)
