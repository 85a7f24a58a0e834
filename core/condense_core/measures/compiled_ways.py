"""How functions are compiled that compiled code alone calls.

Imported where `in_compiled_code` has them compiled, and nowhere else: it needs Numba.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Rounding of one operation.
EPSILON = float(np.finfo(np.float64).eps)

inner = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
# Sums in whatever order: several numbers are added up at a time.
summing = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, fastmath={"reassoc", "contract"})
