"""`python -m condense_core.measures.make_null_table` works the table of `null_table` out anew, in some minutes."""

from __future__ import annotations

import numpy as np

from condense_core.measures.null import simulated
from condense_core.measures.null_table import CUTS, ENTRIES, FILE, KERNELS


def make() -> None:
    """Simulate what the table has, and write it."""
    table = np.empty((len(ENTRIES), len(KERNELS), len(CUTS), 3))
    for row, entries in enumerate(ENTRIES):
        for column, kernels in enumerate(KERNELS):
            found = simulated(entries, kernels, CUTS)
            table[row, column] = [found[cut] for cut in CUTS]
    np.save(FILE, table, allow_pickle=False)


if __name__ == "__main__":
    make()
