"""The report as Markdown: the same words and numbers without the pictures, for a repository or a pull request."""

from __future__ import annotations

import re

from condense_core.text import printable
from condense_tui.reproduce.report.across import FigureResult
from condense_tui.reproduce.report.document import (
    Report,
    circumstances,
    facts,
    figure_facts,
    heading,
    marks,
    sums,
    title,
)
from condense_tui.reproduce.report.every_figure import HEADS, tables
from condense_tui.reproduce.report.results import PresetResult


def to_markdown(report: Report) -> str:
    """The whole report."""
    lines = [f"# {plain(title(report))}", ""]
    lines += [f"- {name}: {plain(text)}" for name, text in circumstances(report)]
    lines += [f"- {name}: {words}" for name, words in sums(report)]
    lines += [f"- left out to fit the time: {plain('; '.join(report.cuts))}"] if report.cuts else []
    heads = ["preset", "figure", "claim", "verdict", "95 % interval"]
    lines += ["", *_table(heads, [_overview(preset) for preset in report.presets])]
    if report.figures:
        rows = [[item.name, item.figure, item.claim, item.words] for item in report.figures]
        lines += ["", *_table(["across presets", "figure", "claim", "verdict"], rows)]
    lines += _every_figure(report)
    for part in report.by_paper():
        lines += ["", f"## {part.heading}", "", plain(part.source)]
        lines += ["", *(f"- ours: {plain(text)}" for text in part.ours)] if part.ours else []
        for figure in part.figures:
            lines += ["", *_figure(figure)]
        for preset in part.presets:
            lines += ["", *_preset(preset)]
    return "\n".join(lines) + "\n"


def every_figure(report: Report) -> str:
    """The tables of every figure by themselves, with how and on what they were made."""
    lines = [f"- {name}: {plain(text)}" for name, text in circumstances(report)]
    lines += [f"- {name}: {words}" for name, words in sums(report)]
    other = dict.fromkeys(change for preset in report.presets for change in preset.changes)
    lines += [f"- {plain(change)}" for change in other if change.startswith("data: ")]
    return "\n".join([*lines, *_every_figure(report)]) + "\n"


def _every_figure(report: Report) -> list[str]:
    lines: list[str] = []
    for paper, found in tables(report.presets, report.figures):
        lines += ["", f"## Every figure: {plain(paper.title)}", "", *_table(list(HEADS), [list(row) for row in found])]
    return lines


def plain(text: str) -> str:
    """Text that Markdown shows as it is: nothing in it is a link, a tag, emphasis or a table's edge."""
    return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", printable(text))


def _overview(preset: PresetResult) -> list[str]:
    mark = f" ({marks(preset)})" if marks(preset) else ""
    interval = preset.verdict.interval_words if preset.verdict else ""
    return [preset.name, preset.figure, preset.claim or preset.summary, preset.words + mark, interval]


def _figure(figure: FigureResult) -> list[str]:
    of_paper = f" ({heading(figure.figure)})" if figure.figure else ""
    lines = [f"### {plain(figure.name)} across presets{plain(of_paper)}: {plain(figure.words)}", ""]
    lines += [f"- {name}: {plain(text)}" for name, text in figure_facts(figure) if text]
    for item in figure.comparisons:
        rows = [[arm.name, arm.words] for arm in item.arms]
        lines += ["", *_table([item.name, f"measured; expected: {item.wanted}"], rows)]
    return lines


def _preset(preset: PresetResult) -> list[str]:
    figure = f" ({heading(preset.figure)})" if preset.figure else ""
    lines = [f"### {plain(preset.name + figure)}: {plain(preset.words)}", "", plain(preset.summary), ""]
    lines += [f"- {name}: {plain(text)}" for name, text in facts(preset) if text]
    if preset.distributions:
        rows = [[item.name, item.wanted, item.found] for item in preset.distributions]
        lines += ["", *_table(["quantity", "expected", "measured in the runs"], rows)]
    failed = [cell for cell in preset.cells if cell.against or cell.status != "done"]
    lines += [""] if failed else []
    for cell in failed:
        reason = "; ".join(cell.against) or cell.reason or cell.status
        lines.append(f"- seed {cell.seed}, data seed {cell.data_seed}: {plain(reason)}")
    return [*lines, "", "```toml", *preset.scenario.rstrip().split("\n"), "```"]


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        f"|{'|'.join(' --- ' for _ in heads)}|",
        *(f"| {' | '.join(plain(cell) for cell in row)} |" for row in rows),
    ]
