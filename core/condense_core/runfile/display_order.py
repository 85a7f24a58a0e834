"""Where each kernel stands where kernels are shown: those of one line together.   # M kernels"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# Behind every line number an int16 can hold.
_AFTER_ALL_LINES = 1 << 16


def by_line(label_M: npt.NDArray[Any], sign_M: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Kernel indices in order of display: by line, its plus side first, then index; on no line; dropped last.

    Lines keep their number over time (frames.Condensation), so this order does not jump between frames.
    """
    label = np.asarray(label_M, np.int64)
    rank = np.where(label >= 0, label, _AFTER_ALL_LINES - label)
    # on no line a sign means nothing, and sorting by it would only shuffle the noise
    side = np.where(label >= 0, -np.asarray(sign_M, np.int64), 0)
    return np.lexsort((np.arange(len(label)), side, rank))
