"""Queries over runs: `status:done tag:x lines>2 lr<1e-3 -name~foo age<2d`, and plain words, of which all must fit.

Parsed here and nowhere else; docs/RUNS.md tells people the rules. Every mistake is one line that names the word.
"""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from condense_core.errors import ScenarioError, nearest
from condense_core.runs.row import RunField, RunRow, field_named, field_names
from condense_core.text import short

# Characters of a query, and terms in it: what a person types by hand.
LONGEST, MOST_TERMS = 1_000, 40
_WORD = re.compile(r'(?:"[^"]*"?|[^\s"])+')
_TERM = re.compile(r"([A-Za-z_][\w.*]*)(<=|>=|!=|<|>|:|=|~)(.*)", re.DOTALL)
_ORDERED: dict[str, Callable[[float, float], bool]] = {
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d|w)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


@dataclass(frozen=True)
class QueryTerm:
    """One word of a query: what it asks for, and whether that must not be. A plain word has no field."""

    field: str
    negated: bool
    fits: Callable[[RunRow], bool]


@dataclass(frozen=True)
class Query:
    """What all of a list's runs fit. Archived ones do only where the query says something of `archived`."""

    terms: tuple[QueryTerm, ...] = ()
    words: tuple[str, ...] = ()
    """The plain words, in lower case."""

    @property
    def fields(self) -> frozenset[str]:
        """Fields of runs that it asks for."""
        return frozenset(term.field for term in self.terms if term.field)

    def matches(self, row: RunRow) -> bool:
        """Whether the run fits."""
        if row.glance.about.archived and "archived" not in self.fields:
            return False
        return all(term.fits(row) != term.negated for term in self.terms)


def is_query(words: Sequence[str]) -> bool:
    """Whether these are words of a query, and not ids of runs."""
    return any(word == "NOT" or _TERM.fullmatch(word.removeprefix("-")) for word in words)


def parse_query(text: str) -> Query:
    """The query in a text; ScenarioError in one line for what is none."""
    if len(text) > LONGEST:
        raise ScenarioError(f"a query has up to {LONGEST:,} characters, and this one {len(text):,}")
    found = _WORD.findall(text)
    if len(found) > MOST_TERMS:
        raise ScenarioError(f"a query has up to {MOST_TERMS} words, and this one {len(found)}")
    terms: list[QueryTerm] = []
    words: list[str] = []
    negate = False
    for word in found:
        if word == "NOT":
            negate = not negate
            continue
        if word in {"AND", "OR"}:
            raise ScenarioError(f"query: {word} is no word of it; all words must fit, and status:done,failed is either")
        bare = word.removeprefix("-") if len(word) > 1 else word
        negated, negate = negate != (bare != word), False
        match = _TERM.fullmatch(bare)
        if match is None:
            plain = bare.replace('"', "").lower()
            terms.append(QueryTerm("", negated, lambda row, plain=plain: plain in _text(row)))  # type: ignore[misc]
            words += [] if negated else [plain]
            continue
        name, sign, value = match[1].lower(), match[2], match[3].replace('"', "")
        fits = _fits(word, name, sign, value)
        terms.append(QueryTerm(name, negated != (sign == "!="), fits))
    if negate:
        raise ScenarioError("query: NOT stands at the end; expected a word behind it, such as NOT tag:x")
    return Query(tuple(terms), tuple(words))


def _fits(word: str, name: str, sign: str, value: str) -> Callable[[RunRow], bool]:
    """Whether one of a run's values is as the term says; ScenarioError where it says nothing."""
    found = field_named(name)
    if found is None:
        raise ScenarioError(f"query: {short(word)}: unknown field {short(name)}; {nearest(name, field_names())}")
    if not value:
        of = f"one of {', '.join(found.choices)}" if found.choices else "a value"
        raise ScenarioError(f"query: {short(word)}: expected {of} behind {sign}")
    if sign == "~":
        wanted = value.lower()
        return lambda row: any(wanted in str(each).lower() for each in found.values(row))
    if sign in _ORDERED:
        return _ordered(word, found, sign, value)
    options = [_one(word, found, part.strip()) for part in value.split(",") if part.strip()]
    return lambda row: any(option(each) for each in found.values(row) for option in options)


def _ordered(word: str, found: RunField, sign: str, value: str) -> Callable[[RunRow], bool]:
    if found.kind not in {"number", "age", "setting"}:
        raise ScenarioError(f"query: {short(word)}: no order; expected {found.name}:… or {found.name}~…")
    limit, holds = _number(word, found, value), _ORDERED[sign]
    return lambda row: any(holds(each, limit) for each in found.values(row) if _is_number(each))


def _one(word: str, found: RunField, value: str) -> Callable[[Any], bool]:
    """Whether a value is the one that was typed."""
    if found.kind == "choice":
        if value.lower() not in found.choices:
            raise ScenarioError(f"query: {short(word)}: unknown {short(value)}; {nearest(value, found.choices)}")
        return lambda each: each == value.lower()
    if found.kind == "age":
        raise ScenarioError(f"query: {short(word)}: an age is never exact; expected age<{value} or age>{value}")
    if found.kind == "number":
        number = _number(word, found, value)
        return lambda each: math.isclose(each, number, rel_tol=1e-9)
    pattern = value.lower()
    typed = _as_number(value)
    if found.kind == "setting" and typed is not None:
        return lambda each: _is_number(each) and math.isclose(each, typed, rel_tol=1e-9)
    return lambda each: fnmatch.fnmatchcase(_written(each), pattern)


def _number(word: str, found: RunField, value: str) -> float:
    if found.kind == "age":
        match = _DURATION.fullmatch(value)
        if match is None:
            raise ScenarioError(f"query: {short(word)}: {short(value)} is no time; expected 30s, 10m, 5h, 2d or 3w")
        return float(match[1]) * _SECONDS[match[2]]
    number = _as_number(value)
    if number is None:
        raise ScenarioError(f"query: {short(word)}: {short(value)} is no number; expected {found.name}<0.1 or the like")
    return number


def _as_number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _written(value: Any) -> str:
    return str(value).lower()


def _text(row: RunRow) -> str:
    """What plain words are looked for in."""
    glance, info = row.glance, row.glance.info
    if info is None:
        return f"{glance.folder.name} unreadable".lower()
    about = glance.about
    host = row.where if info.mirror is None else info.mirror.host
    parts = (info.id, info.name, info.preset, info.status, info.host, host, glance.label, about.note, about.sweep)
    return " ".join((*parts, *about.tags)).lower()
