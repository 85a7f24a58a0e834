"""What a sweep's picture can show. Nothing is imported here, so that the command's --help need not wait."""

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

TITLES: dict[Show, str] = {
    "condensed": "seeds in which it is condensed",
    "claim": "seeds in which the claim holds",
    "coverage": "share of kernels on lines, median over seeds",
    "lines": "condensed lines, median over seeds",
    "lines_coarse": "condensed lines at |cos| 0.8 / 10 %, median over seeds",
    "directions": "condensed directions, median over seeds",
    "mean_abs_cos": "mean |cos| of kernels to their line, median over seeds",
    "alignment": "mean |cos| to the predicted direction, median over seeds",
    "condensed_at": "step at which it condensed, median over seeds",
    "predicted_at": "predicted step of condensation, median over seeds",
    "loss_ratio": "last loss / first loss, median over seeds",
    "loss_last": "last loss, median over seeds",
}
