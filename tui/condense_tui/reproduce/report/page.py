"""The report as one HTML page that needs nothing else: no script, no font, no address."""

from __future__ import annotations

from collections.abc import Callable

from condense_tui.documents.heat import legend
from condense_tui.documents.html_page import html_page
from condense_tui.documents.markup import Markup, el, join
from condense_tui.documents.pictures import Picture
from condense_tui.documents.strip import strip
from condense_tui.draw.numbers import plural
from condense_tui.reproduce.report.across import ComparisonResult, FigureResult
from condense_tui.reproduce.report.document import (
    PLURAL,
    Report,
    circumstances,
    counts,
    facts,
    figure_facts,
    heading,
    marks,
    title,
)
from condense_tui.reproduce.report.every_figure import HEADS, tables
from condense_tui.reproduce.report.judged import CellVerdict
from condense_tui.reproduce.report.results import PresetResult


def to_html(report: Report, pictures_of: Callable[[PresetResult], list[Picture]]) -> str:
    """The page; `pictures_of` gives each preset's pictures."""
    sections = [
        join(
            el("h2", part.heading),
            el("p", part.source, class_="source"),
            _ours(part.ours),
            *(_figure(figure) for figure in part.figures),
            *(_article(preset, pictures_of(preset)) for preset in part.presets),
        )
        for part in report.by_paper()
    ]
    body = el(
        "main",
        el("h1", title(report)),
        el(
            "p",
            "Each claim is a statistic over draws of weights and data together, and its whole distribution is shown. A"
            " paper's claim is tested at the paper's setting; demonstrations are at settings and draws that were chosen"
            " to show something, and say nothing about it.",
        ),
        *_counts(report),
        _facts(circumstances(report)),
        _overview(report),
        *_every_figure(report),
        _reading(),
        *sections,
    )
    return html_page(title(report), body)


def _counts(report: Report) -> list[Markup]:
    """The honest sum, of the papers' claims first."""
    lists = []
    for name, items in (("The papers' claims", report.of_papers), ("Demonstrations", report.demonstrations)):
        entries = [
            el("li", el("b", str(count), class_=_class(outcome)), PLURAL[outcome]) for outcome, count in counts(items)
        ]
        if entries:
            lists += [el("p", f"{name}: {len(items)}", class_="soft"), el("ul", *entries, class_="counts")]
    return lists


def _ours(choices: tuple[str, ...]) -> Markup:
    if not choices:
        return Markup("")
    return el("details", el("summary", "our choices in all of them"), el("ul", *(el("li", text) for text in choices)))


def _overview(report: Report) -> Markup:
    rows = [_row("th", "preset", "figure", "claim", "verdict", "95 %")]
    rows += [
        el(
            "tr",
            el("td", el("a", preset.name, href=f"#{preset.name}"), class_="key"),
            el("td", preset.figure, class_="key"),
            el("td", preset.claim or preset.summary),
            el("td", _badge(preset.words, preset.outcome), *_mark(preset)),
            el("td", preset.verdict.interval_words if preset.verdict else "", class_="key"),
        )
        for preset in report.presets
    ]
    rows += [
        el(
            "tr",
            el("td", el("a", figure.name, href=f"#{_anchor(figure)}"), class_="key"),
            el("td", figure.figure, class_="key"),
            el("td", f"across presets: {figure.claim}"),
            el("td", _badge(figure.words, figure.outcome)),
            el("td", ""),
        )
        for figure in report.figures
    ]
    cuts = el("p", f"Left out to fit the time: {'; '.join(report.cuts)}.", class_="soft") if report.cuts else Markup("")
    return join(el("div", el("table", *rows), class_="wrap"), cuts)


def _every_figure(report: Report) -> list[Markup]:
    return [
        el(
            "details",
            el("summary", f"every figure of {paper.title}"),
            el("div", el("table", _row("th", *HEADS), *(_row("td", *row) for row in found)), class_="wrap"),
        )
        for paper, found in tables(report.presets, report.figures)
    ]


