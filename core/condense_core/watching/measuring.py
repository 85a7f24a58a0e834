"""Measuring what is copied of a training, and writing it: what the recorder's process does."""

from __future__ import annotations

import contextlib
import math
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec
import torch
from torch import Tensor

from condense_core.engine.probes.base import Measurement, Probe
from condense_core.engine.probes.change import Change
from condense_core.engine.probes.condensation import CondensationProbe, SimilarityProbe
from condense_core.engine.probes.members import MemberViews
from condense_core.engine.probes.own import PluginProbe
from condense_core.engine.probes.prediction import AlignmentProbe, SpectrumProbe
from condense_core.engine.probes.view import View
from condense_core.engine.probes.vitals import Vitals
from condense_core.engine.training.plugged import LONGEST_HELP
from condense_core.errors import ScenarioError
from condense_core.foreign import reason
from condense_core.plugins.kinds import OwnProbe
from condense_core.plugins.load import find
from condense_core.runfile.damage import Damage
from condense_core.runfile.precision import CLOCK
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runfile.writer import RecordingThread, StepRecord
from condense_core.scenario.experiment import OWN_PREFIX
from condense_core.watching import pipe, start
from condense_core.watching.budget import FIRST, Allowance
from condense_core.watching.view import WatchedView

COMMANDS_POLL_S = 0.1
# What the recorder has worked before the first measurement.
STARTING = "starting"

MAKERS: Mapping[str, Callable[[View], Probe]] = {
    "similarity": SimilarityProbe,
    "condensation": CondensationProbe,
    "spectrum": SpectrumProbe,
    "alignment": AlignmentProbe,
    "change": Change,
}


class Measurer:
    """Measures what it is sent and writes the run file."""

    def __init__(
        self, folder: Path, answer: Callable[[pipe.Answer], None], worked: Callable[[], float] | None = None
    ) -> None:
        """`worked` says what this process has worked, in seconds of a core; by default what this thread and the
        writer's have."""
        self._folder = folder
        # a damaged measurement of before stops no training
        with RunReader(folder, damage=Damage(left_out=True)) as run:
            steps, losses = run.curve("loss")
            self.resumed = len(steps) > 0
            """Whether it goes on with a run that has rows."""
            self._first_loss = float(losses[0]) if self.resumed else math.nan
            self._before = run.info().seconds
        self._start = start.kept(folder) if self.resumed else {}
        self._thread = RecordingThread(folder, resumable=False)
        self._answer = answer
        # layers that were first seen together have probes of their own, which know how they began
        self._groups: list[tuple[frozenset[str], dict[str, Probe]]] = []
        self._costs: dict[str, float] = {}
        self._budget: Allowance | None = None
        self._worked = worked
        self._began = time.thread_time()
        """What the process had done until here: it imported PyTorch."""
        self._spent = self._copying = self._beside = 0.0
        self._last: dict[str, float] = {}
        self._dear: set[str] = set()
        # probes of which an event says that they run less often
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
            thread.progress = message.step, message.seconds
            self._spent, self._copying, self._beside = message.spent, message.copying, message.beside
        else:
            step, seconds = thread.progress
            if self.measured:
                report = self._report(seconds - self._before)
                thread.put(StepRecord(step, [], [], [("recording", report)]))
            if message.said:
                thread.put(StepRecord(step, [], [], [(message.status, message.reason or f"trained {step:,} steps")]))
            # lost is what an active run is seen to be that nobody records
            status = "running" if message.status == "lost" else message.status
            thread.set_status(status, message.reason)  # type: ignore[arg-type]
            thread.close()
            return False
        return True

    def _measure(self, shot: pipe.Shot, tensors: dict[str, dict[str, Tensor]]) -> None:
        weights, gradients = tensors["weight"], tensors["gradient"]
        found = Measurement(shot.step)
        names = self._affordable(shot, found)
        costs = dict.fromkeys(names, 0.0)
        known = {layer for layers, _ in self._groups for layer in layers}
        new = tuple(layer for layer in weights if layer not in known)
        if new or not self._groups:
            self._begin(shot, weights, new, found)
        for layers, probes in self._groups:
            seen = WatchedView(shot, weights, gradients, tuple(layer for layer in weights if layer in layers))
            view = MemberViews([seen])
            for name in names:
                if name in probes:
                    begun = time.thread_time()
                    probes[name].measure(view, found)
                    costs[name] += time.thread_time() - begun
        self._last |= costs
        for name, seconds in costs.items():
            self._costs[name] = self._costs.get(name, 0.0) + seconds
        if shot.seconds > self._before:
            found.of_all("recording_share", self._total / (shot.seconds - self._before), CLOCK)
        self._thread.put(StepRecord(found.step, found.scalars, found.records, found.events))
        self.measured += 1
        if self._budget is not None:
            self._budget.began(self._besides)
            self._budget.ran(costs)
        self._answer(pipe.Answer(costs=costs, besides=self._besides))

    def _affordable(self, shot: pipe.Shot, found: Measurement) -> list[str]:
        """The probes that run: what they cost is not known where a shot is copied, as long as the first ones wait."""
        if self._budget is None:
            self._budget = Allowance(shot.share, shot.probes)
        budget = self._budget
        if shot.must:
            return list(shot.probes)
        budget.besides = self._copying + self._beside + self._besides
        due = budget.due(shot.seconds - self._before)
        names = [name for name in shot.probes if name in due]
        costs = {name: self._last[name] for name in budget.probes if name not in names and name in self._last}
        if new := [f"{name} ({1000 * cost:.3g} ms)" for name, cost in costs.items() if name not in self._dear]:
            self._dear |= costs.keys()
            words = f"measuring has taken {self._total:.2f} s; measured less often from here on: {', '.join(new)}"
            found.event("slower", words)
        return names

    def _begin(self, shot: pipe.Shot, weights: dict[str, Tensor], new: tuple[str, ...], found: Measurement) -> None:
        """Make the probes of layers that are seen for the first time, which know how these began."""
        first = not self._groups
        began = {layer: weights[layer] for layer in new}
        if self.resumed and first:
            began = {layer: _as_it_began(self._start.get(layer), weights[layer]) for layer in new}
            if any(rows.isnan().all() for rows in began.values()):
                found.event("resumed", "how far layers are from their start is not known: their first weights are gone")
            shot = msgspec.structs.replace(shot, loss=self._first_loss)
        elif first or self._start:
            self._start |= began
            if not start.keep(self._folder, shot, self._start):
                self._start = {}
        view = WatchedView(shot, began, {}, new)
        made: dict[str, Probe] = {"vitals": Vitals(view)} if first else {}
        made |= {name: make(view) for name, make in MAKERS.items()}
        made |= self._of_plugins(first, found)
        if self.resumed and first:
            with RunReader(self._folder, damage=Damage(left_out=True)) as run:
                for probe in made.values():
                    probe.resume(run)
        self._groups.append((frozenset(new), made))

    def _of_plugins(self, first: bool, found: Measurement) -> dict[str, Probe]:
        """Probes of plugins, which this process imports; those of the network measure beside the first layers. What is
        missing or broken is an event."""
        made: dict[str, Probe] = {}
        asked = () if self._budget is None else self._budget.probes
        for name in asked:
            if not name.startswith(OWN_PREFIX):
                continue
            try:
                own, plugin = find(OwnProbe, name.removeprefix(OWN_PREFIX))
            except ScenarioError as error:
                if first:
                    found.event("plugin", str(error))
                continue
            if first:
                found.event("plugin", f"own probe {own.name} of {plugin}: {own.help[:LONGEST_HELP]}")
            if first or own.of == "layer":
                made[name] = PluginProbe(own, plugin)
        return made

    @property
    def _own(self) -> float:
        """Seconds of a core that this process has worked, from its beginning."""
        return time.thread_time() + self._thread.seconds if self._worked is None else self._worked()

    @property
    def _total(self) -> float:
        """All that watching has cost, in seconds of a core: in the training's process and in this one."""
        return self._copying + self._beside + self._own

    @property
    def _besides(self) -> float:
        """What this process has worked, without the probes that may be left out."""
        return self._own - sum(seconds for name, seconds in self._costs.items() if name != FIRST)

    def _report(self, trained: float) -> str:
        rest = self._own - self._began - self._thread.seconds - sum(self._costs.values())
        parts = {
            STARTING: self._began,
            "copying": self._copying,
            "sending": self._beside,
            "writing": self._thread.seconds,
            "receiving": rest,
            **self._costs,
        }
        return took(self._total, parts, trained, self._spent)

    def _pass_on(self) -> None:
        """Say what viewers ask for."""
        with contextlib.suppress(OSError):  # training is gone, which standard input says too
            while True:
                time.sleep(COMMANDS_POLL_S)
                while self._thread.commands:
                    self._answer(pipe.Answer(command=self._thread.commands.popleft().verb))


