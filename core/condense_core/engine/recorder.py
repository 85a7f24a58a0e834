"""Between the training loop and the run file: what is recorded at which step, without training ever waiting."""

from __future__ import annotations

from collections.abc import Sequence

from condense_core.engine.probes import Measurement, Probe
from condense_core.engine.view import View
from condense_core.runs.reader import RunReader
from condense_core.runs.writer import Batch, RecordingThread


class Recorder:
    """Runs the probes on the scheduled steps and hands what they found to the writer thread.

    Where the disk is too far behind, a measurement is left out, every second one until it has caught up, and an event
    says so. A resumed run records nothing until it is past what was recorded already: training repeats itself bit for
    bit, so nothing is missing and nothing is there twice.
    """

    def __init__(self, thread: RecordingThread, probes: Sequence[Probe], run: RunReader) -> None:
        self._thread = thread
        self._probes = probes
        instants = run.curve("loss")[0]
        self._recorded_to = int(instants[-1]) if len(instants) else -1
        self._left_out = 0
        self._stride = 1
        self._until_next = 0
        for probe in probes:
            probe.recall(run)

    def record(self, view: View, *, must: bool = False) -> None:
        """Measure and hand over; `must` waits for the disk instead of leaving this step out."""
        if view.step <= self._recorded_to:
            return
        self._until_next -= 1
        if not must and (self._until_next > 0 or not self._thread.has_room()):
            # left out before it is measured: a probe may build on what it recorded last
            self._left_out += 1
            if self._until_next <= 0:
                self._stride = min(64, 2 * self._stride)
                self._until_next = self._stride
            return
        found = Measurement(view.step)
        if self._left_out:
            found.event("slower", f"the disk was behind: {self._left_out} measurements were left out")
        for probe in self._probes:
            probe.measure(view, found)
        self._thread.put(Batch(found.step, found.scalars, found.frames, found.events))
        self._left_out, self._stride, self._until_next = 0, 1, 0

    def event(self, step: int, kind: str, text: str) -> None:
        """Record an event by itself."""
        self._thread.put(Batch(step, [], [], [(kind, text)]))
