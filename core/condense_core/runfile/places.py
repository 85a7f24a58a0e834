"""Under which name a run file keeps the frames of a layer: `LAYER` those of the first member of an ensemble, `LAYER@k`
those of member k, and `LAYER@0-5,7` those of several, which are one row since version 4."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from condense_core.runfile.rows import LONGEST_NAME

# Members of an ensemble.
MOST_MEMBERS = 4_096
_SPAN = r"\d{1,9}(?:-\d{1,9})?"
_ONE = re.compile(r"(.*)@([1-9]\d{0,8})", re.DOTALL)
_SEVERAL = re.compile(rf"(.*)@((?:{_SPAN},)+{_SPAN}|\d{{1,9}}-\d{{1,9}})", re.DOTALL)


class Several(NamedTuple):
    """The members of a layer whose frames are one row."""

    name: str
    layer: str
    spans: tuple[tuple[int, int], ...]
    """First and last of members that follow on each other."""

    def has(self, member: int) -> bool:
        return any(first <= member <= last for first, last in self.spans)


def place(layer: str, member: int) -> str:
    """The name of one member's frames."""
    return f"{layer}@{member}" if member else layer


def layer_and_member(name: str) -> tuple[str, int]:
    """What a name of one member's frames says: the inverse of `place`."""
    found = _ONE.fullmatch(name)
    return (name, 0) if found is None else (found[1], int(found[2]))


# an ensemble's frames of a step have the same members as those of the step before, but where one has ended
@functools.lru_cache(maxsize=100)
def place_of_several(layer: str, members: tuple[int, ...]) -> str:
    """The name of the frames of members, in rising order; more than a name may have characters where they are many that
    do not follow on each other (`stretches`)."""
    if len(members) == 1:
        return place(layer, members[0])
    spans = (f"{first}-{last}" if last > first else str(first) for first, last in _spans(members))
    return f"{layer}@{','.join(spans)}"


def several(name: str) -> Several | None:
    """What a name of several says; None for one of a single member."""
    found = _SEVERAL.fullmatch(name)
    if found is None:
        return None
    spans = [span.split("-") for span in found[2].split(",")]
    return Several(name, found[1], tuple((int(span[0]), int(span[-1])) for span in spans))


def stretches(layer: str, members: tuple[int, ...], most: int) -> Iterator[slice]:
    """Stretches of members, at most so many each, whose names are short enough for a run file."""
    begin = 0
    while begin < len(members):
        end = min(len(members), begin + most)
        while end > begin + 1 and len(place_of_several(layer, members[begin:end])) > LONGEST_NAME:
            end = begin + (end - begin) // 2
        yield slice(begin, end)
        begin = end


def _spans(members: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    first = last = members[0]
    for member in members[1:]:
        if member != last + 1:
            yield first, last
            first = member
        last = member
    yield first, last
