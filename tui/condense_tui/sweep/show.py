"""What a sweep's picture can show. Nothing is imported at once, so that the command's --help need not wait."""

from __future__ import annotations

from typing import Literal

Show = Literal[
    "condensed",
    "claim",
    "coverage",
    "lines",
    "lines_coarse",
    "directions",
    "mean_abs_cos",
    "alignment",
    "condensed_at",
    "predicted_at",
    "loss_ratio",
    "loss_last",
]

# Of these, what is shown is in how many of a cell's seeds it is so.
TITLES: dict[str, str] = {
    "condensed": "seeds in which it is condensed",
    "claim": "seeds in which the claim holds",
}


def title_of(show: Show) -> str:
    """What stands over the picture."""
    from condense_core.measure_table import MEASURES

    return TITLES.get(show) or f"{MEASURES[show].label}, median over seeds"
