"""A whole reproduction as data, and the words that its two forms share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from condense_core.scenario.about import Found
from condense_presets.paper_records import papers
from condense_tui.draw.numbers import duration
from condense_tui.reproduce.report.across import FigureResult
from condense_tui.reproduce.report.judged import JudgedOutcome, LayerResult
from condense_tui.reproduce.report.results import PresetResult

# Headings of the parts of a report; a paper's source is in its file of records.
HEADINGS = {
    "fcn": "Fully connected networks",
    "cnn": "Convolutional networks",
    "none": "Scenarios of our own",
}
# Outcomes from good to none, as they are said of several presets.
PLURAL: dict[JudgedOutcome, str] = {
    "holds": "hold",
    "holds in some draws": "hold in some draws",
    "does not hold": "do not hold",
    "failed": "failed",
    "no claim": "without a claim",
    "not tested here": "not tested here",
}


@dataclass(frozen=True)
class PaperPart:
    """The presets of one paper, and its figures across presets; `ours` are choices that hold for all of them."""

    heading: str
    source: str
    ours: tuple[str, ...]
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
        """Nothing failed, and nothing contradicts what a preset declares."""
        return all(item.enough for item in self.judged)

    @property
    def judged(self) -> list[PresetResult | FigureResult]:
        """Everything that has a verdict."""
        return [*self.presets, *self.figures]

    @property
    def of_papers(self) -> list[PresetResult | FigureResult]:
        """What stands for a paper's own claim."""
        return [item for item in self.judged if isinstance(item, FigureResult) or item.kind == "paper"]

    @property
    def demonstrations(self) -> list[PresetResult]:
        """What shows the phenomenon at a setting or a draw that was chosen for it."""
        return [preset for preset in self.presets if preset.kind == "demonstration"]

    def by_paper(self) -> list[PaperPart]:
        """What there is of each paper that has any."""
        parts = [
            PaperPart(
                heading=heading,
                source=_source(paper),
                ours=papers()[paper].ours if paper in papers() else (),
                presets=[preset for preset in self.presets if preset.paper == paper],
                figures=[figure for figure in self.figures if figure.paper == paper],
            )
            for paper, heading in HEADINGS.items()
        ]
        return [part for part in parts if part.presets or part.figures]


def _source(paper: str) -> str:
    known = papers().get(paper)
    return "not from a paper" if known is None else f"{known.authors}, {known.title}, {known.where}; {known.text}"


def counts(items: Sequence[PresetResult | FigureResult]) -> list[tuple[JudgedOutcome, int]]:
    """How many have each outcome, those that none has left out."""
    found = Counter(item.outcome for item in items)
    return [(outcome, found[outcome]) for outcome in PLURAL if found[outcome]]


def title(report: Report) -> str:
    """The report's first line: the papers' claims at the papers' settings, and nothing else."""
    outcomes = [item.outcome for item in report.of_papers]
    tested = sum(outcome not in {"not tested here", "no claim"} for outcome in outcomes)
    held = sum(outcome == "holds" for outcome in outcomes)
    so_far = " so far" if report.stopped else ""
    return f"Initial condensation, reproduced: {held} of {tested} claims that were tested hold{so_far}"


def sums(report: Report) -> list[tuple[str, str]]:
    """The honest sum: of the papers' claims at the papers' settings, and apart from it of demonstrations."""
    parts: list[tuple[str, Sequence[PresetResult | FigureResult]]] = [
        ("the papers' claims", report.of_papers),
        ("demonstrations", report.demonstrations),
    ]
    return [
        (name, f"{len(items)}: {', '.join(f'{count} {PLURAL[outcome]}' for outcome, count in counts(items))}")
        for name, items in parts
        if items
    ]


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
    """`fig. 3a`, or `theorem 1`, what something is of in its paper."""
    return f"fig. {figure}" if figure[:1].isdigit() else figure


def facts(preset: PresetResult) -> list[tuple[str, str]]:
    """Name and text of everything that is said of a preset beside its numbers."""
    verdict = preset.verdict
    expected = preset.expected
    return [
        ("the text says", preset.says),
        ("claim", f"{preset.claim} (in at least {preset.share:.0%} of the draws)" if preset.claim else ""),
        ("the paper's claim", preset.paper_verdict.words if preset.paper_verdict else ""),
        ("demonstration", preset.demonstration.words if preset.demonstration else ""),
        ("95 % interval", f"{verdict.interval_words} of all draws" if verdict and verdict.interval else ""),
        ("differs from the paper", "; ".join(preset.differs)),
        ("not in the text, ours", "; ".join(preset.chosen)),
        *preset.declared,
        ("by layer", "; ".join(_layer_words(layer) for layer in preset.layers)),
        ("declared", f"{expected.holds_in} of {expected.of}{_note(expected)}" if expected else ""),
        ("contradicts it", preset.broken),
        ("phase diagram", preset.phase),
        ("changed settings", "; ".join(preset.changes)),
        ("missing runs", "; ".join(preset.missing)),
        ("not run", preset.not_run),
    ]


def _layer_words(layer: LayerResult) -> str:
    panel = f"{layer.panel}, " if layer.panel else ""
    return f"{panel}{layer.layer}: {layer.holds_in} of {layer.of}"


def _note(found: Found) -> str:
    return "".join(f", {text}" for text in (found.note, f"at {found.revision}" if found.revision else "") if text)


def figure_facts(figure: FigureResult) -> list[tuple[str, str]]:
    """Name and text of everything that is said of a figure across presets beside its numbers."""
    return [
        ("the text says", figure.says),
        ("claim", figure.claim),
        ("differs from the paper", "; ".join(figure.differs)),
        ("against the claim", "; ".join(text for item in figure.comparisons for text in item.against)),
        ("missing runs", "; ".join(figure.missing)),
        ("not run", figure.not_run),
    ]


def marks(preset: PresetResult) -> str:
    """`demonstration` where the preset is one, `quick` and `other data` where the runs are not of the preset as it
    ships, `missing runs` where they are not all that were asked for: for an overview."""
    words = ["demonstration"] if preset.kind == "demonstration" else []
    if not preset.cells:
        return ", ".join(words)
    kinds = {change.partition(":")[0] for change in preset.changes}
    words += [word for kind, word in (("quick setting", "quick"), ("data", "other data")) if kind in kinds]
    return ", ".join([*words, "missing runs"] if preset.missing else words)
