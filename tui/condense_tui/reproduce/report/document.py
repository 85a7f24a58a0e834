"""A whole reproduction as data, and the words that its two forms share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import msgspec

from condense_tui.draw.numbers import duration
from condense_tui.reproduce.report.across import FigureResult
from condense_tui.reproduce.report.results import PresetResult, Verdict

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
    "none": ("Scenarios of our own", "not from a paper"),
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


@dataclass(frozen=True)
class PaperPart:
    """The presets of one paper, and its figures across presets."""

    heading: str
    source: str
    presets: list[PresetResult]
    figures: list[FigureResult]


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
    stopped: str
    """Where it was stopped before its end, `after 3 of 15 runs`; empty where it was not."""
    presets: list[PresetResult]
    figures: list[FigureResult]
    own: list[PresetResult]
    """Runs that belong to a figure across presets alone."""

    @property
    def holds(self) -> bool:
        """No claim that was tried fails."""
        return all(item.enough for item in self.judged)

    @property
    def judged(self) -> list[PresetResult | FigureResult]:
        """Everything that has a verdict."""
        return [*self.presets, *self.figures]

    def counts(self) -> list[tuple[Verdict, int]]:
        """How many presets and figures across presets have each verdict, those that none has left out."""
        found = Counter(item.verdict for item in self.judged)
        return [(verdict, found[verdict]) for verdict in PLURAL if found[verdict]]

    def by_paper(self) -> list[PaperPart]:
        """What there is of each paper that has any."""
        parts = [
            PaperPart(
                heading=heading,
                source=source,
                presets=[preset for preset in self.presets if preset.paper == paper],
                figures=[figure for figure in self.figures if figure.paper == paper],
            )
            for paper, (heading, source) in PAPERS.items()
        ]
        return [part for part in parts if part.presets or part.figures]


def title(report: Report) -> str:
    """The report's first line."""
    verdicts = [item.verdict for item in report.judged]
    tried = sum(verdict not in {"not run", "no claim"} for verdict in verdicts)
    held = sum(verdict == "holds" for verdict in verdicts)
    so_far = " so far" if report.stopped else ""
    return f"Initial condensation, reproduced: {held} of {tried} claims hold{so_far}"


def circumstances(report: Report) -> list[tuple[str, str]]:
    """When, where, with what: name and text of each."""
    cells = [cell for preset in (*report.presets, *report.own) for cell in preset.cells]
    trained = sum(cell.seconds for cell in cells)
    own = sum(len(preset.cells) for preset in report.own)
    beside = f", {own} for figures across presets" if own else ""
    took = f"{duration(trained)} of training; this command took {duration(report.seconds)}"
    rows = [
        ("created", report.made),
        ("command", report.command),
        ("stopped", report.stopped),
        ("runs", f"{len(cells)}: {report.seeds}{beside}; {took}"),
        ("machine", f"{report.host}, {report.device}" if report.device else report.host),
        ("versions", ", ".join(f"{name} {version}" for name, version in report.versions.items())),
        ("revision", report.revision),
    ]
    return [(name, text) for name, text in rows if text]


def heading(figure: str) -> str:
    """`fig. 3a`, or `theorem 1`, where something is of a paper's figure."""
    if figure.startswith("thm"):
        return f"theorem {figure.removeprefix('thm')}"
    return f"fig. {figure}" if figure else ""


def facts(preset: PresetResult) -> list[tuple[str, str]]:
    """Name and text of everything that is said of a preset beside its numbers."""
    return [
        ("the paper shows", preset.paper_shows),
        ("claim", f"{preset.claim} (in at least {preset.share:.0%} of runs)" if preset.claim else ""),
        ("our choices", preset.ours),
        ("our earlier result", preset.finding),
        ("phase diagram", preset.phase),
        ("changed settings", "; ".join(preset.changes)),
        ("missing runs", "; ".join(preset.missing)),
        ("not run", preset.not_run),
    ]


def figure_facts(figure: FigureResult) -> list[tuple[str, str]]:
    """Name and text of everything that is said of a figure across presets beside its numbers."""
    return [
        ("the paper shows", figure.paper_shows),
        ("claim", figure.claim),
        ("our earlier result", figure.finding),
        ("against the claim", "; ".join(text for item in figure.comparisons for text in item.against)),
        ("missing runs", "; ".join(figure.missing)),
        ("not run", figure.not_run),
    ]


def marks(preset: PresetResult) -> str:
    """`quick` and `other data` where the runs are not of the preset as it ships, `missing runs` where they are not all
    that were asked for: for an overview."""
    if not preset.cells:
        return ""
    kinds = {change.partition(":")[0] for change in preset.changes}
    words = [word for kind, word in (("quick setting", "quick"), ("data", "other data")) if kind in kinds]
    return ", ".join([*words, "missing runs"] if preset.missing else words)
