"""What the members of an ensemble are called: by their seed, and by their place among all, counted from one."""

from __future__ import annotations

from condense_core.runfile.reader import RunReader


def seed_label(run: RunReader, number: int) -> str:
    """`seed 3 (2 of 10)` for member `number`, from 0, of the run of all members: the seed that distinguishes it."""
    own, varies = run.member(number).experiment, run.experiment.ensemble.vary
    seed = f"data seed {own.data.seed}" if varies == "data" else f"seed {own.seed}"
    return f"{seed} ({number + 1} of {run.members})"


def mean_label(run: RunReader) -> str:
    """What stands for all members: `mean of 10 seeds`."""
    return f"mean of {run.members} seeds"
