"""Scalars of a step are one row: as they were, small, found at once, and never passed over."""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from recording import Recording

from condense_core.errors import RunFileError
from condense_core.measure_table import OF_THE_MACHINE
from condense_core.runfile import checksums, held_scalars, layouts, packed, rows, schema
from condense_core.runfile.reader import RunReader
from condense_core.runfile.rows import ScalarRow
from condense_core.runfile.scalars import scalars_of
from condense_core.runfile.schema import FILE_NAME, open_reader, version_of
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs import recording

# What float32 holds, what it does not, and what neither should change.
VALUES = [0.5, 0.1, math.nan, math.inf, -math.inf, -0.0, 1e-300, 5e-324, 1e300, float(np.float32(0.1)), 3.0]


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(open_reader(folder / FILE_NAME)) as connection:
        yield connection


def bits(values: object) -> bytes:
    return np.asarray(values, np.float64).tobytes()


@pytest.mark.parametrize("format_", [1, 2, schema.VERSION])
def test_every_value_comes_back_bit_by_bit_whatever_stands_beside_it(tmp_path, format_):
    of_run = Recording(tmp_path, frames=2, format_=format_)
    for step, value in enumerate(VALUES):
        rest = [(f"x{at}", other) for at, other in enumerate(VALUES[: step % 4])]
        of_run.writer.append(StepRecord(step, [("loss", value), *rest, ("other", VALUES[-1 - step])], [], []))
    of_run.close()
    with RunReader(of_run.folder) as run, opened(of_run.folder) as connection:
        assert version_of(connection) == format_
        # of version 1, SQLite keeps no sign of zero
        expected = np.array(VALUES) + 0.0 if format_ == 1 else np.array(VALUES)
        assert bits(run.curve("loss")[1]) == bits(expected)
        assert bits(run.curve("other")[1]) == bits(expected[::-1])
        assert run.curve("x2")[0].tolist() == [3, 7]
        assert run.curve_names == ("loss", "other", "x0", "x1", "x2")
        assert (run.last("loss"), run.newest_step) == (VALUES[-1], len(VALUES) - 1)
        assert run.curve("elsewhere")[0].tolist() == []
        table = scalars_of(connection)
        first = table.first("x1")
        assert first is not None and first.step == 2
        assert table.first("loss", first.seq + 1).step == 3
        assert table.first("loss", 10**6) is None
        found = [pair for row in table.rows(0, 10**6) for pair in zip(row.names, row.values, strict=True)]
        assert bits([value for name, value in found if name == "loss"]) == bits(expected)


def test_a_measurement_takes_four_bytes_where_four_hold_it(folder):
    with contextlib.closing(RunWriter(folder)) as writer:
        for step in range(100):
            scalars = [("loss", 1 / (step + 3)), *((f"x{at}", step / 4) for at in range(30))]
            writer.append(StepRecord(step, scalars, [], []))
    with opened(folder) as connection:
        (length,) = connection.execute("SELECT max(length(data)) FROM scalar").fetchone()
        assert length == 8 + 30 * 4 + checksums.SIZE
        assert connection.execute("SELECT count(*) FROM layout").fetchone() == (1,)


def test_a_step_of_two_small_layers_takes_less_than_three_kilobytes(tmp_path):
    of_run = Recording(tmp_path, frames=400, steps=10**6, spacing="linear", kernels=(32, 16))
    of_run.write()
    of_run.finish()
    of_run.close()
    assert (of_run.folder / FILE_NAME).stat().st_size / len(of_run.steps) < 3_000


def test_what_was_not_committed_leaves_no_layout_behind(folder):
    with contextlib.closing(RunWriter(folder)) as writer:
        writer.append(StepRecord(0, [("loss", 1.0)], [], []))
        for _ in range(2):
            with pytest.raises(sqlite3.Error):
                writer.append(StepRecord(1, [("loss", 1.0), ("new", 2.0)], [], [("kind", None)]))  # type: ignore[list-item]
        writer.append(StepRecord(2, [("loss", 1.0), ("newer", 3.0)], [], []))
        writer.append(StepRecord(3, [("loss", 1.0), ("new", 4.0)], [], []))
    with RunReader(folder) as run:
        assert run.curve_names == ("loss", "new", "newer")
        assert (run.curve("new")[1].tolist(), run.curve("newer")[1].tolist()) == ([4.0], [3.0])
        assert run.curve("loss")[0].tolist() == [0, 2, 3]


def test_a_name_that_stands_twice_in_a_step_has_two_points(folder):
    with contextlib.closing(RunWriter(folder)) as writer:
        writer.append(StepRecord(5, [("loss", 1.0), ("x", 2.0), ("loss", 3.0)], [], []))
    with RunReader(folder) as run:
        assert run.curve("loss")[1].tolist() == [1.0, 3.0]


