"""Open questions: every preset says whom it follows, and the document says of each what its preset declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from condense_core.scenario import toml
from condense_core.scenario.claim_lint import faults
from condense_core.scenario.verdict import judge
from condense_presets import preset_files, preset_text

NAMES = [name for name, file in preset_files().items() if file.parent.name == "frontier"]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in Path("docs/FRONTIER.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ")
]


@pytest.mark.parametrize("name", NAMES)
def test_a_question_says_whom_it_follows_and_how_its_bounds_were_set(name: str) -> None:
    experiment = toml.loads(preset_text(name), name)
    about = experiment.about
    assert about.paper == "none"
    assert " Ours: " in about.follows
    assert about.bounds
    assert about.minutes_cpu <= 1
    assert faults(experiment) == []


@pytest.mark.parametrize("name", [name for name in NAMES if toml.loads(preset_text(name), name).about.found])
def test_the_document_says_what_the_preset_declares(name: str) -> None:
    experiment = toml.loads(preset_text(name), name)
    found, claim = experiment.about.found, experiment.claim
    (row,) = [row for row in ROWS if row[1] == f"`{name}`"]
    verdict = judge(claim.share, found.holds_in, found.of)
    assert row[2:5] == [claim.text, verdict.words, verdict.interval_words]
    assert found.revision


def test_the_document_has_a_row_of_no_other_preset() -> None:
    assert {row[1].strip("`") for row in ROWS} - {"preset", "---"} <= set(NAMES)
