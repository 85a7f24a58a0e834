"""What is written as CSV is shown by a spreadsheet, and not run."""

import csv
import io

import pytest

from condense_tui.documents.csv_text import csv_text


def read(text):
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "=1,2", '="x"'])
def test_text_that_a_spreadsheet_would_run_is_shown_as_text(text):
    assert read(csv_text([[text, "loss"]])) == [[f"'{text}", "loss"]]


@pytest.mark.parametrize("number", [-0.5, -3, float("-inf"), "-0.5", "+1e-3", "-inf"])
def test_numbers_with_a_sign_stay_numbers(number):
    assert read(csv_text([[number]])) == [[str(number)]]
