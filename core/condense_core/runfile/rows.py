"""Rows of a run file as typed values: the one place where what SQLite hands out is believed, or not.

SQLite keeps any kind of value in any column, and a file may come from anywhere. A row type below names the columns of a
query in their order and what may stand in each; a value that may not is an error that names table, column and value.
"""

from __future__ import annotations

import functools
import operator
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

from condense_core import typed
from condense_core.runfile.schema import NEWEST_SEQ
from condense_core.validation import in_words

# A scenario has at most 10^9 steps; beyond this bound a step is damage, and would be no whole number as a float.
LARGEST_STEP = 10**12
# The end of the year 9891, which is about the last that calendars know.
LATEST = 250_000_000_000.0
# One frame after decompression: a 256×256 matrix in float64 with room for a long spectrum; a bound on hostile files.
LARGEST_FRAME = 4 * 1024 * 1024
# Compressed, it is at most so much larger, of noise that cannot be compressed.
LARGEST_BLOB = LARGEST_FRAME + 64 * 1024
# Characters of a name, of a scalar, a layer or a kind.
LONGEST_NAME = 200
# Rows that are taken out of SQLite at a time where there may be a million.
CHUNK = 10_000

Seq = Annotated[int, Meta(ge=0, lt=2**62)]
Step = Annotated[int, Meta(ge=0, le=LARGEST_STEP)]
Name = Annotated[str, Meta(max_length=LONGEST_NAME)]
Moment = Annotated[float, Meta(ge=0, le=LATEST)]
Blob = Annotated[bytes, Meta(max_length=LARGEST_BLOB)]

R = TypeVar("R")
T = TypeVar("T")


class Numbered(NamedTuple):
    """Of any table: the number of a row; none where there is no row."""

    seq: Seq | None


class RowPlace(NamedTuple):
    """Of any table: where a row stands."""

    seq: Seq
    step: Step


class Stepped(NamedTuple):
    """Of any table: of which step a row is."""

    step: Step


class Length(NamedTuple):
    """Of `frame`: how long a blob is."""

    length: Seq


class Named(NamedTuple):
    """Of any table: a name."""

    name: Name


class Point(NamedTuple):
    """Of `scalar`: a row of one curve; no value for NaN, which SQLite cannot hold."""

    seq: Seq
    step: Step
    value: float | None


class Stretch(NamedTuple):
    """Part of a curve, in order: its points, and the number of the row of the last."""

    seq: int
    steps: Sequence[int]
    values: Sequence[float]


class ScalarRow(NamedTuple):
    """Scalars under one sequence number, whatever way a file keeps them: their names, and as many values."""

    seq: int
    step: int
    names: tuple[str, ...]
    values: tuple[float, ...]


class Event(NamedTuple):
    """A row of `event`: something that happened at a step: started, initial-stage-ended, condensed, checkpoint, …"""

    seq: Seq
    step: Step
    kind: Name
    text: str
    time: Moment


class StoredFrame(NamedTuple):
    """A row of `frame`; `key` as SQLite has it, not 0 for a frame that needs none before it."""

    seq: Seq
    step: Step
    kind: Name
    layer: Name
    key: int
    blob: Blob


class FrameAt(NamedTuple):
    """Of `frame`: a recorded frame and where it stands."""

    seq: Seq
    step: Step
    key: int
    blob: Blob


class DamagedError(ValueError):
    """A value that cannot stand where it was found."""


def rows(cursor: sqlite3.Cursor, row: type[R], table: str) -> list[R]:
    """All rows of a query; DamagedError where one is not as its type says."""
    return _typed(cursor.fetchall(), row, table)


def one(cursor: sqlite3.Cursor, row: type[R], table: str) -> R | None:
    """The first row of a query, None where there is none."""
    found = cursor.fetchone()
    return None if found is None else _typed([found], row, table)[0]


def checked(values: tuple[Any, ...], row: type[R], table: str) -> R:
    """One row that was taken out already; DamagedError where it is not as its type says."""
    return _typed([values], row, table)[0]


def all_checked(found: list[tuple[Any, ...]], row: type[R], table: str) -> list[R]:
    """Rows that were taken out already; DamagedError where one is not as its type says."""
    return _typed(found, row, table)


