"""What a sweep's picture can show: any measure of the table, besides what is only of several seeds or cells."""

from __future__ import annotations

from condense_core.errors import ScenarioError, nearest
from condense_core.measure_table import MEASURES, OF_THE_MACHINE

SLOPE, CLAIM, CONDENSED = "slope", "claim", "condensed"
# Of these there is nothing to compare, or another name in a sweep: loss_last, and the width that is swept.
_LEFT_OUT = frozenset({*OF_THE_MACHINE, "kernels", "loss", "null_coverage", "null_coverage_coarse"})
SHOWN: tuple[str, ...] = (*(name for name in MEASURES if name not in _LEFT_OUT), SLOPE)
"""All that `--show` takes."""

TITLES: dict[str, str] = {
    "condensed": "seeds in which it is condensed",
    "claim": "seeds in which the claim holds",
    "slope": "slope of ln relative change by ln width ± standard error",
    "relative_change": "relative change, the largest recorded, median over seeds",
}
_LOSSES = ("loss_first", "loss_last", "loss_ratio", "test_loss", "unseen_loss")
_ACCURACIES = ("accuracy", "test_accuracy", "unseen_accuracy")
# What has to be recorded for a measure, beside what every run records; of those that are not named, lines.
PROBES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((SLOPE, "relative_change", "velocity_cos", "turning_to_growth"), ("change",)),
    **dict.fromkeys(("alignment", "predicted_at", "arrived_at"), ("condensation", "alignment")),
    **dict.fromkeys(
        ("share_on_v1", "share_on_v2", "case1_cos", "ratio", "predicted_ratio", "ones_cos", "ones_cos_least"),
        ("alignment",),
    ),
    "prediction_error": ("alignment",),
    **dict.fromkeys(("eigenvalue", "gap_ratio", "ones_overlap", "ones_overlap_least"), ("spectrum",)),
    **dict.fromkeys(("complexity", "complexity_below"), ("outputs",)),
    **dict.fromkeys(("angle_to_lines", "stable_lines"), ("field",)),
    **{
        name: (probe,)
        for probe, beginnings in {
            "hessian": ("sharpness", "hessian_", "lowest_curvature", "stability_limit"),
            "ntk": ("ntk_",),
        }.items()
        for name in MEASURES
        if name.startswith(beginnings)
    },
    **dict.fromkeys((*_LOSSES, *_ACCURACIES, "gradient_norm", "steps_per_second", "recording_share", "diverged"), ()),
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


def show_named(text: str) -> str:
    """The text where a picture can show it; ScenarioError with the nearest where it cannot."""
    if text not in SHOWN:
        raise ScenarioError(f"--show {text}: {nearest(text, SHOWN)}")
    return text


def probes_of(show: str) -> tuple[str, ...]:
    """The probes without which there is nothing to show."""
    return PROBES.get(show, ("condensation",))


def of_network(show: str) -> bool:
    """Whether it is the same for every layer, so that one picture shows it."""
    return show != SLOPE and MEASURES[show].of == "network"


def is_counted(show: str) -> bool:
    """Whether the picture shows in how many of a cell's seeds it is so."""
    return show != SLOPE and MEASURES[show].kind == "flag"


def title_of(show: str) -> str:
    """What stands over the picture."""
    if show in TITLES:
        return TITLES[show]
    label = MEASURES[show].label
    return f"seeds in which: {label}" if is_counted(show) else f"{label}, median over seeds"
