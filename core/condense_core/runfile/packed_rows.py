"""Rows of packed scalars, whole or one value of them, as typed values."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from msgspec import Meta

from condense_core.runfile import checksums
from condense_core.runfile.layouts import MOST_NAMES, LayoutNumber
from condense_core.runfile.rows import Seq, Step

# Bytes of one row.
LARGEST_ROW = 8 * MOST_NAMES + checksums.SIZE


class PackedRow(NamedTuple):
    """Of `scalar` since version 2: the values of a step."""

    seq: Seq
    step: Step
    layout: LayoutNumber
    data: Annotated[bytes, Meta(max_length=LARGEST_ROW)]


class WholePoint(NamedTuple):
    """The same, of a layout that is known."""

    seq: Seq
    step: Step
    data: Annotated[bytes, Meta(max_length=LARGEST_ROW)]


class PackedPoint(NamedTuple):
    """One value of it."""

    seq: Seq
    step: Step
    data: Annotated[bytes, Meta(min_length=4, max_length=8)]


class LayoutId(NamedTuple):
    """Whose values a row has."""

    layout: LayoutNumber