def checked_tuples(found: list[tuple[Any, ...]], row: type[Any], table: str) -> list[tuple[Any, ...]]:
    """`all_checked`, each a plain tuple, which takes a third of the time."""
    plain: Any = _plain(row)  # type: ignore[arg-type] # a type is hashable
    try:
        checked: list[tuple[Any, ...]] = typed.convert_known((found,), plain).rows
    except msgspec.ValidationError:
        # for the words of the error
        _typed(found, row, table)
        raise
    return checked


def chunks(cursor: sqlite3.Cursor, row: type[R], table: str) -> Iterator[list[R]]:
    """Many rows, by their numbers, CHUNK at a time.

    Numbers that do not rise are damage: a page of the file that stands in two places, by which a few kilobytes would be
    an endless table.
    """
    for found in _rising(cursor, row, table):
        yield _typed(found, row, table)


def columns(cursor: sqlite3.Cursor, row: type[R], table: str, size: int = CHUNK) -> Iterator[list[tuple[Any, ...]]]:
    """`chunks`, of `size` rows, each as a tuple for each column: of a hundred thousand rows a value each takes a third
    of the time."""
    for found in _rising(cursor, row, table, size):
        checked_tuples(found, row, table)
        yield list(zip(*found, strict=True))


def each(cursor: sqlite3.Cursor, row: type[R], table: str) -> Iterator[R]:
    """Rows one by one, taken out of SQLite as they are asked for."""
    for values in cursor:
        yield from _typed([values], row, table)


def newest(connection: sqlite3.Connection) -> int:
    """The highest sequence number in the file; 0 in an empty one."""
    found = one(connection.execute(NEWEST_SEQ), Numbered, "scalar, frame and event")
    return (found and found.seq) or 0


def number(value: float | None) -> float:
    """A value as it was measured: SQLite keeps NaN as NULL."""
    return float("nan") if value is None else value


def converted(values: dict[str, Any], kind: type[T], table: str) -> T:
    """A whole row by its columns; DamagedError where one is not as the type says."""
    try:
        return typed.convert(values, kind)
    except msgspec.ValidationError as error:
        raise DamagedError(f"{table}.{in_words(str(error), values)}") from None


@functools.cache
def _plain(row: type[Any]) -> Any:
    """A list of tuples of what stands in a row of that type, in a struct: what that is made of msgspec finds once, and
    of a list anew each time."""
    values: Any = list[tuple[tuple(get_type_hints(row, include_extras=True).values())]]  # type: ignore[misc]
    return typed.taken_apart(msgspec.defstruct("Rows", [("rows", values)], array_like=True, gc=False))


def _rising(cursor: sqlite3.Cursor, row: type[Any], table: str, size: int = CHUNK) -> Iterator[list[tuple[Any, ...]]]:
    last = -1
    while found := cursor.fetchmany(size):
        seqs = [values[0] for values in found]
        try:
            rising = all(map(operator.lt, [last, *seqs], seqs))
        except TypeError:
            rising = False
        if not rising:
            # what is no number has an error of its own
            _typed(found, row, table)
            raise DamagedError(f"{table}: row numbers that do not increase")
        last = seqs[-1]
        yield found


def _typed(found: list[tuple[Any, ...]], row: type[R], table: str) -> list[R]:
    try:
        return typed.convert(found, list[row])  # type: ignore[valid-type]
    except msgspec.ValidationError:
        pass
    # once more, for the one that is damaged
    for values in found:
        try:
            typed.convert(values, row)
        except msgspec.ValidationError as error:
            raise _damage(error, table, row._fields, values) from None  # type: ignore[attr-defined]
    raise DamagedError(f"{table}: a damaged row")


def _damage(error: Exception, table: str, columns: Sequence[str], values: Sequence[Any]) -> DamagedError:
    """The error of a row, with its column in place of the number under which msgspec knows it."""
    place, colon, words = in_words(str(error), values).partition(": ")
    if not (colon and place.isdecimal() and int(place) < len(columns)):
        return DamagedError(f"{table}: {place}{colon}{words}")
    return DamagedError(f"{table}.{columns[int(place)]}: {words}")
