"""Numbers with as many digits as a measurement is worth: the noise of the others is most of what files and links carry.

Digits are binary and count from the first non-zero one, so no value is too small to differ from zero.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

# All that float64 has; as many as float32, 7 decimal digits; 4 decimal digits; and 3, for what a clock measures.
DOUBLE, SINGLE, SHORT, CLOCK = 53, 24, 13, 10
# Of float64, less the one that rounding up could need.
LARGEST_EXPONENT = 1023


def rounded(value: float, bits: int = SINGLE) -> float:
    """The nearest number of so many significant bits; NaN, infinities, and what would become one, as they are."""
    fraction, exponent = math.frexp(value)
    if not math.isfinite(fraction) or exponent > LARGEST_EXPONENT:
        return value
    return math.ldexp(round(math.ldexp(fraction, bits)), exponent - bits)


def round_array(values: npt.NDArray[Any], bits: int = SINGLE) -> npt.NDArray[Any]:
    """`rounded` for each element of floats, in their own type."""
    fraction, exponent = np.frexp(values)
    with np.errstate(over="ignore"):
        short = np.ldexp(np.rint(np.ldexp(fraction, bits)), exponent - bits)
    return np.where(exponent < np.finfo(values.dtype).maxexp, short, values)
