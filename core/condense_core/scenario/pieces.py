"""Reading a scenario's text for a list, in which a thousand runs differ in a line each: piece by piece, and the pieces
that others have too are read once.

A piece is one top-level setting, or one table with those inside it. Pieces that are TOML each by itself and name
nothing twice are together what the whole text is: a string or a list that goes on into the next piece is no TOML by
itself. Whatever else a text is, `in_pieces` says that it has to be read whole.
"""

from __future__ import annotations

import functools
import itertools
import operator
import re
from collections.abc import Iterator, Mapping
from typing import Any

from condense_core.foreign import toml_table

# Where a top-level setting begins, and where a table does; and the first name of a table.
_SETTING = re.compile(r"^(?=[\w-]+ *=)", re.MULTILINE)
_TABLE = re.compile(r"^(?=\[)", re.MULTILINE)
_NAME = re.compile(r"\[\[?([\w-]+)")
# Levels of tables and lists in a scenario: claim.requires and data.terms have four.
DEEPEST = 16
# Characters of a piece that is kept, and how many are: a megabyte.
LONGEST_PIECE, MOST_PIECES = 2_000, 512


def in_pieces(text: str) -> Mapping[str, Any] | None:
    """The tables of a text, for whoever changes nothing in them; None for one that has to be read whole, which may be
    no TOML, or nested too deeply."""
    found: dict[str, Any] = {}
    try:
        for piece in _pieces(text):
            read = _kept(piece) if len(piece) <= LONGEST_PIECE else _read(piece)
            if not found.keys().isdisjoint(read):
                return None
            found |= read
    except (ValueError, RecursionError):
        # whoever reads all of it says what is wrong, if anything is
        return None
    return found


def _read(piece: str) -> dict[str, Any]:
    table = toml_table(piece)
    if is_too_deep(table):
        raise ValueError
    return table


_kept = functools.lru_cache(MOST_PIECES)(_read)


def is_too_deep(table: Mapping[str, Any]) -> bool:
    """Whether tables are nested deeper than those of any scenario, before anything walks them by recursion."""
    level: list[Any] = [table]
    for _ in range(DEEPEST):
        level = [item for value in level for item in (value.values() if isinstance(value, dict) else value)]
        level = [item for item in level if isinstance(item, dict | list)]
    return bool(level)


def _pieces(text: str) -> Iterator[str]:
    top, *tables = _TABLE.split(text)
    yield from _SETTING.split(top)
    for _, group in itertools.groupby(_named(tables), key=operator.itemgetter(0)):
        yield "".join(table for _, table in group)


def _named(tables: list[str]) -> Iterator[tuple[str, str]]:
    """Tables with the first part of their names."""
    first = ""
    for table in tables:
        name = _NAME.match(table)
        # one with quotes in its name goes with the one before
        first = first if name is None else name[1]
        yield first, table
