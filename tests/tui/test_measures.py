"""Whatever shows a measure takes its name and its way of being written from the table of measures."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from recording import Recording
from rich.console import Console

from condense_core.measure_table import MEASURES, Measure, MeasureKind
from condense_core.runfile.reader import RunReader
from condense_core.runs.summary import summarise
from condense_core.scalar_names import label_of
from condense_tui import glossary
from condense_tui.draw.written import written
from condense_tui.export import page
from condense_tui.reproduce.report.words import in_words
from condense_tui.sweep.grid import words
from condense_tui.sweep.results import COLUMNS, SEED_COLUMNS, SPREADS, columns, seed_columns
from condense_tui.sweep.show import PROBES, SHOWN, is_counted, title_of
from condense_tui.text import tables


@pytest.fixture
def run(recorded: Recording) -> Iterator[RunReader]:
    with RunReader(recorded.folder) as opened:
        yield opened


@pytest.fixture
def renamed(monkeypatch: pytest.MonkeyPatch) -> str:
    """The table with another name for one measure: whatever reads it shows that."""
    monkeypatch.setitem(MEASURES, "coverage", MEASURES["coverage"]._replace(label="XLABELX", head="XHEADX"))
    return "X"


def test_tables_and_pages_show_what_the_table_says(renamed: str, run: RunReader) -> None:
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        tables.print_layers(console, summarise(run).layers_over_seeds())
    assert "XHEADX" in captured.get()
    assert "<th>XLABELX</th>" in page.to_html(run, int(run.instants[-1]))
    assert title_of("coverage").startswith("XLABELX")
    assert label_of("conv1.coverage") == "conv1: XLABELX"


def test_the_glossary_explains_with_the_words_of_the_table() -> None:
    explained = dict(glossary.IN_A_RUN)
    for word, name in {
        "line": "lines",
        "direction": "directions",
        "on lines": "coverage",
        "|cos|": "mean_abs_cos",
    }.items():
        assert explained[word] == MEASURES[name].help


def test_columns_of_files_and_pictures_are_measures() -> None:
    plain = {"cell", "status", "reason", "layer", "member", "init_seed", "data_seed", "seeds", "reached", "seconds"}
    claims = {"claim_holds_in", "claim_decided", "claim_holds"}
    spreads = {f"{name}_{which}" for name in SPREADS for which in ("median", "min", "max")}
    assert set(SPREADS) <= MEASURES.keys()
    assert set(COLUMNS) - plain - claims - spreads <= MEASURES.keys()
    assert set(SEED_COLUMNS) - plain - claims <= MEASURES.keys()
    # a slope is of a measure over cells, not of a run
    assert set(SHOWN) - {"slope"} <= MEASURES.keys()
    assert PROBES.keys() <= set(SHOWN)
    for show in SHOWN:
        new = set(columns(show)) - set(COLUMNS)
        beside = {show, *(f"{show}_{which}" for which in ("median", "min", "max"))}
        assert new <= beside and title_of(show)
        assert set(seed_columns(show)) - set(SEED_COLUMNS) <= {show}
        if show not in {"slope", "claim"}:
            known = {show} if is_counted(show) else beside - {show}
            assert known <= set(columns(show)), f"results.csv has {show} where the picture shows it"
    assert set(tables.COLUMNS) | set(page.COLUMNS) <= MEASURES.keys()
    assert all(MEASURES[name].head for name in tables.COLUMNS), "over a column stands a short name"


@pytest.mark.parametrize(
    ("name", "value", "wide", "narrow"),
    [
        ("lines", 3, "3", "3"),
        ("lines", 1.5, "1.5", "1.5"),
        ("coverage", 0.999, "99 %", "99 %"),
        ("mean_abs_cos", 0.98765, "0.9877", "0.988"),
        ("condensed", 1.0, "yes", "yes"),
        ("predicted_at", 12_400, "step 12400", "12.4k"),
        ("loss", 1.2345678e-5, "1.23e-5", "1.2e-5"),
        ("loss", math.nan, "–", "–"),
        ("predicted_at", None, "–", "–"),
    ],
)
def test_a_value_is_written_as_its_kind_is(name: str, value: float | None, wide: str, narrow: str) -> None:
    assert (written(name, value), written(name, value, narrow=True)) == (wide, narrow)


def test_values_over_draws_are_counted_or_given_as_a_range_by_their_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_words("lines", [1, 1, 2]) == "1 in 2, 2 in 1 of 3"
    assert in_words("condensed", [1, 1, 0]) == "yes in 2 of 3"
    assert in_words("coverage", [0.5, 0.75]).startswith("median 0.6")
    assert words(0.5, "coverage") == "0.50"
    monkeypatch.setitem(MEASURES, "coverage", replace_kind("coverage", "count"))
    assert in_words("coverage", [1, 2]) == "1 in 1, 2 in 1 of 2"
    assert words(0.5, "coverage") == "0.5"


def replace_kind(name: str, kind: MeasureKind) -> Measure:
    return MEASURES[name]._replace(kind=kind)
