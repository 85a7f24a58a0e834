"""Every figure, table and theorem of the papers in one table: what tested it, at which settings, what came of it.

A figure that shows a layer in each panel has a row for each panel. What nothing here tests has a row that says why.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from condense_core.scenario.papers import Paper, PaperRecord
from condense_core.scenario.verdict import judge
from condense_presets.paper_records import papers
from condense_tui.draw.numbers import measure
from condense_tui.reproduce.report.across import FigureResult
from condense_tui.reproduce.report.results import PresetResult

HEADS = ("figure", "tested by", "settings of the text", "the paper's claim", "95 % interval", "seconds")


class Row(NamedTuple):
    """One line of the table, a text for each of HEADS."""

    figure: str
    preset: str
    settings: str
    verdict: str
    interval: str
    seconds: str


def rows(paper: Paper, presets: Sequence[PresetResult], figures: Sequence[FigureResult]) -> Iterator[Row]:
    """The paper's records in their order, sketches left out."""
    for record in paper.record:
        if record.kind == "drawing":
            continue
        name = f"{paper.name}/{record.id}"
        tested = [preset for preset in presets if preset.record == name and preset.kind == "paper"]
        across = [figure for figure in figures if figure.record == name]
        for preset in tested:
            yield from _of_preset(record, preset)
        for figure in across:
            yield from _of_figure(record, figure)
        if not tested and not across:
            why = record.not_tested or "not asked for in this report"
            yield Row(_called(record), "", "", f"not tested here ({why})", "", "")


def tables(presets: Sequence[PresetResult], figures: Sequence[FigureResult]) -> Iterator[tuple[Paper, list[Row]]]:
    """The table of each paper of which anything is in the report."""
    there = {*(preset.paper for preset in presets), *(figure.paper for figure in figures)}
    for name, paper in papers().items():
        if name in there:
            yield paper, list(rows(paper, presets, figures))


def _of_preset(record: PaperRecord, preset: PresetResult) -> Iterator[Row]:
    equal = "differ" if preset.differs else "equal, others ours" if preset.chosen else "equal"
    ended = [cell.seconds for cell in preset.cells if cell.status == "done"]
    seconds = measure(statistics.fmean(ended), 2) if ended else ""
    verdict = preset.paper_verdict
    # of runs that are not at the paper's setting, the interval of what was trained
    counted = preset.verdict
    yield Row(_called(record), preset.name, equal, preset.words, counted.interval_words if counted else "", seconds)
    if verdict is None or not verdict.of:
        return
    for layer in preset.layers:
        if layer.panel:
            found = judge(preset.share, layer.holds_in, layer.of)
            yield Row(layer.panel, f"{preset.name}, {layer.layer}", equal, found.words, found.interval_words, "")


def _of_figure(record: PaperRecord, figure: FigureResult) -> Iterator[Row]:
    equal = "differ" if figure.differs else "equal"
    yield Row(_called(record), f"{figure.name}, across presets", equal, figure.words, "", "")
    for comparison in figure.comparisons:
        for arm in comparison.arms:
            if arm.verdict is not None and len(comparison.arms) > 1:
                found = figure.as_trained(arm.verdict.words)
                yield Row(arm.name, figure.name, equal, found, arm.verdict.interval_words, "")


def _called(record: PaperRecord) -> str:
    return record.name or record.id