def _reading() -> Markup:
    text = (
        "Heatmaps show the cosine of every two kernels of a layer in the run with the first seed, ordered by condensed"
        " line; kernels too small to have a direction are grey. The bold curve is that run, the faint ones are the"
        " other seeds. The predicted direction is v1 of the signal matrix Z; where there is none (several hidden"
        " layers, a multiplicity above 1), it is the gradient's first direction."
    )
    return el("p", text, " ", legend(), class_="soft")


def _article(preset: PresetResult, pictures: list[Picture]) -> Markup:
    figure = el("span", heading(preset.figure), class_="figure") if preset.figure else Markup("")
    return el(
        "article",
        el("h3", preset.name, " ", figure, " ", _badge(preset.words, preset.outcome), *_mark(preset)),
        el("p", preset.summary),
        _facts(facts(preset)),
        _distributions(preset),
        _row_of([picture for picture in pictures if picture.square], "heatmaps"),
        _row_of([picture for picture in pictures if not picture.square], "plots"),
        _runs(preset),
        el("details", el("summary", "settings"), el("pre", preset.scenario)),
        id=preset.name,
    )


def _figure(figure: FigureResult) -> Markup:
    of_paper = el("span", f"{heading(figure.figure)}, across presets", class_="figure")
    return el(
        "article",
        el("h3", figure.name, " ", of_paper, " ", _badge(figure.words, figure.outcome)),
        _facts(figure_facts(figure)),
        *(_comparison(item) for item in figure.comparisons),
        id=_anchor(figure),
    )


def _comparison(item: ComparisonResult) -> Markup:
    rows = [_row("th", item.name, f"measured; expected: {item.wanted}")]
    rows += [_row("td", arm.name, arm.words) for arm in item.arms]
    picture = strip([(arm.name, arm.values) for arm in item.arms], item.name)
    return join(el("div", el("table", *rows), class_="wrap"), picture)


def _anchor(figure: FigureResult) -> str:
    return f"across-{figure.name}"


def _mark(preset: PresetResult) -> list[Markup]:
    words = marks(preset)
    return [el("span", words, class_="mark", title="; ".join([*preset.changes, *preset.missing]))] if words else []


def _facts(rows: list[tuple[str, str]]) -> Markup:
    return el("dl", *(join(el("dt", name), el("dd", text)) for name, text in rows if text))


def _distributions(preset: PresetResult) -> Markup:
    if not preset.distributions:
        return Markup("")
    rows = [_row("th", "quantity", "expected", "measured in the runs")]
    rows += [_row("td", item.name, item.wanted, item.found) for item in preset.distributions]
    return el("div", el("table", *rows), class_="wrap")


def _runs(preset: PresetResult) -> Markup:
    if not preset.cells:
        return Markup("")
    rows = [_row("th", "seed", "data seed", "status", "steps", "seconds", "against the claim")]
    rows += [_row("td", *_cells(cell)) for cell in preset.cells]
    return el("details", el("summary", plural(len(preset.cells), "run")), el("div", el("table", *rows), class_="wrap"))


def _cells(cell: CellVerdict) -> tuple[str, ...]:
    against = "; ".join(cell.against) or (cell.reason if cell.status != "done" else "")
    return str(cell.seed), str(cell.data_seed), cell.status, f"{cell.steps:,}", f"{cell.seconds:.1f}", against or "–"


def _row_of(pictures: list[Picture], kind: str) -> Markup:
    figures = [el("figure", picture.image, el("figcaption", picture.caption)) for picture in pictures]
    return el("div", *figures, class_=f"pictures {kind}") if figures else Markup("")


def _badge(words: str, outcome: str) -> Markup:
    return el("span", words, class_=f"badge {_class(outcome)}")


def _class(outcome: str) -> str:
    return outcome.replace(" ", "-")


def _row(cell: str, *texts: str) -> Markup:
    return el("tr", *(el(cell, text) for text in texts))
