"""Curves that are cut from rows that were read once are those that are read one by one."""

from __future__ import annotations

import numpy as np
import pytest
from recording import Recording

from condense_core.errors import RunFileError
from condense_core.runfile import schema, whole_rows
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME
from condense_core.runfile.writer import StepRecord

NAMES = ("loss", "a", "b", "c")


def recorded(tmp_path, format_=schema.VERSION, steps=300):
    """Steps with and without each of the names, and values that need another layout."""
    of_run, draw = Recording(tmp_path, frames=2, format_=format_), np.random.default_rng(3)
    for step in range(steps):
        names = [name for name in NAMES if draw.random() < 0.7]
        values = draw.choice([0.5, 0.1, np.nan, np.inf, -0.0, draw.random()], len(names))
        of_run.writer.append(StepRecord(step, list(zip(names, map(float, values), strict=True)), [], [("x", "y")]))
    return of_run


def bits(curve):
    return [array.tobytes() for array in curve]


@pytest.mark.parametrize("format_", [1, 2, schema.VERSION])
def test_every_curve_is_bit_by_bit_the_one_that_is_read_alone(tmp_path, format_):
    of_run = recorded(tmp_path, format_)
    of_run.close()
    with RunReader(of_run.folder) as alone, RunReader(of_run.folder) as run:
        alone_then = {name: bits(alone.curve(name)) for name in (*alone.curve_names, "nowhere")}
        assert {"loss", "a", "b", "c"} < set(alone_then)
        with run.in_one_pass():
            assert {name: bits(run.curve(name)) for name in alone_then} == alone_then
        assert {name: bits(run.curve(name)) for name in alone_then} == alone_then


def test_rows_are_read_once_and_what_is_written_later_is_read_after_them(tmp_path):
    of_run = recorded(tmp_path)
    asked = []
    with RunReader(of_run.folder) as run:
        run._connection.set_trace_callback(asked.append)
        with run.in_one_pass():
            for name in NAMES:
                steps, values = run.curve(name)
                before = steps.copy(), values.copy()
                of_run.writer.append(StepRecord(1000 + len(asked), [(each, 7.0) for each in NAMES], [], []))
                again = run.curve(name)
                assert [array[:-1].tobytes() for array in again] == bits(before)
                assert again[1][-1] == 7.0
        # curves are asked for with the step of each point, by substr; others are of all that a row holds
        whole = [query for query in asked if "ORDER BY seq" in query and "substr" not in query]
        assert [query for query in whole if "seq > 0 " in query or "seq > -1 " in query] == whole[:1]
    of_run.close()


def test_a_run_that_takes_too_much_memory_is_read_curve_by_curve(tmp_path, monkeypatch):
    of_run = recorded(tmp_path)
    of_run.close()
    monkeypatch.setattr(whole_rows, "MOST_BYTES", 1_000)
    with RunReader(of_run.folder) as run, RunReader(of_run.folder) as alone, run.in_one_pass():
        assert run._scalars.whole() is None
        assert bits(run.curve("a")) == bits(alone.curve("a"))


@pytest.mark.parametrize(
    "change", ["data = x'0000'", "data = 5", "step = -1", "layout = 77", "data = zeroblob(9999999)"]
)
def test_a_damaged_row_is_one_line(tmp_path, change):
    of_run = recorded(tmp_path, steps=20)
    of_run.close()
    with schema.writer(of_run.folder / FILE_NAME) as connection:
        connection.execute(f"UPDATE scalar SET {change} WHERE seq = (SELECT max(seq) FROM scalar)")
    with RunReader(of_run.folder) as run, run.in_one_pass(), pytest.raises(RunFileError, match="damaged"):
        run.curve("loss")