def test_whatever_is_measured_together_all_of_it_is_read(folder):
    """Thousands of combinations, as of somebody who logs what comes: beyond some hundreds each value is its own row."""
    draw = np.random.default_rng(0)
    steps: dict[str, list[int]] = {}
    with contextlib.closing(RunWriter(folder)) as writer:
        for step in range(3 * packed.MOST_MIXED):
            names = ["loss", *(f"x{at}" for at in range(24) if draw.random() < 0.5)]
            for name in names:
                steps.setdefault(name, []).append(step)
            writer.append(StepRecord(step, [(name, step + 0.1 * (step % 7)) for name in names], [], []))
    with RunReader(folder) as run, opened(folder) as connection:
        assert connection.execute("SELECT count(*) FROM layout").fetchone()[0] < 3 * packed.MOST_MIXED
        for name, expected in steps.items():
            found, values = run.curve(name)
            assert found.tolist() == expected
            assert values.tolist() == [step + 0.1 * (step % 7) for step in expected]


def test_a_copy_has_room_for_all_that_a_file_can_hold(folder):
    with contextlib.closing(schema.open_writer(folder / FILE_NAME)) as connection:
        table = scalars_of(connection)

        def put(number: int, value: float) -> None:
            table.put([ScalarRow(number, number, ("loss", f"x{number % 1000}"), (value, 1.0))])

        for number in range(1, packed.MOST_MIXED + 1):
            put(number, 1.0)
        # the same names with a value that needs more bytes
        for number in range(1001, 1001 + packed.MOST_MIXED):
            put(number, 0.1)
        with pytest.raises(ValueError, match="combinations"):
            put(2999, 1.0)
    with RunReader(folder) as run:
        assert len(run.curve("loss")[0]) == 2 * packed.MOST_MIXED


@pytest.mark.parametrize(
    "names", [(), ("a", "a"), ("x" * 201,), tuple(f"x{at}" for at in range(packed.MOST_NAMES + 1))], ids=len
)
def test_rows_that_no_reader_would_take_are_not_stored(folder, names):
    with contextlib.closing(schema.open_writer(folder / FILE_NAME)) as connection:
        with pytest.raises(ValueError, match=r"scalar"):
            scalars_of(connection).put([ScalarRow(1, 0, names, (1.0,) * len(names))])
        assert connection.execute("SELECT count(*) FROM layout").fetchone() == (0,)


def test_points_of_a_layout_that_comes_meanwhile_are_not_passed_over(folder, monkeypatch):
    with contextlib.closing(RunWriter(folder)) as writer, RunReader(folder) as run:
        writer.append(StepRecord(0, [("loss", 1.0)], [], []))
        assert len(run.curve("loss")[0]) == 1
        taken = packed.PackedScalars._read_layouts

        def and_then_somebody_writes(self: packed.PackedScalars) -> None:
            taken(self)
            monkeypatch.setattr(packed.PackedScalars, "_read_layouts", taken)
            writer.append(StepRecord(1, [("loss", 2.0), ("new", 1.0)], [], []))
            writer.append(StepRecord(2, [("loss", 3.0)], [], []))

        monkeypatch.setattr(packed.PackedScalars, "_read_layouts", and_then_somebody_writes)
        run.curve("loss")
        assert run.curve("loss")[0].tolist() == [0, 1, 2]


def checksum_of_layout(number: int, names: str, kinds: str) -> bytes:
    return checksums.with_checksum(b"", checksums.of_names(kinds, *json.loads(names)), number, 0)


def test_names_without_bounds_are_refused(folder):
    with contextlib.closing(RunWriter(folder)) as writer:
        writer.append(StepRecord(0, [("loss", 1.0)], [], []))
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        names = "[" + ",".join(f'"{at:0200}"' for at in range(4000)) + "]"
        every = ((at, names, "f" * 4000, checksum_of_layout(at, names, "f" * 4000)) for at in range(10, 30))
        connection.executemany("INSERT INTO layout VALUES (?, ?, ?, ?)", every)
        connection.commit()
    with RunReader(folder) as run, pytest.raises(RunFileError, match="layout: more than"):
        run.curve("loss")


