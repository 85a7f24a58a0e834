"""Measures of all members in compiled code, where a process has asked for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from torch import Tensor

from condense_core import machine_code
from condense_core.machine_code import Arguments, Function, MachineCode

Functions = Mapping[str, Function]
"""Those of the modules `compiled_…`, by name."""

_functions: Functions | None = None

# Of more, what libraries do with matrices is faster.
MOST_ENTRIES = 32
# Norms of longer rows libraries find with several processors.
MOST_OF_A_ROW = 4_096


def functions() -> Functions | None:
    """What is compiled; None before `compile_measures`."""
    return _functions


def is_for(rows: Tensor, most: int = MOST_ENTRIES) -> bool:
    """Whether these are where compiled code reads them, and have so few entries that it is faster: by default for what
    goes by pairs of kernels, or by one direction of each member."""
    return rows.device.type == "cpu" and rows.shape[-1] <= most


def compile_measures() -> float:
    """Have what follows in this process found by compiled code: lines of layers of 50 kernels take a fifth of the time.
    Seconds that compiling took, 0 where that was done before, as in the process that this one was forked from;
    ImportError where it cannot be."""
    global _functions
    before, (_functions, seconds) = _functions, loaded()
    return seconds if before is None else 0.0


def is_kept() -> bool:
    """Whether they were compiled on this machine before, so that Numba need not be loaded."""
    return machine_code.is_kept(_sources())


@cache
def loaded() -> MachineCode:
    """The functions; `compile_measures` makes them be used."""
    number, whole, flag = np.float64, np.int64, np.bool_
    arguments = {
        "join": Arguments((number, flag, whole, number, number, whole), 2),
        "group": Arguments((whole, number, flag, whole, number), 2),
        "pairs": Arguments((number, number, number, number), 3),
        "lines": Arguments(
            (
                *(number, flag, number, number, number),
                *(whole, whole, number, whole, flag, whole, whole, number, number),
                *(number, whole, number, number, whole),
            ),
            5,
        ),
        "follow": Arguments((whole, whole, whole, whole, flag, whole, whole, flag), 2),
        "along": Arguments((number, number, number), 3),
        "turning": Arguments((number, number, number, number, number), 2),
        "units": Arguments((number, number, number), 3),
        "spectra": Arguments((number, number, number, whole, number, number, number), 5),
    }
    return machine_code.machine_code(arguments, _made, _sources())


def _made() -> Mapping[str, Callable[..., None]]:
    from condense_core.measures import (
        compiled_joining,
        compiled_kernels,
        compiled_lines,
        compiled_spectra,
        compiled_tracking,
    )

    return {
        "join": compiled_joining.join,
        "group": compiled_joining.group,
        "pairs": compiled_lines.pairs,
        "lines": compiled_lines.lines,
        "follow": compiled_tracking.follow,
        "spectra": compiled_spectra.spectra,
        "along": compiled_kernels.along,
        "turning": compiled_kernels.turning,
        "units": compiled_kernels.units,
    }


def _sources() -> list[Path]:
    here = Path(__file__)
    core = here.parent.parent
    return [
        here,
        here.with_name("distance_rows.py"),
        *here.parent.glob("compiled_*.py"),
        core / "kept_code.py",
        core / "linked.py",
        core / "machine_code.py",
        core / "thresholds.py",
    ]
