"""A layer's kernels out of all of a network's weights by name.   # M kernels, K entries a kernel"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def kernels_of(parameters: Mapping[str, npt.NDArray[Any]], layer: str) -> npt.NDArray[np.float64] | None:
    """The layer's kernels (M, K) in float64, a bias their last entry; None where there are no weights of it."""
    weight_MK = parameters.get(f"{layer}.weight")
    if weight_MK is None or weight_MK.ndim < 2 or not weight_MK.size:
        return None
    bias_M = parameters.get(f"{layer}.bias")
    kernels_MK = weight_MK.reshape(len(weight_MK), -1).astype(np.float64)
    if bias_M is not None and bias_M.shape == (len(kernels_MK),):
        kernels_MK = np.concatenate([kernels_MK, bias_M[:, None]], axis=1)
    return kernels_MK
