"""The training's end of a recording: copies go to a process of its own, and training never waits for it.

It holds copies of weights and never the network, so that a training that is over can be forgotten.
"""

from __future__ import annotations

import contextlib
import math
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from condense_core import typed
from condense_core.foreign import reason
from condense_core.runfile.status import Status
from condense_core.scenario.geometry import Geometry
from condense_core.watching import pipe
from condense_core.watching.budget import Allowance
from condense_core.watching.forked import Forked

# Bytes of copies that may wait to be measured: what a person does not miss beside a training.
MOST_WAITING = 256 * 2**20
# Copies that may wait: where measuring is slower than training, the later ones of many do as well.
MOST_SNAPSHOTS = 64
# The recorder is told how far training is so often, which is how often it writes that.
BEAT_S = 0.5
# What waits when training ends is measured while its process waits so long, and after that without it.
PATIENCE_S = 20.0


@dataclass(eq=False)
class WeightCopy:
    """What was copied of a network before a step: rows and their gradients by layer, on its device."""

    step: int
    seconds: float
    probes: tuple[str, ...]
    must: bool = False
    geometry: dict[str, Geometry] = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)
    gradients: dict[str, Tensor] = field(default_factory=dict)
    loss: Tensor | float = math.nan
    norm: Tensor | float = math.nan
    scale: Tensor | float = 1.0
    """What loss and gradient were multiplied with, as in training with half the digits."""
    ready: torch.cuda.Event | None = None
    """On a GPU: when the copies are made."""
    small: Mapping[str, Tensor] = field(default_factory=dict)

    def in_order_of(self, names: Sequence[str]) -> None:
        """Have the layers in this order, in which viewers list them."""
        self.weights = {name: self.weights[name] for name in names if name in self.weights}

    @property
    def size(self) -> int:
        """Bytes that are held."""
        held = (*self.weights.values(), *self.gradients.values(), *self.small.values())
        return sum(tensor.numel() * tensor.element_size() for tensor in held)


class Recording:
    """One run while it is recorded. Whatever goes wrong is said once, and then nothing is recorded any more."""

    def __init__(
        self,
        folder: Path,
        budget: Allowance,
        *,
        keep_empty: bool = False,
        as_before: tuple[Status, str] | None = None,
        alone: bool = False,
    ) -> None:
        """`keep_empty`: a run of which nothing was measured stays. `as_before`: how one was that is resumed, which
        stays, and is so again where no step is made. `alone`: nobody's code but this program's has run in this
        process, of which the recorder can be a fork."""
        self.folder = folder
        self.commands: deque[str] = deque()
        """What viewers have asked for; the training's thread takes it."""
        self.progress = (0, 0.0)
        """Step reached and seconds trained."""
        self.as_before = as_before
        """None from the first step on."""
        self.spent = 0.0
        """Seconds for which the training's own thread was held up."""
        self.copying = 0.0
        """What that took of a core."""
        self._beside = self._there = 0.0
        # of a core: what sending has taken here, and all but the probes in the recorder's process
        self._pid = os.getpid()
        self._over = self._forgotten = False
        self._lock = threading.RLock()
        self._budget = budget
        self._said = ""
        self._bytes = 0
        self._waiting: queue.SimpleQueue[WeightCopy | pipe.ToRecorder] = queue.SimpleQueue()
        keep_empty = keep_empty or as_before is not None
        self._process = _forked(folder, keep_empty) if alone else _started(folder, keep_empty)
        threading.Thread(target=self._send, name="condense-send", daemon=True).start()
        threading.Thread(target=self._hear, name="condense-hear", daemon=True).start()

    @property
    def usable(self) -> bool:
        """Whether this process records; a fork of it does not."""
        return not self._over and os.getpid() == self._pid

    def allow(self, budget: Allowance) -> None:
        """Measure what this allows from now on; before anything is measured."""
        with self._lock:
            self._budget = budget

    def due(self, seconds: float, *, must: bool = False) -> tuple[str, ...]:
        """The probes that run at a step `seconds` into training; none where there is no time for any."""
        if must:
            return self._budget.probes
        if self._bytes > MOST_WAITING or self._waiting.qsize() > MOST_SNAPSHOTS:
            return ()
        with self._lock:
            self._budget.besides = self.copying + self._beside + self._there
            return tuple(self._budget.due(seconds))

    def measure(self, snapshot: WeightCopy) -> None:
        """Have a snapshot measured."""
        with self._lock:
            self._bytes += snapshot.size
            self._budget.ask(snapshot.probes)
        self._put(snapshot)

    def event(self, step: int, kind: str, text: str) -> None:
        """Record an event."""
        self._put(pipe.SaidNow(step=step, event=(kind, text)))

    def scalars(self, step: int, values: list[tuple[str, float]]) -> None:
        """Record values that somebody else measured."""
        if values and self._waiting.qsize() < 100 * MOST_SNAPSHOTS:
            self._put(pipe.SaidNow(step=step, scalars=tuple(values)))

    def set_status(self, status: Status, **columns: str | int | float | None) -> None:
        """Write how the run is, and more of its row."""
        self._put(pipe.RowChange(status=status, columns=columns))

    def finish(self, status: Status, reason: str = "") -> None:
        """Have what waits measured, and how the run ended recorded; the second time nothing."""
        if not self.usable:
            return
        self._put(self._end(status, reason[:2_000]))
        self._over = True
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE_S)

    def give_up(self, error: BaseException | str) -> None:
        """Say once that the run is not recorded any more; training goes on."""
        if not self.usable:
            return
        with self._lock:
            if self._over:
                return
            self._over = True
        why = error if isinstance(error, str) else reason(error)
        print(  # noqa: T201 - the training is somebody else's, and goes on
            f"condense-tui: this training is not watched any more: {why}; training goes on", file=sys.stderr
        )
        self._waiting.put(self._end("failed", f"it was not watched to its end: {why}"))

    def refuse(self, why: str) -> None:
        """Say that training does not go on with this run, which is left as it was."""
        print(  # noqa: T201
            f"condense-tui: this training is not watched: {why}; training goes on", file=sys.stderr
        )
        self.finish("failed", why)

    def _end(self, status: Status, reason: str) -> pipe.End:
        if self.as_before is not None:
            return pipe.End(status=self.as_before[0], reason=self.as_before[1], said=False)
        return pipe.End(status=status, reason=reason)

    def forget(self) -> None:
        """In a fork: let go of the pipe, by which the recorder knows that training is there; once."""
        if self._forgotten:
            return
        self._forgotten = True
        for file in (self._process.stdin, self._process.stdout):
            if file is not None:
                with contextlib.suppress(OSError):
                    os.close(file.fileno())
        # a second close, of whatever has that number then, would be of somebody else's file
        self._kept = (self._process.stdin, self._process.stdout)

    def _put(self, item: WeightCopy | pipe.ToRecorder) -> None:
        if self.usable:
            self._waiting.put(item)

    def _send(self) -> None:
        told = 0.0
        file: Any = self._process.stdin
        try:
            while True:
                try:
                    item: WeightCopy | pipe.ToRecorder | None = self._waiting.get(timeout=BEAT_S)
                except queue.Empty:
                    item = None
                if time.monotonic() - told > BEAT_S or isinstance(item, pipe.End):
                    step, seconds = self.progress
                    self._beside = time.thread_time()
                    pipe.write(
                        file,
                        pipe.At(
                            step=step, seconds=seconds, spent=self.spent, copying=self.copying, beside=self._beside
                        ),
                    )
                    told = time.monotonic()
                if isinstance(item, WeightCopy):
                    _send(file, item, self._budget.share)
                    with self._lock:
                        self._bytes -= item.size
                elif item is not None:
                    pipe.write(file, item)
                if isinstance(item, pipe.End):
                    file.close()
                    return
        except BrokenPipeError:
            # why it is gone it says itself, or its end does
            return
        except Exception as error:  # noqa: BLE001 - training goes on, whatever this is
            self.give_up(error)

    def _hear(self) -> None:
        file: Any = self._process.stdout
        try:
            for line in file:
                answer = typed.from_json(line, pipe.Answer)
                if answer.failed:
                    self.give_up(answer.failed)
                if answer.command:
                    self.commands.append(answer.command)
                if answer.costs:
                    with self._lock:
                        self._there = answer.besides
                        self._budget.began(answer.besides)
                        self._budget.ran(answer.costs)
            if not self._over:
                self.give_up(f"the process that records it has gone (status {self._process.wait()})")
        except Exception as error:  # noqa: BLE001 - as in `_send`
            self.give_up(error)