@pytest.mark.parametrize("format_", [1, 2, schema.VERSION])
def test_a_recording_of_either_format_has_all_but_the_machines_own(tmp_path, format_):
    of_run = Recording(tmp_path / "runs", frames=30, format_=format_)
    of_run.write()
    of_run.writer.append(StepRecord(4000, [(name, 1.0) for name in OF_THE_MACHINE], [], []))
    of_run.writer.append(StepRecord(4000, [("loss", 0.5), (OF_THE_MACHINE[0], 2.0)], [], []))
    of_run.finish()
    of_run.close()
    file = tmp_path / "x.sqlite"
    recording.save_recording(of_run.folder, file, most_steps=10)
    with RunReader(file) as kept, RunReader(of_run.folder) as run, opened(of_run.folder) as connection:
        assert version_of(connection) == format_
        assert set(kept.curve_names) == set(run.curve_names) - set(OF_THE_MACHINE)
        for name in kept.curve_names:
            steps, values = run.curve(name)
            there = np.isin(steps, kept.instants)
            assert kept.curve(name)[0].tolist() == steps[there].tolist()
            assert bits(kept.curve(name)[1]) == bits(values[there])


@pytest.mark.parametrize("format_", [1, 2, schema.VERSION])
@pytest.mark.parametrize(("still", "held"), [(False, 300), (True, 300), (True, 5)])
def test_ends_and_samples_of_a_curve_are_those_of_the_whole(tmp_path, monkeypatch, format_, still, held):
    """Steps with and without each of three names, and values that need another layout: found without the curve, in a
    run that is held in memory and in a longer one."""
    monkeypatch.setattr(held_scalars, "MOST_ROWS", held)
    of_run, draw = Recording(tmp_path, frames=2, format_=format_), np.random.default_rng(3)
    for step in range(60):
        names = [name for name in ("loss", "a", "b") if draw.random() < 0.7]
        scalars = [(name, float(draw.choice([0.5, 0.1, draw.random()]))) for name in names]
        of_run.writer.append(StepRecord(step, scalars, [], [("x", "y")] * int(draw.integers(0, 4))))
    of_run.close()
    with opened(of_run.folder) as connection, schema.one_moment(connection):
        scalars = scalars_of(connection, still=still)
        begins = {}
        for name in ("loss", "a", "b", "loss"):
            ((seq, steps, values),) = scalars.stretches(name, 0)
            points = [scalars.first(name, least) for least in range(seq + 2)]
            assert points[-1] is None
            whole = list({point.seq: point for point in points if point is not None}.values())
            assert [(point.step, point.value) for point in whole] == list(zip(steps, values, strict=True))
            assert (scalars.first(name), scalars.newest(name)) == (whole[0], whole[-1])
            for most in (2, 5, 24, 400):
                chosen = held_scalars.evenly(whole[0].seq, whole[-1].seq, most)
                assert scalars.sample(name, most) == list(dict.fromkeys(points[least] for least in chosen))
            begins[name] = scalars.begins(name)
        assert begins["loss"][0] == scalars.first("loss").seq
        assert len(set(begins.values())) == 3
        assert (scalars.first("c"), scalars.newest("c"), scalars.sample("c", 24)) == (None, None, [])
        assert scalars.begins("c") == (0, 0)
        assert scalars.names(2) == ["a", "b"]


def test_a_row_of_another_length_is_damage_also_where_rows_are_read_whole(folder):
    of_run = RunWriter(folder)
    of_run.append(StepRecord(0, [("loss", 0.5)], [], []))
    of_run.close()
    with schema.writer(folder / FILE_NAME) as connection:
        connection.execute("UPDATE scalar SET data = x'0000'")
    with opened(folder) as connection, schema.one_moment(connection):
        for still in (False, True):
            for ask in (lambda found: found.newest("loss"), lambda found: found.sample("loss", 24)):
                with pytest.raises(rows.DamagedError, match=r"scalar.data"):
                    ask(scalars_of(connection, still=still))


def test_a_layout_without_names_is_damage_before_anything_is_read(folder):
    of_run = RunWriter(folder)
    of_run.append(StepRecord(0, [("loss", 0.5)], [], []))
    of_run.close()
    with schema.writer(folder / FILE_NAME) as connection:
        connection.execute("INSERT INTO scalar VALUES (1000, 1, 7, x'00000000')")
    for still in (False, True):
        with opened(folder) as connection, pytest.raises(rows.DamagedError, match=r"there is no layout 7"):
            scalars_of(connection, still=still).newest("loss")


def test_rows_that_are_long_or_many_are_not_held(folder, monkeypatch):
    of_run = RunWriter(folder)
    for step in range(6):
        of_run.append(StepRecord(step, [("loss", 0.5)], [], []))
    of_run.close()
    with opened(folder) as connection:
        assert held_scalars.held_scalars(connection, {1: layouts.RowLayout(1, ("loss",), "f")}) is not None
        monkeypatch.setattr(held_scalars, "MOST_BYTES", 23)
        assert held_scalars.held_scalars(connection, {}) is None
