"""What a formula computes.   # N points, I inputs"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from condense_core.scenario.formula import Applied, Term, Variable

PointArray = np.ndarray[Any, np.dtype[np.float64]]

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "negative": np.negative,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
    "tanh": np.tanh,
    "sigmoid": lambda value: (1 + np.tanh(value / 2)) / 2,
    "relu": lambda value: np.maximum(value, 0.0),
    "min": np.minimum,
    "max": np.maximum,
}


def values(term: Term, point_NI: PointArray) -> PointArray:
    """The formula at each point, (N,), in float64; not finite where it has no value, such as log(x1) at x1 < 0."""
    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(_value(term, point_NI), dtype=np.float64), (len(point_NI),)).copy()


def _value(term: Term, point_NI: PointArray) -> Any:
    match term:
        case Variable():
            return point_NI[:, term.place]
        case Applied():
            return _FUNCTIONS[term.function](*(_value(argument, point_NI) for argument in term.arguments))
        case _:
            # NumPy's number, not Python's: 1/0 is inf and no exception
            return np.float64(term)
