"""How far a network's output is from a polynomial of low degree.   # N test points"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.polynomial import Chebyshev
from torch import Tensor

_Array = np.ndarray[Any, np.dtype[np.float64]]


def output_complexity(input_N: Tensor, output_N: Tensor, degree: int) -> float:
    """max |f - q| / (max f - min f), q the least-squares polynomial of `degree` (Zhou et al. 2022, fig. 5).

    For networks with one input and one output, `degree` being the activation's multiplicity p: while the weights are
    small f is nearly such a polynomial and the answer nearly 0; a share of f's own range, so free of its scale. NaN
    where f is the same at all points or not finite. Raises ValueError for a degree below 0, for inputs and outputs that
    are not (N,), and for no more than `degree` + 1 different points, through which a polynomial always passes.
    """
    x_N, f_N = _points(input_N, output_N, degree)
    spread = f_N.max() - f_N.min()
    if spread == 0 or not np.isfinite(f_N).all():
        return float("nan")
    share_N = (f_N - f_N.min()) / spread
    return float(np.abs(share_N - _fitted(x_N, share_N, degree)).max())


def best_polynomial(input_N: Tensor, output_N: Tensor, degree: int) -> Tensor:
    """What `output_complexity` compares with: the least-squares polynomial's values, (N,), float64, on the CPU.

    NaN at all points where one output is not finite. ValueError as there.
    """
    x_N, f_N = _points(input_N, output_N, degree)
    if not np.isfinite(f_N).all():
        return torch.full((len(f_N),), torch.nan, dtype=torch.float64)
    spread = f_N.max() - f_N.min()
    if spread == 0:
        return torch.from_numpy(f_N)
    # on the scale of its own range: least squares would lose outputs of 1e-200
    return torch.from_numpy(f_N.min() + spread * _fitted(x_N, (f_N - f_N.min()) / spread, degree))


def _points(input_N: Tensor, output_N: Tensor, degree: int) -> tuple[_Array, _Array]:
    if input_N.ndim != 1 or input_N.shape != output_N.shape:
        raise ValueError(f"expected inputs (N,) and outputs (N,), got {tuple(input_N.shape)}, {tuple(output_N.shape)}")
    x_N = input_N.detach().double().cpu().numpy()
    f_N = output_N.detach().double().cpu().numpy()
    if degree < 0 or len(np.unique(x_N)) <= degree + 1:
        raise ValueError(f"expected more than degree + 1 = {degree + 1} different points, got {len(np.unique(x_N))}")
    return x_N, f_N


def _fitted(x_N: _Array, f_N: _Array, degree: int) -> _Array:
    # Chebyshev's basis on the points' own interval: powers of x would lose half the digits at degree 8
    fitted_N: _Array = Chebyshev.fit(x_N, f_N, degree)(x_N)
    return fitted_N
