"""A damaged or hostile run file is read, or refused in one line, wherever it is wrong: never anything else."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from pathlib import Path
from random import Random

import pytest
from damage import (
    COLUMNS,
    PAGE,
    VALUES,
    any_byte,
    any_values_allowed,
    bytes_changed,
    look_at_everything,
    look_quickly,
    refused,
    served,
)
from recording import Recording

from condense_core.errors import RunFileError
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, VERSION

BYTES_OF_PAGE_1 = 3_000
BYTES_AMONG_SCALARS = 300
DAMAGES_ANYWHERE = 150
# A single row of `frame`.
ONE = "WHERE place = (SELECT id FROM place WHERE kind = 'similarity' AND layer = 'conv1') AND step = 4000"
# A damaged file must not take longer than a good one by orders of magnitude; far more than any takes on a busy machine.
PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run, one of several seeds, and one of the first format: closed, so that each is one file."""
    root = tmp_path_factory.mktemp("originals")
    found = {}
    for name, members, format_ in (("one", 1, VERSION), ("several", 3, VERSION), ("old", 1, 1)):
        recording = Recording(root / name, frames=4, kernels=(6, 4), members=members, format_=format_)
        recording.write()
        recording.finish()
        recording.close()
        found[name] = recording.folder
    return found


@pytest.fixture
def folder(originals: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals["one"], tmp_path / originals["one"].name))


def change(folder: Path, statement: str, *values: object) -> None:
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.execute(statement, values)
        connection.commit()


@pytest.mark.parametrize("name", ["one", "old"])
def test_one_wrong_byte_on_the_first_page_is_refused_or_read(originals, tmp_path, name):
    folder = Path(shutil.copytree(originals[name], tmp_path / "run"))
    file = folder / FILE_NAME
    first = file.read_bytes()[:PAGE]
    draw, refusals = Random(1), 0
    count = BYTES_OF_PAGE_1 if name == "one" else BYTES_OF_PAGE_1 // 5
    for _ in range(count):
        at = draw.randrange(PAGE)
        with bytes_changed(file, {at: any_byte(draw, first[at])}):
            refusals += look_quickly(folder)
    assert file.read_bytes()[:PAGE] == first
    assert not look_quickly(folder)
    # most of the page is free, and a byte there means nothing
    assert count / 20 < refusals < count / 2


def test_one_wrong_byte_among_the_scalars_is_refused_or_read(folder):
    """Layouts, packed rows and their index: the pages that hold them, and every byte as likely."""
    file = folder / FILE_NAME
    content = file.read_bytes()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE tbl_name IN ('layout', 'scalar')"
        pages = [page for (page,) in connection.execute(query)]
    assert len(pages) == 3
    used = [at for page in pages for at in range((page - 1) * PAGE, page * PAGE) if content[at]]
    draw, refusals = Random(3), 0
    for _ in range(BYTES_AMONG_SCALARS):
        at = draw.choice(used)
        with bytes_changed(file, {at: any_byte(draw, content[at])}):
            refusals += refused(lambda: read_scalars(folder))
    assert not refused(lambda: read_scalars(folder))
    # what is computed from them, and a copy, are refused wherever the byte means anything
    assert refusals > 0.9 * BYTES_AMONG_SCALARS


def read_scalars(folder: Path) -> None:
    with RunReader(folder) as run:
        for name in run.curve_names:
            run.curve(name)
            run.newest(name)
    served(folder)


@pytest.mark.parametrize("name", ["one", "several", "old"])
def test_wrong_bytes_anywhere_are_refused_or_read(originals, tmp_path, name):
    folder = Path(shutil.copytree(originals[name], tmp_path / "run"))
    file = folder / FILE_NAME
    content = file.read_bytes()
    draw, refusals = Random(2), 0
    for _ in range(DAMAGES_ANYWHERE):
        places = [draw.randrange(len(content)) for _ in range(draw.choice((1, 2, 16)))]
        begun = time.monotonic()
        with bytes_changed(file, {at: any_byte(draw, content[at]) for at in places}):
            refusals += look_at_everything(folder) > 0
        assert time.monotonic() - begun < PATIENCE_S
    assert look_at_everything(folder) == 0
    assert refusals > DAMAGES_ANYWHERE / 10


