"""The papers' facts that ship: every figure is there, and every value is a line of the text away."""

from __future__ import annotations

import re

import pytest

from condense_core.errors import ScenarioError
from condense_presets.paper_records import papers, record

# Lines of the two texts, and the figures, tables and theorems in them.
LINES = {"fcn": 982, "cnn": 423}
FIGURES = {"fcn": [str(number) for number in range(1, 19)], "cnn": [str(number) for number in range(1, 16)]}
RECORDS = [(paper.name, item) for paper in papers().values() for item in paper.record]


@pytest.mark.parametrize("paper", FIGURES)
def test_every_figure_has_a_record(paper):
    there = {re.match(r"\d*", item.id)[0] for item in papers()[paper].record}
    assert set(FIGURES[paper]) <= there
    assert {"fcn": {"table1", "maximum", "case1"}, "cnn": {"thm1", "thm4", "gap"}}[paper] <= {
        item.id for item in papers()[paper].record
    }


@pytest.mark.parametrize(("paper", "item"), RECORDS, ids=lambda part: getattr(part, "id", part))
def test_what_is_said_names_lines_of_the_text(paper, item):
    every = [*item.lines, *(line for statement in item.says for line in statement.lines)]
    assert max(every) <= LINES[paper]
    assert item.kind in {"drawing", "shown", "theory"} or item.lines


def test_a_record_is_found_by_paper_and_figure():
    assert record("fcn/3c").settings.activation == ("x2tanh",)
    with pytest.raises(ScenarioError, match=r"fcn/3f: no such record; expected one of 1, 2a"):
        record("fcn/3f")
    with pytest.raises(ScenarioError, match=r"expected one of fcn/…, cnn/…"):
        record("3a")
