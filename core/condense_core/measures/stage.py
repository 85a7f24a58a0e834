"""The initial stage of training, which condensation is about."""

from __future__ import annotations

# Share of its first value above which the loss is in the initial stage (Zhou et al. 2022).
INITIAL_STAGE = 0.7


def in_initial_stage(loss: float, first_loss: float) -> bool:
    """Whether the loss is still at least 70 % of its first value (Zhou et al. 2022, §4).

    False for NaN. The rule supposes a loss whose least value is 0; one that cannot fall below 70 % of its start, such
    as cross-entropy on noisy labels, stays in the stage for ever.
    """
    return loss >= INITIAL_STAGE * first_loss
