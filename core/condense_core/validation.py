"""What is wrong with a value that was decoded, in words for the person who wrote it: the one place for msgspec's own
sentences, which name Python's types and put the path last."""

from __future__ import annotations

import re
from typing import Any

from condense_core.text import short

# What msgspec calls kinds of values, as a person would.
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bytes": "data",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "none",
}
_EXPECTED = re.compile(r"Expected `(?P<kinds>[^`]+)`(?: (?P<limit>[^,]+?))?(?:, got (?P<got>.+))?")
_LENGTH = re.compile(r"of (?:(?P<side>at least|at most) )?length(?: (?P<sign>[<>=]=))? (?P<count>\d+)")
_BOUND = re.compile(r"(?P<sign>[<>]=?) (?P<value>\S+)")
_SIDES = {"<": "below", "<=": "of at most", ">": "above", ">=": "of at least"}
_OF_LENGTH = {"text": "characters", "data": "bytes"}


def in_words(sentence: str, decoded: object = None) -> str:
    """msgspec's sentence with the path first: `steps: expected a whole number, got 1.5`.

    `decoded` is the whole of what was refused, as plain tables and lists, where that is at hand: what stands at the
    path is then shown as it was written. A check of our own, which begins with the name of a field, gets the path
    around it.

    >>> in_words("Expected `int | null`, got `str` - at `$.layers[0].width`", {"layers": [{"width": "wide"}]})
    "layers.0.width: expected a whole number or none, got 'wide'"
    >>> in_words("Expected `str` of length <= 80 - at `$.name`")
    'name: expected text of at most 80 characters'
    >>> in_words("Object missing required field `steps`")
    'steps: missing'
    """
    text, _, where = sentence.partition(" - at `$")
    # of a table with names of the user's own, msgspec names none of them
    path = where.rstrip("`").replace("[...]", ".*").replace("[", ".").replace("]", "").strip(".")
    if found := re.fullmatch(r"Object (missing required|contains unknown) field `(.+)`", text):
        return f"{_dotted(path, found[2])}: {found[1].split()[0].replace('contains', 'unknown')}"
    if found := re.fullmatch(r"Invalid (?:enum )?value (.+)", text):
        return _at(path, f"unknown {found[1]}")
    if found := _EXPECTED.fullmatch(text):
        *kinds, last = [_KINDS.get(kind, kind) for kind in found["kinds"].split(" | ")]
        expected = f"{', '.join(kinds)} or {last}" if kinds else last
        got = _got(found["got"], decoded, path)
        return _at(path, f"expected {expected}{_limit(found['limit'], [*kinds, last][0])}{got}")
    text = text.replace("`", "")
    head, colon, rest = text.partition(": ")
    if colon and head.replace("_", "").replace(", ", "").replace(".", "").isalnum():
        return f"{_dotted(path, head)}: {rest}"
    return _at(path, text if not path else f"{text[:1].lower()}{text[1:]}")


def as_written(value: object, most: int = 60) -> str:
    """`value` as it stands in TOML, of a long one its beginning: `true`, `none`, `[1, 2]`."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else short(_listed(value), most)


def _listed(value: object, deep: int = 4) -> object:
    """Tuples as lists, which TOML has."""
    if deep and isinstance(value, list | tuple):
        return [_listed(item, deep - 1) for item in value]
    return value


def _at(path: str, text: str) -> str:
    return f"{path}: {text}" if path else text


def _dotted(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _limit(limit: str | None, kind: str) -> str:
    if limit is None:
        return ""
    if found := _LENGTH.fullmatch(limit):
        noun = _OF_LENGTH.get(kind, "items")
        side = found["side"] or {"<=": "at most", ">=": "at least"}.get(found["sign"] or "", "")
        return f" of {side} ".replace("  ", " ") + f"{found['count']} {noun[:-1] if found['count'] == '1' else noun}"
    if found := _BOUND.fullmatch(limit):
        return f" {_SIDES[found['sign']]} {found['value']}"
    return f" {limit}"


def _got(got: str | None, decoded: object, path: str) -> str:
    try:
        return f", got {as_written(_value_at(decoded, path))}"
    except (KeyError, IndexError, TypeError, ValueError):
        # what was refused is not at hand: its kind has to do
        return "" if got is None else f", got {_KINDS.get(got.strip('`'), got.strip('`'))}"


def _value_at(decoded: Any, path: str) -> object:
    if decoded is None:
        raise KeyError(path)
    for part in path.split(".") if path else ():
        decoded = decoded[int(part) if isinstance(decoded, list | tuple) else part]
    return decoded
