"""Loss, accuracy, gradient norm and speed: recorded in every run."""

from __future__ import annotations

import math

import numpy as np

from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.members import Instant, MemberViews, NumpyArray, together
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

    takes_several_steps = True

    def __init__(self, start: View | MemberViews) -> None:
        members = together(start)
        self._numbers = members.numbers
        self._row_of = {number: row for row, number in enumerate(members.numbers)}
        self._first_S = members.loss()
        self._ended_S = np.zeros(len(members.numbers), bool)
        self._stages = Stages(len(members.numbers))
        self._recorded: dict[int, dict[int, float]] = {}
        self._before = self._now = (members.step, math.nan)

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        members = together(view)
        loss_S = members.loss()
        row_S = np.array([self._row_of[number] for number in members.numbers])
        first_S = self._first_S[row_S]
        with np.errstate(over="ignore"):
            ratio_S = np.divide(loss_S, first_S, out=np.full(len(loss_S), math.nan), where=first_S != 0)
        into.scalar("loss", loss_S, DOUBLE)
        into.scalar("loss_ratio", ratio_S, DOUBLE)
        into.scalar("gradient_norm", members.gradient_norm(), DOUBLE)
        into.scalar("test_loss", members.test_loss(), DOUBLE, known=True)
        into.scalar("accuracy", members.accuracy(), known=True)
        into.scalar("test_accuracy", members.test_accuracy(), known=True)
        speed_S = np.full(len(loss_S), math.nan)
        for instant in members.instants:
            speed_S[instant.rows] = self._speed(instant)
        into.scalar("steps_per_second", speed_S, CLOCK, known=True)
        self._go_on()
        for at, instant in enumerate(members.instants):
            every_S = np.full(len(self._ended_S), math.nan)
            every_S[row_S[instant.rows]] = ratio_S[instant.rows]
            self._follow(at, instant.step, every_S, into)

    def _speed(self, instant: Instant) -> float:
        """Steps a second since the step that was measured before; NaN where that is not known."""
        # of more members than are measured at a time, all have the step before
        if instant.step != self._now[0]:
            self._before = self._now
        self._now = (instant.step, instant.seconds)
        step, then = self._before
        return (instant.step - step) / (instant.seconds - then) if instant.seconds > then else math.nan

    def _follow(self, at: int, step: int, ratio_S: NumpyArray, into: Measurement) -> None:
        """Say which stages of training have begun or ended, by the loss over its first of every member; NaN of those
        that are not measured now."""
        begun = self._stages.add_each(step, ratio_S)
        ends_S = (ratio_S < INITIAL_STAGE) & ~self._ended_S
        self._ended_S |= ends_S
        words = f"loss fell below {percent(INITIAL_STAGE)} of its first value"
        for row in sorted({*begun, *np.flatnonzero(ends_S).tolist()}):
            if ends_S[row]:
                into.event("initial-stage-ended", words, self._numbers[row], at)
            if (stage := begun.get(row)) is not None:
                into.event(stage.kind, _WORDS[stage.kind].format(stage.ratio), self._numbers[row], at)

    def _go_on(self) -> None:
        """Follow what was recorded before a resume, of all members at once."""
        recorded, self._recorded = self._recorded, {}
        for step in sorted(set().union(*recorded.values())):
            ratio_S = np.full(len(self._ended_S), math.nan)
            for row, ratios in recorded.items():
                ratio_S[row] = ratios.get(step, math.nan)
            self._stages.add_each(step, ratio_S)

    def resume(self, run: RunReader, number: int = 0) -> None:
        steps, ratios = run.curve("loss_ratio")
        row = self._row_of[number]
        self._ended_S[row] = (ratios < INITIAL_STAGE).any()
        self._recorded[row] = dict(zip(steps.tolist(), ratios.tolist(), strict=True))
