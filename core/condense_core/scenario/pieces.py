"""Reading a scenario's text for a list, in which a thousand runs differ in a line each: piece by piece, and the pieces
that others have too are read once.

A piece is one top-level setting, or one table with those inside it. Pieces that are TOML each by itself and name
nothing twice are together what the whole text is: a string or a list that goes on into the next piece is no TOML by
itself. Whatever else a text is, `in_pieces` says that it has to be read whole. All tables together are kept too: runs
that differ in their seeds have the same.
"""

from __future__ import annotations

import functools
import itertools
import operator
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from condense_core.foreign import toml_table

# Where a top-level setting begins, and where a table does; and the first name of a table.
_SETTING = re.compile(r"^(?=[\w-]+ *=)", re.MULTILINE)
_TABLE = re.compile(r"^(?=\[)", re.MULTILINE)
_NAME = re.compile(r"\[\[?([\w-]+)")
# Levels of tables and lists in a scenario: claim.requires and data.terms have four.
DEEPEST = 16
# A whole number by itself, as a seed, which every other run may have another of.
_WHOLE = re.compile(r"([A-Za-z0-9_-]+) = (0|[1-9][0-9]{0,17})\n")
# Characters of a piece that is kept, and how many are: a megabyte. And those of all tables of a text together.
LONGEST_PIECE, MOST_PIECES = 2_000, 512
LONGEST_TABLES, MOST_TABLES = 8_000, 128


def in_pieces(text: str) -> Mapping[str, Any] | None:
    """The tables of a text, for whoever changes nothing in them; None for one that has to be read whole, which may be
    no TOML, or nested too deeply."""
    begin = 0 if text.startswith("[") else text.find("\n[") + 1 or len(text)
    top, tables = text[:begin], text[begin:]
    try:
        settings = _together(map(_setting, _SETTING.split(top)))
        of_tables = _kept_tables(tables) if len(tables) <= LONGEST_TABLES else _tables(tables)
        return None if not settings.keys().isdisjoint(of_tables) else settings | of_tables
    except (ValueError, RecursionError):
        # whoever reads all of it says what is wrong, if anything is
        return None


def _together(pieces: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What several pieces say; ValueError where one names what another has."""
    found: dict[str, Any] = {}
    for read in pieces:
        if not found.keys().isdisjoint(read):
            raise ValueError
        found |= read
    return found


def _setting(piece: str) -> Mapping[str, Any]:
    whole = _WHOLE.fullmatch(piece)
    return {whole[1]: int(whole[2])} if whole is not None else _piece(piece)


def _tables(text: str) -> dict[str, Any]:
    tables = _TABLE.split(text)
    groups = itertools.groupby(_named(tables), key=operator.itemgetter(0))
    return _together(_piece("".join(table for _, table in group)) for _, group in groups)


def _piece(piece: str) -> dict[str, Any]:
    return _kept(piece) if len(piece) <= LONGEST_PIECE else _read(piece)


def _read(piece: str) -> dict[str, Any]:
    table = toml_table(piece)
    if is_too_deep(table):
        raise ValueError
    return table


_kept = functools.lru_cache(MOST_PIECES)(_read)
_kept_tables = functools.lru_cache(MOST_TABLES)(_tables)


def is_too_deep(table: Mapping[str, Any]) -> bool:
    """Whether tables are nested deeper than those of any scenario, before anything walks them by recursion."""
    level: list[Any] = [table]
    for _ in range(DEEPEST):
        level = [item for value in level for item in (value.values() if isinstance(value, dict) else value)]
        level = [item for item in level if isinstance(item, dict | list)]
    return bool(level)


def _named(tables: list[str]) -> Iterator[tuple[str, str]]:
    """Tables with the first part of their names."""
    first = ""
    for table in tables:
        name = _NAME.match(table)
        # one with quotes in its name goes with the one before
        first = first if name is None else name[1]
        yield first, table
