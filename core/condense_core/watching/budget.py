"""What measuring a watched training may cost it."""

from __future__ import annotations

from condense_core.engine.training.budget import Budget

# Within the first minute measuring may have what it may take of that minute, at most half of the time trained so far.
FIRST_S = 60.0
EARLY_SHARE = 0.5

PROBES = ("vitals", "similarity", "condensation", "spectrum", "alignment", "change")


class Allowance(Budget):
    """A share of the time trained, from the first minute on."""

    def allowed(self, trained: float) -> float:
        """Seconds that measuring may have cost by then."""
        return max(self._share * trained, min(self._share * FIRST_S, EARLY_SHARE * trained))
