"""How far a network's output is from a polynomial of low degree.   # N test points"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import Chebyshev
from torch import Tensor


def output_complexity(input_N: Tensor, output_N: Tensor, degree: int) -> float:
    """max |f - q| / (max f - min f), q the least-squares polynomial of `degree` (Zhou et al. 2022, fig. 5).

    For networks with one input and one output, `degree` being the activation's multiplicity p: while the weights are
    small f is nearly such a polynomial and the answer nearly 0; a share of f's own range, so free of its scale. NaN
    where f is the same at all points or not finite. Raises ValueError for a degree below 0, for inputs and outputs that
    are not (N,), and for no more than `degree` + 1 different points, through which a polynomial always passes.
    """
    if input_N.ndim != 1 or input_N.shape != output_N.shape:
        raise ValueError(f"expected inputs (N,) and outputs (N,), got {tuple(input_N.shape)}, {tuple(output_N.shape)}")
    x_N = input_N.detach().double().cpu().numpy()
    f_N = output_N.detach().double().cpu().numpy()
    if degree < 0 or len(np.unique(x_N)) <= degree + 1:
        raise ValueError(f"expected more than degree + 1 = {degree + 1} different points, got {len(np.unique(x_N))}")
    spread = f_N.max() - f_N.min()
    if spread == 0 or not np.isfinite(f_N).all():
        return float("nan")
    share_N = (f_N - f_N.min()) / spread
    # Chebyshev's basis on the points' own interval: powers of x would lose half the digits at degree 8
    fitted_N = Chebyshev.fit(x_N, share_N, degree)(x_N)
    return float(np.abs(share_N - fitted_N).max())
