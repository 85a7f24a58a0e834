"""Whether a run file is whole: all of it is read, once."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from condense_core.errors import RunFileError
from condense_core.runfile import stacks
from condense_core.runfile.checksums import CHECKSUMS_SINCE
from condense_core.runfile.frame_table import LOST, FrameTable
from condense_core.runfile.reader import MOST_CURVES, RunReader
from condense_core.runfile.scalars import scalars_of
from condense_core.runfile.schema import FILE_NAME, open_reader, reading, version_of
from condense_core.runfile.tables import needed, tables
from condense_core.text import printable

# Of a file that is damaged everywhere so much is said.
MOST_SAID = 100
_ROWS = "SELECT (SELECT count(*) FROM scalar) + (SELECT count(*) FROM frame) + (SELECT count(*) FROM event)"


class FileCheck(NamedTuple):
    """What was found of a run file: `damage` in words, a line each, none where it is whole. Where the format has no
    checksums, a value is as good as any other."""

    format: int
    has_checksums: bool
    rows: int
    damage: tuple[str, ...]


def check(place: Path) -> FileCheck:
    """Read all of a run in a folder, or of a run file by itself. RunFileError where nothing can be read of it."""
    file = place / FILE_NAME if place.is_dir() else place
    with contextlib.closing(open_reader(file, alone=not place.is_dir())) as connection:
        with reading(file):
            format_ = version_of(connection)
            (rows,) = connection.execute(_ROWS).fetchone()
        parts = (_tables(connection), _frames(connection), _scalars(connection), _others(place))
        damage = [line for part in parts for line in _said(file, part)]
    return FileCheck(format_, format_ >= CHECKSUMS_SINCE, rows, tuple(dict.fromkeys(damage)))


def _said(file: Path, part: Iterator[str]) -> list[str]:
    """What a part says, and why it cannot be read any further."""
    found: list[str] = []
    try:
        with reading(file):
            found += islice(part, MOST_SAID)
    except RunFileError as error:
        found.append(str(error))
    return found


def _tables(connection: sqlite3.Connection) -> Iterator[str]:
    """Pages, trees and indices, by SQLite's own check; what SQLite believes as it is written there, by a new file."""
    version = version_of(connection)
    with contextlib.closing(sqlite3.connect(":memory:")) as new:
        new.executescript(tables(version))
        yield from (
            f"its tables are damaged: {name} is not that of a run file"
            for name in sorted(needed(version))
            if _columns(connection, name) != _columns(new, name)
        )
    for (text,) in connection.execute(f"PRAGMA integrity_check({MOST_SAID})"):
        for line in str(text).split("\n"):
            if line not in {"ok", ""} and not line.startswith("***"):
                yield f"its tables are damaged: {printable(line[:200])}"


def _columns(connection: sqlite3.Connection, table: str) -> list[tuple[str, int]]:
    """Names of a table's columns, and whether each is the key: where none is, its rows seem to have no number."""
    return connection.execute("SELECT name, pk FROM pragma_table_info(?)", (table,)).fetchall()


def _frames(connection: sqlite3.Connection) -> Iterator[str]:
    for row in FrameTable(connection).rows(-1, 2**62):
        what = printable(
            f"{row.kind} of {row.layer} at step {row.step}" if row.layer else f"{row.kind} at step {row.step}"
        )
        if row.blob == LOST:
            yield f"{what}: wrong checksum"
            continue
        try:
            stacks.decode(row.blob)
        except RunFileError as error:
            yield f"{what}: {error}"


def _scalars(connection: sqlite3.Connection) -> Iterator[str]:
    scalars = scalars_of(connection)
    for name in scalars.names(MOST_CURVES):
        for _ in scalars.stretches(name, -1):
            pass
    yield from (f"scalars at step {step}: wrong checksum" for step in scalars.wrong.values())


def _others(place: Path) -> Iterator[str]:
    """The run's row, its scenario and its events, of which the reader says what is wrong."""
    with RunReader(place) as run:
        run.info()
        run.subject  # noqa: B018 - read for its error
        run.events  # noqa: B018 - likewise
    yield from ()