@pytest.mark.parametrize("page", range(1, 6))
def test_a_page_that_stands_in_two_places_is_no_endless_table(folder, page):
    file = folder / FILE_NAME
    content = file.read_bytes()
    for other in range(1, len(content) // PAGE):
        if other != page:
            changed = bytearray(content)
            changed[page * PAGE : (page + 1) * PAGE] = content[other * PAGE : (other + 1) * PAGE]
            file.write_bytes(changed)
            look_at_everything(folder)


@pytest.mark.parametrize(("table", "column"), [(table, column) for table in COLUMNS for column in COLUMNS[table]])
def test_any_value_in_any_column_is_read_or_refused(folder, table, column):
    any_values_allowed(folder)
    whole = (folder / FILE_NAME).read_bytes()
    for value in VALUES:
        (folder / FILE_NAME).write_bytes(whole)
        change(folder, f"UPDATE {table} SET {column} = ?", value)
        look_at_everything(folder)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE scalar SET step = 1.5", "scalar.step: expected a whole number, got 1.5"),
        ("UPDATE scalar SET value = 'text'", "scalar.value: expected a number or none, got 'text'"),
        ("UPDATE scalar SET name = x'ff'", "scalar.name: expected text, got b'\\xff'"),
    ],
)
def test_an_error_in_a_file_of_the_first_format_says_the_same(originals, tmp_path, statement, message):
    folder = Path(shutil.copytree(originals["old"], tmp_path / "run"))
    change(folder, statement)
    with pytest.raises(RunFileError) as caught, RunReader(folder) as run:
        list(run.curve_names)
        run.curve("loss")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE event SET step = 'text'", "event.step: expected a whole number, got 'text'"),
        ("UPDATE event SET time = 9e999", "event.time: expected a number of at most 250000000000.0, got inf"),
        ("UPDATE event SET text = x'ff'", "event.text: expected text, got b'\\xff'"),
        ("UPDATE event SET text = CAST(x'ff' AS TEXT)", "Could not decode to UTF-8 column 'text'"),
        ("UPDATE event SET step = -1", "event.step: expected a whole number of at least 0, got -1"),
        ("UPDATE scalar SET step = 1.5", "scalar.step: expected a whole number, got 1.5"),
        ("UPDATE scalar SET data = 'text'", "scalar.data: expected data, got none"),
        ("UPDATE scalar SET data = zeroblob(9)", "scalar.data: expected data, got none"),
        ("UPDATE scalar SET layout = 99", "scalar.layout: there is no layout 99"),
        ("UPDATE scalar SET layout = 'text'", "scalar.layout: expected a whole number, got 'text'"),
        ("UPDATE layout SET kinds = 'x'", "layout.kinds: expected d or f for each of"),
        ("UPDATE layout SET names = '{'", "layout.names: "),
        ("UPDATE layout SET names = '[1]'", "layout.names: 0: expected text, got a whole number"),
        ("UPDATE layout SET names = '[]'", "layout.names: expected"),
        ("UPDATE layout SET names = printf('[\"%.300c\"]', 'x')", "layout.names: "),
        ("UPDATE layout SET id = 'text'", "layout.seq: "),
        (
            "UPDATE scalar SET step = 4611686018427387904",
            "scalar.step: expected a whole number of at most 10000",
        ),
        (f"UPDATE frame SET blob = zeroblob(5000000) {ONE}", "frame.blob: expected data of at most 4259840 bytes"),
        (f"UPDATE frame SET blob = zeroblob(9000000) {ONE}", "string or blob too big"),
        ("UPDATE place SET id = 'text'", "place.seq: "),
        ("UPDATE place SET layer = x'ff'", "place.layer: expected text, got b'\\xff'"),
        ("UPDATE place SET kind = printf('%.300c', 'x')", "place.kind: expected text of at most 200"),
        ("UPDATE run SET steps = 'many'", "run.steps: expected a whole number or none, got 'many'"),
        ("UPDATE run SET heartbeat = 9e999", "run.heartbeat: expected a number of at most 250000000000.0, got inf"),
        ("UPDATE run SET pid = -1", "run.pid: expected a whole number of at least 0, got -1"),
        ("UPDATE run SET status = 'owned'", "run.status: unknown 'owned'"),
        ("UPDATE run SET experiment = printf('%.600000c', 'x')", "run.experiment: expected text of at most 500000"),
        ("UPDATE run SET versions = '[[[[[[1'", "run.versions: "),
        ("DROP TABLE event", "is not a condense-tui run file"),
        ("ALTER TABLE event RENAME COLUMN step TO stop", "no such column: step"),
    ],
    ids=lambda value: value.removeprefix("UPDATE ") if " SET " in value or "TABLE" in value else "",
)
def test_an_error_names_table_column_and_what_stands_there(folder, statement, message):
    any_values_allowed(folder)
    change(folder, statement)
    with pytest.raises(RunFileError) as caught, RunReader(folder) as run:
        run.info()
        run.curve("loss")
        list(run.events)
        run.similarity("conv1")
    assert message in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_number_of_thousands_of_digits_in_a_scenario_is_one_line(folder):
    scenario = read_run(folder).experiment.replace("steps = 4000", f"steps = {'9' * 5000}")
    change(folder, "UPDATE run SET experiment = ?", scenario)
    assert not look_quickly(folder)
    with RunReader(folder) as run, pytest.raises(RunFileError, match="its scenario: a number of thousands of digits"):
        assert run.experiment


def test_a_table_that_a_module_of_sqlite_makes_up_is_none(folder):
    change(folder, "ALTER TABLE event RENAME TO kept")
    change(folder, "CREATE VIRTUAL TABLE event USING fts5(seq, step, kind, text, time)")
    assert refused(lambda: read_run(folder))
    change(folder, "DROP TABLE event")
    change(folder, "CREATE VIEW event AS SELECT * FROM kept")
    assert refused(lambda: read_run(folder))


def test_a_pipe_in_place_of_a_log_is_not_waited_for(folder):
    os.mkfifo(folder / "worker.log")
    change(folder, "UPDATE run SET status = 'running'")
    assert (read_run(folder).status, read_run(folder).reason) == ("lost", "")