def _started(folder: Path, keep_empty: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "condense_core.watching.recorder", str(folder)]
    return subprocess.Popen(
        [*command, *(["--keep-empty"] if keep_empty else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Ctrl-C in a terminal is meant for the training, whose end is recorded
        start_new_session=True,
        env=_environment(),
    )


def _forked(folder: Path, keep_empty: bool) -> Forked | subprocess.Popen[bytes]:
    # a library that starts a thread where it is imported may hold a lock, which a fork would have for ever
    if threading.active_count() > 1:
        return _started(folder, keep_empty)
    return Forked(folder, keep_empty=keep_empty)


def _send(file: Any, snapshot: WeightCopy, share: float) -> None:
    """A snapshot through the pipe; from a GPU it is copied beside what it trains, which does not wait for it."""
    beside: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    if snapshot.ready is not None:
        stream = torch.cuda.Stream(snapshot.ready.device)  # type: ignore[no-untyped-call]
        stream.wait_event(snapshot.ready)
        beside = torch.cuda.stream(stream)
    with torch.no_grad(), beside:
        said: list[pipe.SentTensor] = []
        data: list[Any] = []
        for part, tensors in (
            ("weight", snapshot.weights),
            ("gradient", snapshot.gradients),
            ("small", snapshot.small),
        ):
            of_part = pipe.sent(part, {name: tensor.cpu() for name, tensor in tensors.items()})
            said += of_part[0]
            data += of_part[1]
        loss, norm, scale = map(float, (snapshot.loss, snapshot.norm, snapshot.scale))
    shot = pipe.Shot(
        step=snapshot.step,
        seconds=snapshot.seconds,
        loss=loss,
        norm=norm,
        scale=scale,
        probes=snapshot.probes,
        share=share,
        must=snapshot.must,
        geometry=snapshot.geometry,
        tensors=tuple(said),
    )
    pipe.write(file, shot, data)


def _environment() -> dict[str, str]:
    """The recorder's: this program is found as it is here, and one thread leaves the others to the training."""
    import condense_core

    top = str(Path(condense_core.__file__).parents[1])
    paths = [top, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    quiet = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return {**os.environ, **quiet, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
