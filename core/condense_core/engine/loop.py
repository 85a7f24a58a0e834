"""The training loop: plain steps, with a look at the schedule and at what a viewer asked for between them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from condense_core.engine import checkpoint
from condense_core.engine.recorder import Recorder
from condense_core.engine.stepper import Stepper
from condense_core.engine.view import View
from condense_core.experiment import Experiment
from condense_core.runs.info import Status
from condense_core.runs.writer import RecordingThread
from condense_core.schedule import scheduled_steps

# A paused worker looks this often for the command that wakes it.
PAUSE_POLL_S = 0.05


class Outcome(NamedTuple):
    """How training ended, and why where that is not plain."""

    status: Status
    reason: str = ""


class Loop:
    """Trains one run to its end, its stop condition, a command or a signal."""

    def __init__(
        self, experiment: Experiment, stepper: Stepper, recorder: Recorder, thread: RecordingThread, folder: Path
    ) -> None:
        self._experiment = experiment
        self._stepper = stepper
        self._recorder = recorder
        self._thread = thread
        self._folder = folder
        self._schedule = set(scheduled_steps(experiment))
        self._seconds_before = thread.progress[1]
        self._first_loss = math.nan
        self._signal = ""

    def ask_to_stop(self, reason: str) -> None:
        """Have the loop checkpoint and end after the current step; safe to call from a signal handler."""
        self._signal = reason

    def run(self, first_loss: float) -> Outcome:
        """Train on from the stepper's step; `first_loss` is the loss at step 0."""
        self._first_loss = first_loss
        stepper, schedule, thread = self._stepper, self._schedule, self._thread
        every = self._experiment.stop.every if self._experiment.stop else 0
        last = self._experiment.steps
        # the clock of training: what pauses and measurements take is added, so that it stands still meanwhile
        begun = time.monotonic() - self._seconds_before
        next_checkpoint = time.monotonic() + self._experiment.record.checkpoint_seconds
        while True:
            step = stepper.step
            thread.progress = (step, time.monotonic() - begun)
            if step in schedule or (every and step % every == 0):
                before = time.monotonic()
                outcome = self._measure(step, last)
                begun += time.monotonic() - before
                if outcome is not None:
                    return self._end(outcome)
            if thread.commands or self._signal:
                before = time.monotonic()
                outcome = self._obey()
                begun += time.monotonic() - before
                if outcome is not None:
                    return self._end(outcome)
            if time.monotonic() >= next_checkpoint:
                before = time.monotonic()
                self._checkpoint()
                begun += time.monotonic() - before
                next_checkpoint = time.monotonic() + self._experiment.record.checkpoint_seconds
            stepper.advance()

    def _measure(self, step: int, last: int) -> Outcome | None:
        view = self._stepper.view()
        view.seconds = self._thread.progress[1]
        if not math.isfinite(view.loss):
            advice = "a smaller optimizer.lr may help" if step else "the initial weights (init) are too large"
            return Outcome("diverged", f"the loss is {view.loss} at step {step}; {advice}")
        reached = self._stop_condition(view)
        ends = step == last or bool(reached)
        if step in self._schedule or ends:
            self._recorder.record(view, must=ends)
        return Outcome("done", reached) if ends else None

    def _stop_condition(self, view: View) -> str:
        stop = self._experiment.stop
        if stop is None or view.step % stop.every:
            return ""
        if stop.loss_ratio is not None and view.loss <= stop.loss_ratio * self._first_loss:
            return f"the loss reached {stop.loss_ratio:g} of its first value at step {view.step}"
        if stop.accuracy is not None and view.accuracy >= stop.accuracy:
            return f"the accuracy reached {stop.accuracy:g} at step {view.step}"
        return ""

    def _obey(self) -> Outcome | None:
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
        self._note(outcome.status, outcome.reason or f"trained {self._stepper.step} steps")
        return outcome

    def _checkpoint(self) -> None:
        if not math.isfinite(self._stepper.view().loss):
            # the next measurement ends the run; what is kept is the last state that was good
            return
        # what was measured up to here is committed first: after a resume nothing before the checkpoint is repeated
        self._thread.flush()
        checkpoint.save(self._stepper.state(), self._folder)
        self._note("checkpoint", f"checkpoint at step {self._stepper.step}")

    def _note(self, kind: str, text: str) -> None:
        self._recorder.event(self._stepper.step, kind, text)


def signal_handler(loop: Loop) -> Callable[[int, object], None]:
    """What the worker does on SIGTERM and SIGINT: checkpoint and stop."""
    import signal

    return lambda number, _: loop.ask_to_stop(f"stopped by {signal.Signals(number).name}")
