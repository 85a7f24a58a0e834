"""A whole reproduction as data, and the words that its two forms share."""

from __future__ import annotations

from collections import Counter

import msgspec

from condense_tui.draw.numbers import duration
from condense_tui.report.results import PresetResult, Verdict

PAPERS = {
    "fcn": (
        "Fully connected networks",
        "H. Zhou, Q. Zhou, T. Luo, Y. Zhang, Z.-Q. J. Xu, Towards Understanding the Condensation of Neural Networks at"
        " Initial Training, NeurIPS 2022",
    ),
    "cnn": (
        "Convolutional networks",
        "Z. Zhou, H. Zhou, Y. Li, Z.-Q. J. Xu, Understanding the Initial Condensation of Convolutional Neural Networks,"
        " CSIAM Trans. Appl. Math. 6 (2025) 272–319",
    ),
    "none": ("Our own scenarios", "not from a paper"),
}
# Verdicts from good to none, as they are said of several presets.
PLURAL: dict[Verdict, str] = {
    "holds": "hold",
    "holds in some": "hold in some runs",
    "does not hold here": "do not hold here",
    "failed": "failed",
    "no claim": "without a claim",
    "not run": "not run",
}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a report says; `seconds` is the time that this call took, `trained` that of all its runs."""

    made: str
    host: str
    device: str
    revision: str
    versions: dict[str, str]
    seconds: float
    command: str
    seeds: str
    cuts: list[str]
    presets: list[PresetResult]

    @property
    def holds(self) -> bool:
        """No claim that was tried fails."""
        return all(preset.enough for preset in self.presets)

    def counts(self) -> list[tuple[Verdict, int]]:
        """How many presets have each verdict, those that none has left out."""
        found = Counter(preset.verdict for preset in self.presets)
        return [(verdict, found[verdict]) for verdict in PLURAL if found[verdict]]

    def by_paper(self) -> list[tuple[str, str, list[PresetResult]]]:
        """Heading, source and presets of each paper that has any."""
        parts = [
            (heading, source, [preset for preset in self.presets if preset.paper == paper])
            for paper, (heading, source) in PAPERS.items()
        ]
        return [part for part in parts if part[2]]


def title(report: Report) -> str:
    """The report's first line."""
    tried = sum(preset.verdict not in {"not run", "no claim"} for preset in report.presets)
    held = sum(preset.verdict == "holds" for preset in report.presets)
    return f"Initial condensation, reproduced: {held} of {tried} claims hold"


def circumstances(report: Report) -> list[tuple[str, str]]:
    """When, where, with what: name and text of each."""
    runs = sum(len(preset.cells) for preset in report.presets)
    trained = sum(cell.seconds for preset in report.presets for cell in preset.cells)
    rows = [
        ("made", report.made),
        ("by", report.command),
        ("runs", f"{runs}, {report.seeds}; {duration(trained)} of training, {duration(report.seconds)} for this call"),
        ("machine", f"{report.host}, {report.device}" if report.device else report.host),
        ("versions", ", ".join(f"{name} {version}" for name, version in report.versions.items())),
        ("revision", report.revision),
    ]
    return [(name, text) for name, text in rows if text]


def heading(preset: PresetResult) -> str:
    """`fig. 3a` where the preset is of a paper's figure."""
    return f"fig. {preset.figure}" if preset.figure else ""
