"""Which steps of a run are measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from condense_core.scenario.experiment import Experiment
from condense_core.scenario.record import Record

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

T = TypeVar("T")


def scheduled_steps(experiment: Experiment) -> list[int]:
    """All steps that a run measures: the spaced ones, those that `record.steps` names, and those of its claim."""
    return sorted({*recorded_steps(experiment.record, experiment.steps), *required_steps(experiment)})


def required_steps(experiment: Experiment) -> set[int]:
    """Steps that are measured whatever it costs: the first, the last, those that are named, and those of the claim."""
    record, claim = experiment.record, experiment.claim
    claimed = {requirement.at for requirement in claim.requires if requirement.at is not None} if claim else set()
    return {0, experiment.steps, *record.steps, *claimed}


def recorded_steps(record: Record, steps: int) -> list[int]:
    """Step 0, the last step and about `record.frames` between them, ascending, each once.

    Evenly spaced in log(step), where the first ones fall together on whole steps and are not repeated; what is saved
    there is spent on the later ones, so that a run has about as many frames as were asked for.
    """
    import numpy as np

    if record.frames > steps:
        return list(range(steps + 1))
    if record.spacing == "linear":
        return _whole(np.linspace(0, steps, record.frames), steps)
    points = record.frames
    while True:
        spaced = _whole(np.geomspace(1, steps, points), steps)
        # a quarter more each time; with ln(steps) points a step, every step would be there
        if len(spaced) >= record.frames or points > 20 * steps:
            return spaced
        points += max(1, points // 4)


def _whole(points: npt.NDArray[np.float64], steps: int) -> list[int]:
    import numpy as np

    found: list[int] = np.unique(np.concatenate([[0, steps], np.rint(points)])).astype(np.int64).tolist()
    return found


def thinned(steps: Sequence[T], most: int) -> list[T]:
    """At most `most` of the steps, evenly among them, the first and the last included."""
    if len(steps) <= most:
        return list(steps)
    import numpy as np

    return [steps[int(index)] for index in np.rint(np.linspace(0, len(steps) - 1, most))]
