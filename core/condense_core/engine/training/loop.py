"""The training loop: plain steps, with a look at the schedule and at what a viewer asked for between them."""

from __future__ import annotations

import bisect
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from condense_core.engine import checkpoint
from condense_core.engine.probes.ensemble_members import EnsembleMembers
from condense_core.engine.steppers import TrainingEnsemble
from condense_core.engine.training.recorder import Recorder
from condense_core.runfile.status import Status
from condense_core.runfile.writer import RecordingThread
from condense_core.scenario.experiment import (
    Experiment,
    FanOutPowerInit,
    LayerPowersInit,
    MeanFanPowerInit,
    NormalInit,
    PhaseInit,
    WidthPowerInit,
)
from condense_core.scenario.schedule import required_steps, scheduled_steps

# A paused worker looks this often for the command that wakes it.
PAUSE_POLL_S = 0.05


class Outcome(NamedTuple):
    """How training ended, and why where that is not plain."""

    status: Status
    reason: str = ""


class Loop:
    """Trains one run to its end, its stop condition, a command or a signal."""

    def __init__(
        self,
        experiment: Experiment,
        ensemble: TrainingEnsemble,
        recorder: Recorder,
        thread: RecordingThread,
        folder: Path,
        *,
        fingerprint: str = "",
    ) -> None:
        """`fingerprint` is that of data of one's own, which a resumed run must find again."""
        self._experiment = experiment
        self._ensemble = ensemble
        self._recorder = recorder
        self._thread = thread
        self._folder = folder
        self._fingerprint = fingerprint
        self._due = scheduled_steps(experiment)
        self._schedule = set(self._due)
        self._required = required_steps(experiment)
        self._seconds_before = thread.progress[1]
        self._first_loss: Sequence[float] = ()
        self._reached: list[str] = []
        self._signal = ""
        self._measure_first = False

    def measure_first(self) -> None:
        """Have the loop measure all there is before its first step, whatever the schedule says."""
        self._measure_first = True

    def ask_to_stop(self, reason: str) -> None:
        """Have the loop checkpoint and end after the current step; safe to call from a signal handler."""
        self._signal = reason

    def run(self, first_loss: Sequence[float]) -> Outcome:
        """Train on from the ensemble's step; `first_loss` has each member's loss at step 0."""
        self._first_loss = first_loss
        try:
            return self._train()
        finally:
            # what was measured before an error is there
            self._recorder.flush()

    def _train(self) -> Outcome:
        ensemble, schedule, thread, recorder = self._ensemble, self._schedule, self._thread, self._recorder
        every = self._experiment.stop.every if self._experiment.stop else 0
        last = self._experiment.steps
        # the clock of training: what pauses and measurements take is added, so that it stands still meanwhile
        begun = time.monotonic() - self._seconds_before
        next_checkpoint = time.monotonic() + self._experiment.record.checkpoint_seconds
        while True:
            step = ensemble.step
            looks = step in schedule or self._measure_first or (every and step % every == 0)
            if looks:
                ensemble.prepare()
            thread.progress = (step, time.monotonic() - begun)
            # what was kept is in the file before anything else happens
            interrupted = thread.commands or self._signal or time.monotonic() >= next_checkpoint
            if looks or interrupted or recorder.is_overdue:
                before = time.monotonic()
                outcome = self._measure(step, last) if looks else None
                if interrupted or outcome is not None or recorder.is_overdue:
                    recorder.flush()
                took = time.monotonic() - before
                begun += took
                recorder.took(took)
                if outcome is not None:
                    return self._end(outcome)
            if thread.commands or self._signal:
                before = time.monotonic()
                outcome = self._handle_commands()
                begun += time.monotonic() - before
                if outcome is not None:
                    return self._end(outcome)
            if time.monotonic() >= next_checkpoint:
                ensemble.settle()
                before = time.monotonic()
                self._checkpoint()
                begun += time.monotonic() - before
                next_checkpoint = time.monotonic() + self._experiment.record.checkpoint_seconds
            ensemble.advance(min(ensemble.block, self._next_stop(step) - step))
            while ensemble.notes:
                self._note("stepper", ensemble.notes.pop(0))

    def _next_stop(self, step: int) -> int:
        """The next step at which something has to be looked at."""
        due = self._due[bisect.bisect_right(self._due, step)]
        every = self._experiment.stop.every if self._experiment.stop else 0
        return min(due, step + every - step % every) if every else due

    def _measure(self, step: int, last: int) -> Outcome | None:
        first, self._measure_first = self._measure_first, False
        must = step == last or first or step in self._required
        may_stop = self._experiment.stop is not None and step % self._experiment.stop.every == 0
        due = not may_stop and self._recorder.is_due(step, self._thread.progress[1], must=must)
        if not (may_stop or due or step == last) and self._ensemble.is_moderate():
            # what the loss of many members takes is as much as a step of theirs; when one diverges must not depend on
            # what measuring may take, which is another after a resume
            return None
        members = self._members()
        if not members.has_finite_losses():
            losses = zip(members.numbers, members.loss().tolist(), strict=True)
            outcome = self._drop_diverged({member: loss for member, loss in losses if not math.isfinite(loss)}, step)
            if outcome is not None:
                return outcome
            # a member that was dropped has moved the others
            members = self._members()
        reached = self._reached_by(members)
        ends = step == last or len(reached) == len(members.numbers)
        if due or ends or reached or (may_stop and (step in self._schedule or first)):
            self._recorder.record(members, must=must or ends or bool(reached))
        if ends:
            self._reached += reached.values()
            return Outcome("done", self._reached[0] if self._experiment.ensemble.members == 1 and reached else "")
        if reached:
            self._ensemble.drop(list(reached))
            self._reached += reached.values()
            for member, text in reached.items():
                self._note("done", f"{self._recorder.name_of(member)}: {text}")
        return None

    def _members(self) -> EnsembleMembers:
        ensemble = self._ensemble
        members = EnsembleMembers(ensemble.observe(), ensemble.members, ensemble.stacked())
        members.seconds = self._thread.progress[1]
        return members

    def _drop_diverged(self, lost: dict[int, float], step: int) -> Outcome | None:
        """Take members whose loss is not finite out of training; the outcome where none is left."""
        advice = self._advice(step)
        texts = {member: f"the loss is {loss} at step {step}; {advice}" for member, loss in lost.items()}
        alone = self._experiment.ensemble.members == 1
        if not alone:
            for member, text in texts.items():
                self._recorder.diverged(step, member, text)
        if len(lost) < len(self._ensemble.members):
            self._ensemble.drop(list(lost))
            return None
        if self._reached:
            return Outcome("done", "all other members diverged")
        return Outcome(
            "diverged", texts[next(iter(texts))] if alone else f"every member diverged: {texts[next(iter(texts))]}"
        )

    def _advice(self, step: int) -> str:
        """What may help where the loss is not finite, by the fields that were set."""
        if step:
            return f"a smaller optimizer.{self._experiment.optimizer.rate[0]} may help"
        match self._experiment.init:
            case NormalInit():
                return "the initial weights are too large; a smaller init.std may help"
            case MeanFanPowerInit() | WidthPowerInit() | FanOutPowerInit() | PhaseInit():
                return "the initial weights are too large; a larger init.gamma may help"
            case LayerPowersInit():
                return "the initial weights are too large; larger init.gammas may help"
            case _:
                return "the initial weights are too large (init.scheme)"

    def _reached_by(self, members: EnsembleMembers) -> dict[int, str]:
        """Which members have reached the stop condition, and in words how."""
        stop, step = self._experiment.stop, members.step
        if stop is None or step % stop.every:
            return {}
        found = {}
        for member, view, loss in zip(members.numbers, members.views, members.loss().tolist(), strict=True):
            if stop.loss_ratio is not None and loss <= stop.loss_ratio * self._first_loss[member]:
                found[member] = f"the loss reached {stop.loss_ratio:g} of its first value at step {step}"
            elif stop.accuracy is not None and view.accuracy >= stop.accuracy:
                found[member] = f"the accuracy reached {stop.accuracy:g} at step {step}"
        return found

    def _handle_commands(self) -> Outcome | None:
        """Do what was asked for; while paused, wait here for what comes next."""
        paused = False
        while True:
            if self._signal:
                return Outcome("stopped", self._signal)
            while self._thread.commands:
                verb = self._thread.commands.popleft().verb
                if verb == "stop":
                    return Outcome("stopped", "stopped by command")
                if verb == "checkpoint":
                    self._checkpoint()
                if verb == "pause" and not paused:
                    self._note("paused", "paused by command")
                    self._thread.set_status("paused")
                    paused = True
                if verb == "resume" and paused:
                    self._note("resumed", "resumed by command")
                    self._thread.set_status("running")
                    paused = False
            if not paused:
                return None
            self._thread.raise_error()
            time.sleep(PAUSE_POLL_S)

    def _end(self, outcome: Outcome) -> Outcome:
        if outcome.status != "diverged":
            self._checkpoint()
        self._note("recording", self._recorder.budget.report(self._thread.progress[1]))
        self._note(outcome.status, outcome.reason or f"trained {self._ensemble.step} steps")
        return outcome

    def _checkpoint(self) -> None:
        if not self._members().has_finite_losses():
            # the next measurement ends the run; what is kept is the last state that was good
            return
        self._recorder.flush()
        # what was measured up to here is on the medium first: after a resume nothing before the checkpoint is repeated
        self._thread.flush(sync=True)
        checkpoint.save(
            self._ensemble.state_dict(),
            self._folder,
            self._recorder.recorded_to,
            self._ensemble.name,
            self._fingerprint,
        )
        self._note("checkpoint", f"checkpoint at step {self._ensemble.step}")

    def _note(self, kind: str, text: str) -> None:
        self._recorder.event(self._ensemble.step, kind, text)


def signal_handler(loop: Loop) -> Callable[[int, object], None]:
    """What the worker does on signals that stop it: checkpoint and end."""
    import signal

    return lambda number, _: loop.ask_to_stop(f"stopped by {signal.Signals(number).name}")
