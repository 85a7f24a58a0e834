"""Scalars as CSV and as Parquet: one row a step, one column a scalar (condense_core/runs/columns.py).

Wide, because that is what a spreadsheet and a data frame open without a thought. In CSV a field is empty if a scalar
was not measured at that step; what was measured and is no number is `nan`, `inf` or `-inf`. Numbers are written so
that they read back as the same float64.
"""

from __future__ import annotations

from collections.abc import Mapping

from condense_core.runfile.curves import Points
from condense_core.runfile.reader import RunReader
from condense_core.runs.columns import curves_of
from condense_tui.documents.csv_text import csv_text


def to_csv(run: RunReader, at: int | None) -> bytes:
    """All scalars up to step `at`, columns by name behind `step`, UTF-8; before them, each in a line that begins with
    `#`, what was left out because it is damaged."""
    table = wide(curves_of(run), at)
    return "".join(f"# left out, since it is damaged: {what}\n" for what in run.damage.named).encode() + table


def to_parquet(run: RunReader, at: int | None) -> bytes:
    """The same as a Parquet file, whose metadata have the run's row as JSON under `condense-tui`, and what was
    left out under `condense-tui left out`."""
    import pyarrow
    import pyarrow.parquet

    from condense_core.runs.data_frames import arrow_table

    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(arrow_table(run, at), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


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