def took(total: float, parts: Mapping[str, float], trained: float, held_up: float) -> str:
    """What measuring has taken, in seconds, the dearest part first. Of a training that was over sooner than the
    recorder had started it is said what that start took in place of a share, since any longer one pays it once, too."""
    dearest = sorted(parts.items(), key=lambda item: -item[1])
    words = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in dearest if seconds >= 0.005)
    start, of, held = parts[STARTING], "", ""
    if trained > 0:
        once = f", of which the recorder's start, once in a run, {start:.2f} s"
        of = once if trained < start else f", {100 * total / trained:.1f} % of training"
        held = f", and held it up for {held_up:.2f} s"
    return f"measuring took {total:.2f} s beside it{of}{held}" + (f": {words}" if words else "")


def serve(
    folder: Path,
    incoming: BinaryIO,
    answer: Callable[[pipe.Answer], None],
    *,
    keep_empty: bool = False,
    worked: Callable[[], float] | None = None,
) -> int:
    """Record what comes in until it ends, which is 0, or cannot be recorded, which is 1 and said in an answer.

    Whoever calls this holds the run. `worked` as for a `Measurer`.
    """
    recorder = None
    try:
        recorder = Measurer(folder, answer, worked)
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


def _as_it_began(kept: Tensor | None, now: Tensor) -> Tensor:
    """The rows that a layer began with; NaN where they are not known, of which nothing can be told."""
    return kept if kept is not None and kept.shape == now.shape else torch.full_like(now, math.nan)


def _failed(folder: Path, why: str) -> None:
    with contextlib.suppress(Exception), writer(folder / FILE_NAME) as connection, contextlib.suppress(sqlite3.Error):
        connection.execute(
            "UPDATE run SET status = 'failed', reason = ?, heartbeat = ?",
            (f"it was not watched to its end: {why}; training went on", time.time()),
        )
