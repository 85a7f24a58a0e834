"""Rows as CSV that a spreadsheet shows and does not run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Rows of cells, lines ended by a newline: None and NaN-free text as they are, numbers so that they read back.

    Text from elsewhere that a spreadsheet would run as a formula gets an apostrophe before it, which shows it as text.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str) or not value.startswith(_FORMULA) or _is_number(value):
        return value
    return f"'{value}"


def _is_number(text: str) -> bool:
    """Whether it is a number with its sign, as Python writes it: `-0.5`, `-inf`."""
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()
