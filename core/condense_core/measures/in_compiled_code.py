"""Measures of all members that Numba compiles, where a process has asked for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from condense_core.compiling import compiled


class Functions(NamedTuple):
    """Those of `compiled_joining`, `compiled_lines` and `compiled_tracking`, by name."""

    join: Callable[..., None]
    group: Callable[..., None]
    pairs: Callable[..., None]
    lines: Callable[..., None]
    follow: Callable[..., None]


_functions: Functions | None = None

# Of more, what libraries do with matrices is faster.
MOST_ENTRIES = 32


def functions() -> Functions | None:
    """What is compiled; None before `compile_measures`."""
    return _functions


def is_for(unit_SMK: Tensor) -> bool:
    """Whether kernels are so short that compiled code is faster for pairs and lines of these."""
    return unit_SMK.device.type == "cpu" and unit_SMK.shape[2] <= MOST_ENTRIES


def compile_measures() -> float:
    """Have what follows in this process compiled by Numba: lines of layers of 50 kernels take a quarter of the time.
    Seconds that compiling took, 0 where the user's cache had it; ImportError where it cannot be."""
    global _functions
    _functions, seconds = loaded()
    return seconds


@cache
def loaded() -> tuple[Functions, float]:
    """The functions, and the seconds that compiling took; `compile_measures` makes them be used."""

    def join() -> tuple[Callable[..., Any], object]:
        from condense_core.measures import compiled_joining

        return compiled_joining.join, compiled_joining.JOIN_SIGNATURE

    def group() -> tuple[Callable[..., Any], object]:
        from condense_core.measures import compiled_joining

        return compiled_joining.group, compiled_joining.GROUP_SIGNATURE

    def pairs() -> tuple[Callable[..., Any], object]:
        from condense_core.measures import compiled_lines

        return compiled_lines.pairs, compiled_lines.PAIRS_SIGNATURE

    def lines() -> tuple[Callable[..., Any], object]:
        from condense_core.measures import compiled_lines

        return compiled_lines.lines, compiled_lines.LINES_SIGNATURE

    def follow() -> tuple[Callable[..., Any], object]:
        from condense_core.measures import compiled_tracking

        return compiled_tracking.follow, compiled_tracking.FOLLOW_SIGNATURE

    here = Path(__file__).parent
    sources = [*here.glob("compiled_*.py"), here.parent / "thresholds.py"]
    found = [compiled(make, sources) for make in (join, group, pairs, lines, follow)]
    return Functions(*(each.call for each in found)), sum(each.compiled_s for each in found)
