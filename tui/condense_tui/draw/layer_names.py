"""Names of layers where there is little room: a network of one's own has long ones, which mostly begin alike."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len


def shared(names: Sequence[str]) -> str:
    """What all names begin with, up to a dot; empty where there are fewer than two."""
    if len(names) < 2:
        return ""
    heads = [name.split(".")[:-1] for name in names]
    common: list[str] = []
    for parts in zip(*heads, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "".join(f"{part}." for part in common)


def without_shared(name: str, names: Sequence[str]) -> str:
    """A name without what all names begin with."""
    return name.removeprefix(shared(names))


def fitted(name: str, room: int) -> str:
    """A name in at most `room` cells, cut in its middle: its block and what it is there both stay."""
    if cell_len(name) <= room:
        return name
    if room < 3:
        return name[: max(0, room)]
    end = (room - 1) * 2 // 3
    return f"{name[: room - 1 - end]}…{name[len(name) - end :]}"
