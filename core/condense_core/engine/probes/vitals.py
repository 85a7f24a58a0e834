"""Loss, accuracy, gradient norm and speed: recorded in every run."""

from __future__ import annotations

import math

from condense_core.engine.network.observation import Observation
from condense_core.engine.probes.base import Measurement
from condense_core.runfile.precision import CLOCK, DOUBLE
from condense_core.runfile.reader import RunReader
from condense_core.thresholds import INITIAL_STAGE, percent


class Vitals:
    """Scalars `loss`, `loss_ratio` (to the first loss), `accuracy`, `test_accuracy`, `gradient_norm`,
    `steps_per_second`."""

    def __init__(self, start: Observation) -> None:
        self._first = start.loss
        self._ended = False
        self._before = (start.step, math.nan)

    def measure(self, observation: Observation, into: Measurement) -> None:
        ratio = observation.loss / self._first if self._first != 0 else float("nan")
        into.scalar("loss", observation.loss, DOUBLE)
        into.scalar("loss_ratio", ratio, DOUBLE)
        into.scalar("gradient_norm", observation.gradient_norm, DOUBLE)
        if observation.accuracy == observation.accuracy:
            into.scalar("accuracy", observation.accuracy)
        if observation.test_accuracy == observation.test_accuracy:
            into.scalar("test_accuracy", observation.test_accuracy)
        step, then = self._before
        if observation.seconds > then:
            into.scalar("steps_per_second", (observation.step - step) / (observation.seconds - then), CLOCK)
        self._before = (observation.step, observation.seconds)
        if ratio < INITIAL_STAGE and not self._ended:
            self._ended = True
            into.event("initial-stage-ended", f"loss fell below {percent(INITIAL_STAGE)} of its first value")

    def resume(self, run: RunReader) -> None:
        self._ended = bool((run.curve("loss_ratio")[1] < INITIAL_STAGE).any())
