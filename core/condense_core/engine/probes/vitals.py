"""Loss, accuracy, gradient norm and speed: recorded in every run."""

from __future__ import annotations

import math

import numpy as np

from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.members import MemberViews, together
from condense_core.engine.probes.view import View
from condense_core.measures.stages import Stages
from condense_core.runfile.precision import CLOCK, DOUBLE
from condense_core.runfile.reader import RunReader
from condense_core.thresholds import INITIAL_STAGE, percent

_WORDS = {
    "plateau": "the loss stands at {:.3g} of its first value",
    "drop": "the loss falls again, to {:.3g} of its first value",
}


class Vitals:
    """Scalars `loss`, `loss_ratio` (to the first loss), `test_loss`, `accuracy`, `test_accuracy`,
    `gradient_norm`, `steps_per_second`; events `initial-stage-ended`, `plateau` and `drop`."""

    def __init__(self, start: View | MemberViews) -> None:
        members = together(start)
        self._first = dict(zip(members.numbers, members.loss().tolist(), strict=True))
        self._ended: set[int] = set()
        self._stages = {number: Stages() for number in members.numbers}
        self._before = self._now = (members.step, math.nan)

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        members = together(view)
        loss_S = members.loss()
        first_S = np.array([self._first[number] for number in members.numbers])
        with np.errstate(over="ignore"):
            ratio_S = np.divide(loss_S, first_S, out=np.full(len(loss_S), math.nan), where=first_S != 0)
        into.scalar("loss", loss_S, DOUBLE)
        into.scalar("loss_ratio", ratio_S, DOUBLE)
        into.scalar("gradient_norm", members.gradient_norm(), DOUBLE)
        test_loss_S = members.test_loss()
        if not np.isnan(test_loss_S).all():
            into.scalar("test_loss", test_loss_S, DOUBLE)
        for name, share_S in (("accuracy", members.accuracy()), ("test_accuracy", members.test_accuracy())):
            if not np.isnan(share_S).all():
                into.scalar(name, share_S)
        # of more members than are measured at a time, all have the step before
        if members.step != self._now[0]:
            self._before = self._now
        self._now = (members.step, members.seconds)
        step, then = self._before
        if members.seconds > then:
            into.scalar("steps_per_second", (members.step - step) / (members.seconds - then), CLOCK)
        for number, ratio in zip(members.numbers, ratio_S.tolist(), strict=True):
            if ratio < INITIAL_STAGE and number not in self._ended:
                self._ended.add(number)
                into.event(
                    "initial-stage-ended", f"loss fell below {percent(INITIAL_STAGE)} of its first value", number
                )
            stage = self._stages[number].add(members.step, ratio)
            if stage is not None:
                into.event(stage.kind, _WORDS[stage.kind].format(stage.ratio), number)

    def resume(self, run: RunReader, number: int = 0) -> None:
        steps, ratios = run.curve("loss_ratio")
        if (ratios < INITIAL_STAGE).any():
            self._ended.add(number)
        for step, ratio in zip(steps.tolist(), ratios.tolist(), strict=True):
            self._stages[number].add(step, ratio)
