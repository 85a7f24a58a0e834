"""The tables of a run file, by the version of the file: a later version keeps what it does not name as before."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

_RUN = {
    1: """
CREATE TABLE run (
  id TEXT NOT NULL, name TEXT NOT NULL, preset TEXT NOT NULL, experiment TEXT NOT NULL, seed INTEGER NOT NULL,
  revision TEXT NOT NULL, versions TEXT NOT NULL, device TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER,
  status TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', steps INTEGER NOT NULL, step INTEGER NOT NULL DEFAULT 0,
  seconds REAL NOT NULL DEFAULT 0, created REAL NOT NULL, heartbeat REAL NOT NULL
);
""",
    3: """
CREATE TABLE run (
  id TEXT NOT NULL, name TEXT NOT NULL, preset TEXT NOT NULL, experiment TEXT NOT NULL, seed INTEGER NOT NULL,
  revision TEXT NOT NULL, versions TEXT NOT NULL, device TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER,
  status TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', steps INTEGER, step INTEGER NOT NULL DEFAULT 0,
  seconds REAL NOT NULL DEFAULT 0, created REAL NOT NULL, heartbeat REAL NOT NULL,
  trainer TEXT NOT NULL DEFAULT 'engine', can TEXT NOT NULL DEFAULT '["pause","stop","resume","reduce","new"]'
);
""",
}
# The index of version 1 holds the scalars whole: a long curve is one stretch of it, not a place in the table for each
# point. That of version 2 is of some bytes a row: it leads to the rows of a layout in the order of their numbers.
_SCALARS = {
    1: """
CREATE TABLE scalar (seq INTEGER PRIMARY KEY, step INTEGER NOT NULL, name TEXT NOT NULL, value REAL);
CREATE INDEX scalar_curve ON scalar (name, seq, step, value);
""",
    2: """
CREATE TABLE layout (id INTEGER PRIMARY KEY, names TEXT NOT NULL, kinds TEXT NOT NULL);
CREATE TABLE scalar (seq INTEGER PRIMARY KEY, step INTEGER NOT NULL, layout INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX scalar_layout ON scalar (layout);
""",
    5: """
CREATE TABLE layout (id INTEGER PRIMARY KEY, names TEXT NOT NULL, kinds TEXT NOT NULL, checksum BLOB NOT NULL);
CREATE TABLE scalar (seq INTEGER PRIMARY KEY, step INTEGER NOT NULL, layout INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX scalar_layout ON scalar (layout);
""",
}
_FRAMES = {
    1: """
CREATE TABLE frame (
  seq INTEGER PRIMARY KEY, step INTEGER NOT NULL, kind TEXT NOT NULL, layer TEXT NOT NULL, key INTEGER NOT NULL,
  blob BLOB NOT NULL
);
CREATE INDEX frame_place ON frame (kind, layer, step);
""",
    4: """
CREATE TABLE place (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, layer TEXT NOT NULL);
CREATE TABLE frame (
  seq INTEGER PRIMARY KEY, step INTEGER NOT NULL, place INTEGER NOT NULL, key INTEGER NOT NULL, blob BLOB NOT NULL
);
CREATE INDEX frame_place ON frame (place, step);
""",
    5: """
CREATE TABLE place (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, layer TEXT NOT NULL, checksum BLOB NOT NULL);
CREATE TABLE frame (
  seq INTEGER PRIMARY KEY, step INTEGER NOT NULL, place INTEGER NOT NULL, key INTEGER NOT NULL, blob BLOB NOT NULL
);
CREATE INDEX frame_place ON frame (place, step);
""",
}
_OTHERS = """
CREATE TABLE event (
  seq INTEGER PRIMARY KEY, step INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, time REAL NOT NULL
);
CREATE TABLE command (
  id INTEGER PRIMARY KEY, verb TEXT NOT NULL, argument TEXT NOT NULL, sent_at REAL NOT NULL, taken_at REAL
);
"""
_OF_ALL = frozenset({"run", "scalar", "frame", "event", "command"})
_NAMES = {1: _OF_ALL, 2: _OF_ALL | {"layout"}, 4: _OF_ALL | {"layout", "place"}}


def tables(version: int) -> str:
    """The statements that make the tables of an empty file."""
    return _of(_RUN, version) + _of(_SCALARS, version) + _of(_FRAMES, version) + _OTHERS


@functools.cache
def needed(version: int) -> frozenset[str]:
    """Tables without which a file is none of that version."""
    return _of(_NAMES, version)


def _of(what: Mapping[int, T], version: int) -> T:
    return what[max(number for number in what if number <= version)]
