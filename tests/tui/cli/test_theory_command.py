"""`theory` as a person calls it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.usefixtures("forked")


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "condense_tui", *arguments], capture_output=True, text=True, check=False
    )


def test_theory_answers_in_json_and_as_a_table():
    answer = command("theory", "digits-gd", "--trials", "2", "--samples", "100", "--json")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert [kind["labels"] for kind in found["by_labels"]] == ["raw", "onehot"]
    assert 0.9 < found["by_labels"][0]["ones_overlap"][0]["mean"] <= 1
    table = command("theory", "digits-gd", "--trials", "2", "--samples", "100").stdout
    assert "λ2/λ1" in table
    assert "without a bias column" in table


def test_theory_says_where_it_draws_more_than_the_scenario_trains_on():
    table = command("theory", "digits-gd", "--trials", "1", "--set", "data.samples=100").stdout
    assert "500 images a trial, as in the papers; the scenario trains on 100: --samples 100" in table


def test_what_cannot_be_answered_is_one_line_and_exit_code_2():
    answer = command("theory", "digits-gd", "--samples", "9999")
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert "1797 images" in answer.stderr
