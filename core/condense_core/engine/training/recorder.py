"""Between the training loop and the run file: what is recorded at which step, without training ever waiting."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import NamedTuple

from condense_core.engine.probes import Measurement, MemberViews, Probe
from condense_core.engine.probes.several_steps import SeveralMeasurements, SeveralSteps
from condense_core.engine.training.budget import Budget
from condense_core.engine.training.kept_steps import KeptSteps
from condense_core.runfile import frames
from condense_core.runfile.precision import CLOCK
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RecordingThread, StepRecord
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.schedule import scheduled_steps


class _Due(NamedTuple):
    """What is measured at a step, and what is said of it."""

    step: int
    names: list[str]
    told: list[tuple[str, str]]


class Recorder:
    """Runs the probes of each member on the scheduled steps and hands what they found to the writer thread.

    Where the disk is too far behind, a measurement is left out, every second one until it has caught up, and an event
    says so; where measuring takes too much of the time, the most expensive probe runs less often. A resumed run records
    nothing until it is past what was recorded already: training repeats itself bit for bit, so nothing is missing and
    nothing is there twice.
    """

    def __init__(self, thread: RecordingThread, probes: Mapping[str, Probe], run: RunReader) -> None:
        """`probes` measure all of the experiment's members."""
        self._thread = thread
        self._probes = probes
        self._experiment: Experiment = run.experiment
        self._members = self._experiment.ensemble.members
        instants = run.curve("loss")[0]
        self.recorded_to = int(instants[-1]) if len(instants) else -1
        """The last step that was measured, -1 before the first."""
        # a run that repeats itself loses those again that it had lost before it was killed
        self._lost = {number for number, value in enumerate(run.of_draws("diverged")) if value == 1}
        self._left_out = 0
        self._stride = 1
        self._until_next = 0
        record = self._experiment.record
        self.budget = Budget(probes, record.budget, record.grace_seconds, len(scheduled_steps(self._experiment)))
        self._looked = 0.0
        self._due: _Due | None = None
        self._kept = KeptSteps(probes, self.budget)
        # there is nothing to go on from in a run that has not begun
        for number in range(self._members) if self.recorded_to >= 0 else ():
            of_member = run.member(number)
            for probe in probes.values():
                probe.resume(of_member, number)

    def is_due(self, step: int, seconds: float, *, must: bool = False) -> bool:
        """Whether anything is measured at this step, so many seconds into training, for which `record` is to be called
        then. To be asked once."""
        self._due = self._found_due(step, seconds, must=must)
        return self._due is not None

    def record(self, members: MemberViews, *, must: bool = False) -> None:
        """Measure the members and hand over; `must` measures all there is, and waits for the disk instead of leaving
        this step out."""
        due, self._due = self._due, None
        if due is None or due.step != members.step:
            due = self._found_due(members.step, members.seconds, must=must)
        if due is None:
            return
        _, names, told = due
        if not self._kept.add(members, names, told):
            self.flush()
            if not self._kept.add(members, names, told):
                self._record_now(members, names, told)
        if self._kept.is_full:
            self.flush()
        self._kept.looked()

    def flush(self) -> None:
        """Measure what was kept of the steps before, and hand it over."""
        kept = self._kept.take()
        if kept is None:
            return
        costs = dict(kept.costs)
        found = SeveralMeasurements([step.step for step in kept.steps], kept.numbers, ensemble=self._several)
        members = SeveralSteps(kept.steps)
        for name in kept.names:
            begun = time.perf_counter()
            if name in kept.found:
                found.add_of(kept.found[name])
            else:
                self._probes[name].measure(members, found)
            costs[name] += time.perf_counter() - begun
        before, spent = self.budget.total, sum(costs.values())
        self.budget.ran(costs, len(kept.steps))
        shares = [
            (before + spent * (at + 1) / len(kept.steps)) / step.seconds if step.seconds > 0 else math.nan
            for at, step in enumerate(kept.steps)
        ]

        def whole() -> list[StepRecord]:
            return [
                self._whole(part, told, share)
                for part, told, share in zip(found.each_step(), kept.told, shares, strict=True)
            ]

        self._thread.put(whole() if found.is_whole else whole)
        self.recorded_to = kept.steps[-1].step

    def _found_due(self, step: int, seconds: float, *, must: bool) -> _Due | None:
        if step <= self.recorded_to:
            return None
        self._until_next -= 1
        if not must and (self._until_next > 0 or not self._thread.has_room()):
            # left out before it is measured: a probe may build on what it recorded last
            self._left_out += 1
            if self._until_next <= 0:
                self._stride = min(64, 2 * self._stride)
                self._until_next = self._stride
            return None
        names = self.budget.due(seconds if seconds > 0 else 0.0, must=must)
        if not names:
            if self.budget.notice:
                self.event(step, "slower", self.budget.notice)
            return None
        told = []
        if self._left_out:
            told.append(("slower", f"the disk was too slow: {self._left_out} measurements were skipped"))
        if self.budget.notice and not must:
            told.append(("slower", self.budget.notice))
        self._left_out, self._stride, self._until_next = 0, 1, 0
        return _Due(step, names, told)

    @property
    def is_overdue(self) -> bool:
        """Whether what was kept has waited as long as a viewer may be kept waiting."""
        return self._kept.is_overdue

    def _record_now(self, members: MemberViews, names: list[str], told: list[tuple[str, str]]) -> None:
        costs = dict.fromkeys(names, 0.0)
        found = self._measure(members, costs)
        self.budget.ran(costs)
        share = self.budget.total / members.seconds if members.seconds > 0 else math.nan
        # what was left for later is worked out in the writer's thread
        self._thread.put(self._whole(found, told, share) if found.is_whole else lambda: self._whole(found, told, share))
        self.recorded_to = found.step

    def took(self, seconds: float) -> None:
        """Count what the training thread has spent on looking at its members, whatever for: views and losses, probes,
        what is made once, and handing over; what the writer's thread has worked is counted with it."""
        self._looked += seconds
        alone = self._looked - sum(self.budget.seconds.values())
        self.budget.besides = max(0.0, alone) + self._thread.seconds

    def diverged(self, step: int, member: int, text: str) -> None:
        """Record that a member of an ensemble has no finite loss any more; once, however often it is repeated."""
        if member in self._lost:
            return
        self._lost.add(member)
        self.flush()
        told = frames.Members(names=("diverged",), members=(member,), values=frames.Array.of([[1.0]], "f8"))
        self._thread.put(StepRecord(step, [], [("", told)], [("diverged", f"{self.name_of(member)}: {text}")]))

    def event(self, step: int, kind: str, text: str) -> None:
        """Record an event by itself."""
        self.flush()
        self._thread.put(StepRecord(step, [], [], [(kind, text)]))

    def name_of(self, member: int) -> str:
        """A member as events call it: by its seed, or by that of its data."""
        seed, data_seed = self._experiment.seeds_of(member)
        return f"data seed {data_seed}" if self._experiment.ensemble.vary == "data" else f"seed {seed}"

    def _whole(self, found: Measurement, told: list[tuple[str, str]], share: float) -> StepRecord:
        """What was found, as it is written; `share` is what measuring has taken by then, of the time trained."""
        found.finish()
        if not math.isnan(share):
            found.of_all("recording_share", share, CLOCK)
        events = [
            (kind, f"{self.name_of(number)}: {text}" if self._several else text)
            for number, kind, text in found.member_events
        ]
        return StepRecord(found.step, found.scalars, found.records, events + told)

    @property
    def _several(self) -> bool:
        return self._members > 1

    def _measure(self, members: MemberViews, costs: dict[str, float]) -> Measurement:
        """What the probes named in `costs` find; the time they take is added there."""
        found = Measurement(members.step, members.numbers, ensemble=self._several)
        for block in members.blocks():
            part = found if block is members else Measurement(members.step, block.numbers)
            for name in costs:
                begun = time.perf_counter()
                self._probes[name].measure(block, part)
                costs[name] += time.perf_counter() - begun
            if part is not found:
                found.add(part)
        return found
