"""Loss, accuracy, gradient norm and speed: recorded in every run."""

from __future__ import annotations

import math

from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.view import View
from condense_core.runfile.precision import CLOCK, DOUBLE
from condense_core.runfile.reader import RunReader
from condense_core.thresholds import INITIAL_STAGE, percent


class Vitals:
    """Scalars `loss`, `loss_ratio` (to the first loss), `accuracy`, `test_accuracy`, `gradient_norm`,
    `steps_per_second`."""

    def __init__(self, start: View) -> None:
        self._first = start.loss
        self._ended = False
        self._before = (start.step, math.nan)

    def measure(self, view: View, into: Measurement) -> None:
        ratio = view.loss / self._first if self._first != 0 else float("nan")
        into.scalar("loss", view.loss, DOUBLE)
        into.scalar("loss_ratio", ratio, DOUBLE)
        into.scalar("gradient_norm", view.gradient_norm, DOUBLE)
        if view.accuracy == view.accuracy:
            into.scalar("accuracy", view.accuracy)
        if view.test_accuracy == view.test_accuracy:
            into.scalar("test_accuracy", view.test_accuracy)
        step, then = self._before
        if view.seconds > then:
            into.scalar("steps_per_second", (view.step - step) / (view.seconds - then), CLOCK)
        self._before = (view.step, view.seconds)
        if ratio < INITIAL_STAGE and not self._ended:
            self._ended = True
            into.event("initial-stage-ended", f"loss fell below {percent(INITIAL_STAGE)} of its first value")

    def resume(self, run: RunReader) -> None:
        self._ended = bool((run.curve("loss_ratio")[1] < INITIAL_STAGE).any())
