"""Measuring what is copied of a training, and writing it: what the recorder's process does."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from torch import Tensor

from condense_core.engine.probes.base import Measurement, Probe
from condense_core.engine.probes.change import Change
from condense_core.engine.probes.condensation import CondensationProbe, SimilarityProbe
from condense_core.engine.probes.members import MemberViews
from condense_core.engine.probes.prediction import AlignmentProbe, SpectrumProbe
from condense_core.engine.probes.view import View
from condense_core.engine.probes.vitals import Vitals
from condense_core.foreign import reason
from condense_core.runfile.precision import CLOCK
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runfile.writer import RecordingThread, StepRecord
from condense_core.watching import pipe
from condense_core.watching.view import WatchedView

COMMANDS_POLL_S = 0.1

MAKERS: Mapping[str, Callable[[View], Probe]] = {
    "similarity": SimilarityProbe,
    "condensation": CondensationProbe,
    "spectrum": SpectrumProbe,
    "alignment": AlignmentProbe,
    "change": Change,
}


class Measurer:
    """Measures what it is sent and writes the run file."""

    def __init__(self, folder: Path, answer: Callable[[pipe.Answer], None]) -> None:
        self._thread = RecordingThread(folder)
        self._answer = answer
        # layers that were first seen together have probes of their own, which know how they began
        self._groups: list[tuple[frozenset[str], dict[str, Probe]]] = []
        self._costs: dict[str, float] = {}
        self._once = 0.0
        self._spent = 0.0
        self.measured = 0
        threading.Thread(target=self._pass_on, daemon=True).start()

    def obey(self, message: pipe.ToRecorder, tensors: dict[str, dict[str, Tensor]] | None) -> bool:
        """Do what a message says; False where it was the last one."""
        thread = self._thread
        if isinstance(message, pipe.Shot):
            assert tensors is not None
            self._measure(message, tensors)
        elif isinstance(message, pipe.SaidNow):
            events = [] if message.event is None else [message.event]
            thread.put(StepRecord(message.step, list(message.scalars), [], events))
        elif isinstance(message, pipe.RowChange):
            thread.set_status(message.status, message.reason, **message.columns)  # type: ignore[arg-type]
        elif isinstance(message, pipe.At):
            thread.progress, self._spent = (message.step, message.seconds), message.spent
        else:
            step, seconds = thread.progress
            if self.measured:
                thread.put(StepRecord(step, [], [], [("recording", self._report(seconds))]))
            thread.put(StepRecord(step, [], [], [(message.status, message.reason or f"trained {step:,} steps")]))
            thread.set_status(message.status, message.reason)  # type: ignore[arg-type]
            thread.close()
            return False
        return True

    def _measure(self, shot: pipe.Shot, tensors: dict[str, dict[str, Tensor]]) -> None:
        weights, gradients = tensors["weight"], tensors["gradient"]
        found, costs = Measurement(shot.step), dict.fromkeys(shot.probes, 0.0)
        begun = time.process_time()
        known = {layer for layers, _ in self._groups for layer in layers}
        new = tuple(layer for layer in weights if layer not in known)
        if new or not self._groups:
            start = WatchedView(shot, weights, gradients, new)
            made: dict[str, Probe] = {} if self._groups else {"vitals": Vitals(start)}
            self._groups.append((frozenset(new), made | {name: make(start) for name, make in MAKERS.items()}))
        self._once += time.process_time() - begun
        for layers, probes in self._groups:
            seen = WatchedView(shot, weights, gradients, tuple(layer for layer in weights if layer in layers))
            view = MemberViews([seen])
            for name in shot.probes:
                if name in probes:
                    begun = time.process_time()
                    probes[name].measure(view, found)
                    costs[name] += time.process_time() - begun
        for name, seconds in costs.items():
            self._costs[name] = self._costs.get(name, 0.0) + seconds
        if shot.seconds > 0:
            found.of_all("recording_share", self._total / shot.seconds, CLOCK)
        self._thread.put(StepRecord(found.step, found.scalars, found.frames, found.events))
        self.measured += 1
        self._answer(pipe.Answer(costs=costs))

    @property
    def _total(self) -> float:
        """All that watching has cost: the training's own time, and that of this process."""
        return self._spent + self._once + sum(self._costs.values())

    def _report(self, trained: float) -> str:
        parts = {"copying": self._spent, "calibration": self._once, **self._costs}
        dearest = sorted(parts.items(), key=lambda item: -item[1])
        words = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in dearest if seconds >= 0.005)
        of = f", {self._total / trained:.1%} of training" if trained > 0 else ""
        held = f", and held it up for {self._spent:.2f} s" if trained > 0 else ""
        return f"measuring took {self._total:.2f} s beside it{of}{held}" + (f": {words}" if words else "")

    def _pass_on(self) -> None:
        """Say what viewers ask for."""
        with contextlib.suppress(OSError):  # training is gone, which standard input says too
            while True:
                time.sleep(COMMANDS_POLL_S)
                while self._thread.commands:
                    self._answer(pipe.Answer(command=self._thread.commands.popleft().verb))


def serve(folder: Path, incoming: BinaryIO, answer: Callable[[pipe.Answer], None], *, keep_empty: bool = False) -> int:
    """Record what comes in until it ends, which is 0, or cannot be recorded, which is 1 and said in an answer.

    Whoever calls this holds the run.
    """
    recorder = None
    try:
        recorder = Measurer(folder, answer)
        going = True
        while going and (message := pipe.read(incoming)) is not None:
            tensors = None
            if isinstance(message, pipe.Shot) and (tensors := pipe.read_tensors(incoming, message)) is None:
                break
            going = recorder.obey(message, tensors)
        if not recorder.measured and not keep_empty:
            shutil.rmtree(folder, ignore_errors=True)
    except Exception as error:  # noqa: BLE001 - the boundary of the process: training is told, and goes on
        why = reason(error)
        with contextlib.suppress(OSError, ValueError):
            answer(pipe.Answer(failed=why))
        if (recorder is None or not recorder.measured) and not keep_empty:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            _failed(folder, why)
        return 1
    return 0


def _failed(folder: Path, why: str) -> None:
    with contextlib.suppress(Exception), writer(folder / FILE_NAME) as connection, contextlib.suppress(sqlite3.Error):
        connection.execute(
            "UPDATE run SET status = 'failed', reason = ?, heartbeat = ?",
            (f"it was not watched to its end: {why}; training went on", time.time()),
        )
