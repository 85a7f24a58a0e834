"""Steps of dense networks, and convolutions, in compiled code, where Numba is installed.

Every other module of this package imports Numba, and is imported by the functions here alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from condense_core.compiling import Compiled, compiled


@functools.cache
def load(dtype: str) -> Compiled:
    """`training.train` for members of that precision, from the user's cache or compiled now; ImportError where it
    cannot be."""

    def train() -> tuple[Callable[..., Any], object]:
        from condense_core.engine.steppers.compiled import training

        return training.train, training.signature(dtype)

    return compiled(train, Path(__file__).parent.glob("*.py"))


@functools.cache
def load_convolutions(dtype: str) -> Compiled:
    """`convolutions.passes`, as `load` has `training.train`."""

    def passes() -> tuple[Callable[..., Any], object]:
        from condense_core.engine.steppers.compiled import convolutions

        return convolutions.passes, convolutions.signature(dtype)

    return compiled(passes, Path(__file__).parent.glob("*.py"))
