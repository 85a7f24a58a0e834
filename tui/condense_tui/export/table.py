"""Scalars as CSV: one row a step, one column a scalar.

Wide, because that is what a spreadsheet and a data frame open without a thought. A field is empty where a scalar was
not measured at that step; what was measured and is no number is `nan`, `inf` or `-inf`. Numbers are written so that
they read back as the same float64. Of a step that a resumed run measured twice, the newer values count.
"""

from __future__ import annotations

import csv
import io

from condense_core.runs.reader import RunReader


def to_csv(run: RunReader, at: int | None) -> bytes:
    """All scalars up to step `at`, columns by name behind `step`, UTF-8."""
    names = run.curve_names
    rows: dict[int, dict[str, float]] = {}
    for name in names:
        steps, values = run.curve(name)
        for step, value in zip(steps.tolist(), values.tolist(), strict=True):
            if at is None or step <= at:
                rows.setdefault(step, {})[name] = value
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", *names])
    for step in sorted(rows):
        found = rows[step]
        writer.writerow([step, *("" if name not in found else repr(found[name]) for name in names)])
    return text.getvalue().encode()
