"""Scalars as CSV: one row a step, one column a scalar.

Wide, because that is what a spreadsheet and a data frame open without a thought. A field is empty if a scalar was
not measured at that step; what was measured and is no number is `nan`, `inf` or `-inf`. Numbers are written so that
they read back as the same float64. Of a step that a resumed run measured twice, the newer values count. Of an ensemble
a scalar is the mean, and `NAME@0`, `NAME@1`, … behind all means are its members; of one member, what is its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from condense_core.measure_table import column_of, split
from condense_core.runfile.curves import Points
from condense_core.runfile.reader import RunReader
from condense_tui.documents.csv_text import csv_text


def to_csv(run: RunReader, at: int | None) -> bytes:
    """All scalars up to step `at`, columns by name behind `step`, UTF-8."""
    shown = {name: column(run, name) for name in run.curve_names}
    columns = {words: curve for name, words in shown.items() if len((curve := run.curve(name))[0])}
    for member in range(run.members if run.members > 1 else 0):
        own = run.member(member)
        # speed and the like are of all members together
        curves = {f"{words}@{member}": own.curve(name) for name, words in shown.items()}
        columns |= {name: curve for name, curve in curves.items() if len(curve[0])}
    return wide(columns, at)


def wide(columns: Mapping[str, Points], at: int | None = None) -> bytes:
    """Curves by name as a table up to step `at`, a row for each step of any of them, UTF-8."""
    rows: dict[int, dict[str, float]] = {}
    names = list(columns)
    for name, (steps, values) in columns.items():
        for step, value in zip(steps.tolist(), values.tolist(), strict=True):
            if at is None or step <= at:
                rows.setdefault(step, {})[name] = value
    cells = (
        [step, *("" if name not in rows[step] else repr(rows[step][name]) for name in names)] for step in sorted(rows)
    )
    return csv_text([["step", *names], *cells]).encode()


def column(run: RunReader, scalar: str) -> str:
    """What a scalar of the run is called in an exported file: with the name of the direction that it is beside."""
    return column_of(scalar, run.prediction_source(split(scalar)[0]))
