"""What every part of a scenario is built from: immutable structs that check themselves."""

from __future__ import annotations

import math

import msgspec


class Checked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every part of a scenario: immutable, keyword-only, unknown fields refused."""


def require(holds: bool, field: str, expected: str, value: object) -> None:
    if not holds:
        raise ValueError(f"{field}: expected {expected}, got {value!r}")


def positive(field: str, value: float) -> None:
    require(math.isfinite(value) and value > 0, field, "a finite number above 0", value)


def at_least(field: str, value: int, least: int) -> None:
    require(value >= least, field, f"{least} or more", value)
