"""The numbers that definitions hang on: measures compute with them, and what is said of a measure names them.

Below everything else and without imports of weight, since a viewer may not import `measures`, which need PyTorch.
"""

from __future__ import annotations

from typing import NamedTuple


class Cut(NamedTuple):
    """Where lines are cut: kernels whose mean |cos| is `cos` or more, and at least `share` of the kernels kept."""

    cos: float
    share: float

    @property
    def words(self) -> str:
        """`0.8 / 10 %`."""
        return f"{self.cos:g} / {percent(self.share)}"

    @property
    def short(self) -> str:
        """`0.8`, which tells the two apart."""
        return f"{self.cos:g}"


# Two settings, both reported. In the first, lines 26° apart are two; the second is nearer to what an eye reads off a
# heatmap.
FINE = Cut(0.9, 0.05)
COARSE = Cut(0.8, 0.10)


def other_cut(cut: Cut) -> Cut:
    """The other of the two cuts."""
    return FINE if cut == COARSE else COARSE


# What stands for a line's number of a kernel that is on none, and of one that is too small to be on any.
NO_LINE = -1
DROPPED = -2

# Kernels below this share of the layer's 90th percentile norm have not grown yet: their direction is the initial noise.
SMALL_NORM = 0.1
LARGE_PERCENTILE = 0.9

# Least share of a layer's kernels on lines for the layer to be called condensed, whatever chance would give.
LEAST_COVERAGE = 0.8

# The initial stage of training lasts while the loss is at least this share of its first value (Zhou et al. 2022, §4).
# It supposes a loss whose least value is 0: one that cannot fall so far, such as cross-entropy on noisy labels, stays.
INITIAL_STAGE = 0.7

# After it the loss is on a plateau where its lowest value has fallen by less than this share while the step doubled:
# flat on the logarithmic axes that runs are looked at on. It has left it where it has fallen by the second share since.
PLATEAU = 0.01
DROP = 0.2

# A layer has arrived, in the sense of Zhou et al. 2025, thm 1, when this share of its weight lies on the predicted v1.
ARRIVED = 0.99

# λ2/λ1 above which v1 turns freely inside the top pair: nothing is predicted then.
DOUBTFUL_RATIO = 0.999


def direction_is_doubtful(first: float, second: float) -> bool:
    """Whether the two largest singular values λ1, λ2 are so near to each other that v1 is not determined."""
    return second > DOUBTFUL_RATIO * first


def percent(share: float) -> str:
    """`70 %`, of a threshold; what is measured is written by `draw.numbers.percent`."""
    return f"{100 * share:.0f} %"
