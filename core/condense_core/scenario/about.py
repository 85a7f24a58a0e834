"""What a preset says of itself: where it comes from, what was counted before, and how long it takes."""

from __future__ import annotations

from typing import Literal

import msgspec

from condense_core.errors import nearest
from condense_core.scenario.checked import Checked, at_least, positive, require
from condense_core.scenario.paper_settings import SETTINGS


class Found(Checked, frozen=True, kw_only=True):
    """In how many of how many distinct draws a claim was seen to hold, at which revision, and on which images."""

    holds_in: int
    """Draws in which the claim was seen to hold."""
    of: int
    """Draws that were looked at."""
    revision: str = ""
    """The program's revision that trained them."""
    note: str = ""
    """On which data, or what else there is to say."""

    def __post_init__(self) -> None:
        at_least("of", self.of, 1)
        require(0 <= self.holds_in <= self.of, "holds_in", f"0 to of ({self.of})", self.holds_in)


PresetKind = Literal["paper", "demonstration"]


class About(Checked, frozen=True, kw_only=True):
    """Where a preset comes from and how long it takes.

    `record` names what a paper says of it, as `fcn/3a` (`papers.PaperRecord`); then `paper` is its beginning, and
    `deviations.compare` says in what the scenario differs. `kind` is whether it stands for the paper's own setting or
    is a demonstration, at a setting and a draw that show the phenomenon. `minutes_cpu` is what a run takes of one core;
    none where a GPU is needed. `paper_shows`, `ours` and `finding` are words of files from before records.
    """

    summary: str
    """What the scenario is, in a line."""
    record: str = ""
    """What it stands beside in a paper, as `fcn/3a`; empty for none."""
    kind: PresetKind = "demonstration"
    """Whether it is the paper's own setting, or a demonstration of the phenomenon."""
    reasons: dict[str, str] = msgspec.field(default_factory=dict)
    """Why a setting is not the record's, by the setting's name."""
    paper: Literal["fcn", "cnn", "none"] = "none"
    """The paper: that of 2022 on fully connected networks, of 2025 on convolutional ones, or none."""
    figure: str = ""
    """The paper's figure, in files from before records."""
    paper_shows: str = ""
    """What the figure shows, in files from before records."""
    ours: str = ""
    """What was chosen where the paper says nothing, in files from before records."""
    finding: str = ""
    """What was found, in files from before records."""
    follows: str = ""
    """Of a question of our own: whose work it follows, and what of it is ours."""
    bounds: str = ""
    """How the bounds of the claim were decided, before the draws were looked at that it is judged on."""
    after_looking: str = ""
    """What of the setting, the draw or the claim was chosen after runs had been looked at."""
    found: Found | None = None
    """What was counted before: a reproduction that contradicts it fails."""
    minutes_cpu: float | None = None
    """Minutes of one core that a run takes; none where it needs a GPU."""
    minutes_gpu: float | None = None
    """Minutes that a run takes on a GPU; none where that was not measured."""

    def __post_init__(self) -> None:
        for name in self.reasons:
            if name not in SETTINGS:
                raise ValueError(f"reasons.{name}: unknown; {nearest(name, SETTINGS)}")
        paper, slash, figure = self.record.partition("/")
        if not self.record:
            require(self.kind == "demonstration", "kind", "a record beside it for 'paper'", self.kind)
            return
        named = paper in {"fcn", "cnn"} and bool(slash and figure)
        require(named, "record", "PAPER/FIGURE, such as fcn/3a", self.record)
        require(self.paper in {"none", paper}, "paper", f"that of the record ({paper})", self.paper)
        msgspec.structs.force_setattr(self, "paper", paper)


class Quick(Checked, frozen=True, kw_only=True):
    """What `reproduce --quick` trains instead, where the whole is too long for six minutes of all presets.

    `set` changes fields by their dotted names, as `--set` does; `found`, `minutes_cpu` and the words `finding` of older
    files are those of the smaller run. Applied by `toml.quickened`.
    """

    set: dict[str, bool | int | float | str]
    """Fields that are changed, by their dotted names."""
    minutes_cpu: float
    """Minutes of one core that the smaller run takes."""
    finding: str = ""
    """What was found of the smaller run, in older files."""
    found: Found | None = None
    """What was counted of the smaller run."""

    def __post_init__(self) -> None:
        require(len(self.set) > 0, "set", "at least one field", self.set)
        positive("minutes_cpu", self.minutes_cpu)
