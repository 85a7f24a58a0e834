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
    "relative_change",
    "slope",
]

# Of these, what is shown is in how many of a cell's seeds it is so.
TITLES: dict[str, str] = {
    "condensed": "seeds in which it is condensed",
    "claim": "seeds in which the claim holds",
    "slope": "slope of ln relative change by ln width ± standard error",
    "relative_change": "relative change, the largest recorded, median over seeds",
}
# What has to be recorded for it, beside what every run records; of the others, the lines of each layer.
PROBES: dict[str, tuple[str, ...]] = {
    "relative_change": ("change",),
    "slope": ("change",),
    "alignment": ("condensation", "alignment"),
    "predicted_at": ("condensation", "alignment"),
    "loss_ratio": (),
    "loss_last": (),
}


# How a picture is read, where its title does not say it.
EXPLAINED: dict[str, str] = {
    "slope": (
        "S is the slope of ln RD against ln width (least squares). RD = ‖θ(t) - θ(0)‖/‖θ(0)‖ of the layer is its"
        " largest recorded value, the median over seeds. Above 0 the layer condenses as the width grows, below 0 it"
        " stays linear (Luo et al. 2021). ± is the standard deviation of S over 200 draws of the seeds with"
        " replacement; how far a width lies from the line stands in slopes.csv as departure."
    ),
    "relative_change": "RD = ‖θ(t) - θ(0)‖/‖θ(0)‖ of the layer's kernels, the largest recorded (Luo et al. 2021).",
}
# Measured steps of a run of which only the picture is wanted: enough that the largest of a rising curve is among them.
FEW_FRAMES = 10


def probes_of(show: Show) -> tuple[str, ...]:
    """The probes without which there is nothing to show."""
    return PROBES.get(show, ("condensation",))


def title_of(show: Show) -> str:
    """What stands over the picture."""
    from condense_core.measure_table import MEASURES

    return TITLES.get(show) or f"{MEASURES[show].label}, median over seeds"
