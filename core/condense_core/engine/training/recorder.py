"""Between the training loop and the run file: what is recorded at which step, without training ever waiting."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

import numpy as np

from condense_core.engine.network.observation import Observation
from condense_core.engine.probes import Measurement, Probe
from condense_core.engine.training.budget import Budget
from condense_core.runfile import frames
from condense_core.runfile.precision import CLOCK, DOUBLE
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RecordingThread, StepRecord
from condense_core.scenario.experiment import Experiment

Probes = Mapping[str, Probe]


class Recorder:
    """Runs the probes of each member on the scheduled steps and hands what they found to the writer thread.

    Where the disk is too far behind, a measurement is left out, every second one until it has caught up, and an event
    says so; where measuring takes too much of the time, the most expensive probe runs less often. A resumed run records
    nothing until it is past what was recorded already: training repeats itself bit for bit, so nothing is missing and
    nothing is there twice.
    """

    def __init__(self, thread: RecordingThread, probes: Sequence[Probes], run: RunReader) -> None:
        """`probes` has those of each of the experiment's members."""
        self._thread = thread
        self._probes = probes
        self._experiment: Experiment = run.experiment
        instants = run.curve("loss")[0]
        self.recorded_to = int(instants[-1]) if len(instants) else -1
        """The last step that was measured, -1 before the first."""
        self._left_out = 0
        self._stride = 1
        self._until_next = 0
        record = self._experiment.record
        self.budget = Budget(probes[0], record.budget, record.grace_seconds)
        for member, own in enumerate(probes):
            of_member = run.member(member)
            for probe in own.values():
                probe.resume(of_member)

    def record(self, observations: Mapping[int, Observation], *, must: bool = False) -> None:
        """Measure each member and hand over; `must` measures all there is, and waits for the disk instead of leaving
        this step out."""
        observation = next(iter(observations.values()))
        if observation.step <= self.recorded_to:
            return
        self._until_next -= 1
        if not must and (self._until_next > 0 or not self._thread.has_room()):
            # left out before it is measured: a probe may build on what it recorded last
            self._left_out += 1
            if self._until_next <= 0:
                self._stride = min(64, 2 * self._stride)
                self._until_next = self._stride
            return
        due = self.budget.due(observation.seconds if observation.seconds > 0 else 0.0)
        names = list(self._probes[0]) if must else due
        if not names:
            if self.budget.notice:
                self.event(observation.step, "slower", self.budget.notice)
            return
        costs = dict.fromkeys(names, 0.0)
        found = {member: self._measure(member, of, costs) for member, of in observations.items()}
        self.budget.ran(costs)
        together = self._merge(observation.step, found) if len(self._probes) > 1 else found[0]
        if self._left_out:
            together.event("slower", f"the disk was too slow: {self._left_out} measurements were skipped")
        if self.budget.notice and not must:
            together.event("slower", self.budget.notice)
        if observation.seconds > 0:
            together.scalar("recording_share", self.budget.total / observation.seconds, CLOCK)
        self._thread.put(StepRecord(together.step, together.scalars, together.frames, together.events))
        self.recorded_to = together.step
        self._left_out, self._stride, self._until_next = 0, 1, 0

    def diverged(self, step: int, member: int, text: str) -> None:
        """Record that a member of an ensemble has no finite loss any more."""
        told = frames.Members(names=("diverged",), members=(member,), values=frames.Array.of([[1.0]], "f8"))
        self._thread.put(StepRecord(step, [], [("", told)], [("diverged", f"{self.name_of(member)}: {text}")]))

    def event(self, step: int, kind: str, text: str) -> None:
        """Record an event by itself."""
        self._thread.put(StepRecord(step, [], [], [(kind, text)]))

    def name_of(self, member: int) -> str:
        """A member as events call it: by its seed, or by that of its data."""
        own = self._experiment.members[member]
        return f"data seed {own.data.seed}" if self._experiment.ensemble.vary == "data" else f"seed {own.seed}"

    def _measure(self, member: int, observation: Observation, costs: dict[str, float]) -> Measurement:
        """What the probes named in `costs` find; the time they take is added there."""
        found = Measurement(observation.step)
        for name in costs:
            begun, before = time.perf_counter(), found.one_time
            self._probes[member][name].measure(observation, found)
            costs[name] += time.perf_counter() - begun - (found.one_time - before)
        return found

    def _merge(self, step: int, found: Mapping[int, Measurement]) -> Measurement:
        together = Measurement(step)
        columns = [dict(measured.scalars) for measured in found.values()]
        names = list(dict.fromkeys(name for column in columns for name in column))
        values = np.array([[column.get(name, math.nan) for column in columns] for name in names], np.float64)
        for name, of_members in zip(names, values, strict=True):
            known = of_members[~np.isnan(of_members)]
            together.scalar(name, float(known.mean()) if len(known) else math.nan, DOUBLE)
        all_of_them = frames.Members(
            names=tuple(names), members=tuple(found), values=frames.Array.of(values.reshape(len(names), -1), "f8")
        )
        together.frame("", all_of_them)
        for member, measured in found.items():
            for layer, frame in measured.frames:
                together.frame(frames.place(layer, member), frame)
            for kind, text in measured.events:
                together.event(kind, f"{self.name_of(member)}: {text}")
        return together
