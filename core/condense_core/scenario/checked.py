"""What every part of a scenario is built from: immutable structs that check themselves."""

from __future__ import annotations

import math
import re

import msgspec

from condense_core.validation import as_written

# Characters of a refused value that are shown: a list of some steps or learning rates.
LONGEST_VALUE = 200
OWN_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Whole numbers without another bound: what PyTorch, SQLite and msgpack take.
MOST = 2**63


class Checked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every part of a scenario: immutable, keyword-only, unknown fields refused."""


def require(holds: bool, field: str, expected: str, value: object) -> None:
    """ValueError that quotes the value as it is written in the scenario."""
    if not holds:
        require_in_words(False, field, expected, as_written(value, LONGEST_VALUE))


def require_in_words(holds: bool, field: str, expected: str, got: str) -> None:
    """The same where what is wrong is not the field's own value, and is said in words."""
    if not holds:
        raise ValueError(f"{field}: expected {expected}, got {got}")


def positive(field: str, value: float) -> None:
    require(math.isfinite(value) and value > 0, field, "a finite number above 0", value)


def at_least(field: str, value: int, least: int) -> None:
    require(value >= least, field, f"{least} or more", value)
    require(value < MOST, field, "less than 2^63", value)


def check_own_name(field: str, value: str) -> None:
    """Refuse what no plugin can have: names of probes, activations and data sets of one's own."""
    require(bool(OWN_NAME.fullmatch(value)), field, "the name of your own, small letters, digits and _", value)


def check_path(field: str, value: str, expected: str) -> None:
    """Refuse what no file can be called, and a name in bytes that are no text, which TOML could not hold."""
    surrogates = any("\ud800" <= character <= "\udfff" for character in value)
    require(bool(value) and "\0" not in value and not surrogates, field, expected, value)
