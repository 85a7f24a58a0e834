"""A network that is watched while somebody else trains it: hooks, steps, and what its user says of it.

Nothing here may raise in the training: what goes wrong is said once, and the training goes on as if nobody watched.
"""

from __future__ import annotations

import math
import os
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from condense_core.runfile.status import Status
from condense_core.scenario.watched import Watched
from condense_core.watching.copies import Copies
from condense_core.watching.copying import Loss, in_words, number
from condense_core.watching.ending import ending, obeyed
from condense_core.watching.find import Finder
from condense_core.watching.logged import Logged
from condense_core.watching.recording import Recording, WeightCopy
from condense_core.watching.resumed import OtherLayersError, Resumed
from condense_core.watching.schedule import is_due
from condense_core.watching.sharded import NotAllError, Shards

living: weakref.WeakSet[WatchedRun] = weakref.WeakSet()
"""Runs of this process that are not over."""


class WatchedRun:
    """The run of one training. Made by `condense_core.watch`; thread-safe it is not: it belongs to the training's."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer | None,
        recording: Recording | None,
        watched: Watched,
        *,
        finder: Finder,
        layers: tuple[str, ...],
        every: int | None = None,
        resumed: Resumed | None = None,
        others: Sequence[Optimizer] = (),
        shards: Shards | None = None,
        hooked: bool = True,
    ) -> None:
        """Without a `recording` nothing is watched, and every call does nothing; where it is not `hooked`, somebody
        calls `hook` before each step. With `resumed` the run has rows already. `others` are optimizers beside the one
        whose steps count. With `shards` this process copies together with others, whether it records or not.
        """
        self.id = recording.folder.name if recording is not None else ""
        """The run's id, for `condense-tui attach`; empty where nothing is recorded."""
        self.model = model
        """The network."""
        self._optimizer, self._recording = optimizer, recording
        self._copies = Copies(
            model,
            optimizer,
            watched,
            finder=finder,
            asked=layers,
            resumed=resumed,
            others=others,
            shards=shards,
        )
        self._every = every
        self._resumed = resumed
        self._step = 0 if resumed is None else resumed.last
        # what was recorded up to there stands
        self._upto = -1 if resumed is None else resumed.upto
        self._before = 0.0 if resumed is None else resumed.seconds
        self._loss: Loss = math.nan
        self._logged = Logged()
        self._owed = False
        self._measured = False
        self._stop_asked = False
        self._stop_seen = False
        self._began = math.nan
        self._hooks: list[Any] = []
        self._ended: tuple[Status, str] = ("done", "")
        self.on_stop: Callable[[], None] | None = None
        """Called where somebody asks to stop a loop that does not look at `stop_asked`."""
        self.hears: Callable[[], Tensor | None] | None = None
        """Gives the loss before a step, in place of `loss`."""
        if recording is not None:
            recording.progress = (self._step, self._before)
            living.add(self)
            weakref.finalize(self, recording.finish, "done")
        elif shards is None:
            return
        if optimizer is not None and hooked:
            self._hooks.append(optimizer.register_step_pre_hook(self.hook))
            self._hooks += [other.register_step_pre_hook(self.other_hook) for other in self._copies.others]

    # what a training's author calls

    def loss(self, loss: Loss) -> None:
        """Say what the loss is, the tensor or a number. It is kept without its history, and read at a measured step."""
        self._loss = loss.detach() if isinstance(loss, Tensor) else loss

    def listen(self, criterion: nn.Module) -> None:
        """Take the loss from what that module gives."""
        reference = weakref.ref(self)

        def heard(_: nn.Module, __: tuple[Any, ...], output: Any) -> None:
            run = reference()
            if run is not None and isinstance(output, Tensor) and output.requires_grad:
                run.loss(output)

        self._hooks.append(criterion.register_forward_hook(heard))

    def log(self, values: Mapping[str, Loss] | None = None, /, **more: Loss) -> None:
        """Record numbers of any names, as curves: `run.log(accuracy=0.93)`, `run.log({"val/loss": 0.2})`."""
        recording = self._recording
        if recording is None or not recording.usable:
            return
        try:
            now = self._logged.add({**(values or {}), **more})
            self._record(recording, now)
        except Exception as error:  # noqa: BLE001 - nothing is raised in somebody's training
            recording.give_up(error)

    def step(self, loss: Loss | None = None) -> None:
        """Without an optimizer that tells by itself: call it after `backward` and before the update."""
        if loss is not None:
            self.loss(loss)
        self._before_step(())

    @property
    def stop_asked(self) -> bool:
        """Whether somebody has asked, from a screen or a command, that training should stop; for you to heed."""
        recording = self._recording
        if recording is None or not recording.usable:
            return False
        if not self._stop_seen:
            # only now is it known that somebody would heed it
            self._stop_seen = True
            self._can("pause", "stop")
        self._obey(recording)
        return self._stop_asked

    def close(self, status: Status = "done", reason: str = "") -> None:
        """End the run; what was trained last is measured. The second time nothing happens."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
        living.discard(self)
        recording, self._recording = self._recording, None
        if recording is None or not recording.usable:
            return
        try:
            copies = self._copies
            copies.end_round(recording)
            # putting the layers together would wait for the other processes
            if self._step and copies.layers and self._step > self._upto and copies.shards is None:
                self._measure(recording, must=True, last=True)
            self._record(recording, self._logged.rest())
        except Exception as error:  # noqa: BLE001 - as in `log`
            recording.give_up(error)
        if status == "done" and not reason:
            status, reason = self._ended
        if self._stop_asked and status == "done":
            status, reason = "stopped", "stopped by command"
        recording.finish(status, reason)

    def __enter__(self) -> WatchedRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close(*ending(error))

    # what its hooks call

    def hook(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """An optimizer's pre-step hook. As one it keeps this run alive for as long as there is the optimizer."""
        own = args[1:] if args and args[0] is optimizer else args
        replaced = self._before_step((*own, *kwargs.values()))
        if replaced is None:
            return None
        swapped = tuple(replaced if callable(each) and each is not optimizer else each for each in args)
        return swapped, {name: replaced if callable(each) else each for name, each in kwargs.items()}

    def other_hook(self, optimizer: Optimizer, _: tuple[Any, ...], __: dict[str, Any]) -> None:
        """The pre-step hook of an optimizer beside the one whose steps count."""
        recording = self._recording
        if recording is None or not recording.usable or not self._copies.waits_for(optimizer):
            return
        begun, worked = time.perf_counter(), time.thread_time()
        try:
            self._copies.other_step(recording, optimizer)
        except Exception as error:  # noqa: BLE001 - as in `log`
            recording.give_up(error)
        self._spent(recording, begun, worked)

    def also(self, optimizer: Optimizer) -> None:
        """From now on an optimizer is known that changes some of the layers; somebody calls `other_hook` before its
        steps."""
        self._copies.others.append(optimizer)

    def ended_by(self, error: BaseException) -> None:
        """Remember what ends the process."""
        self._ended = ending(error)

    def is_of(self, model: nn.Module, optimizer: Optimizer | None) -> bool:
        """Whether it watches that training."""
        return self._optimizer is optimizer if optimizer is not None else self.model is model

    def forget_in_fork(self) -> None:
        """In a fork of the process: nothing is recorded here, and nothing is held."""
        if self._recording is not None:
            self._recording.forget()

    def _before_step(self, arguments: tuple[Any, ...]) -> Callable[[], Any] | None:
        """Before the weights change; a closure in place of the one that was given, where that makes the gradient."""
        recording = self._recording
        begun, worked = time.perf_counter(), time.thread_time()
        closure = next((each for each in arguments if callable(each)), None)
        usable = recording is not None and recording.usable
        due, replaced = self._with_others(closure, help_them=not usable)
        if recording is None or not recording.usable:
            return replaced
        try:
            if math.isnan(self._began):
                self._begin(recording)
            self._copies.end_round(recording)
            # what somebody waits for is not what measuring costs
            begun += self._obey(recording)
            if self.hears is not None and (loss := self.hears()) is not None:
                self.loss(loss)
            if self._copies.shards is None:
                due = self._step > self._upto and (self._owed or is_due(self._step, self._every))
            if due:
                if closure is None:
                    self._owed = not self._measure(recording)
                else:
                    replaced = self._within(recording, closure)
            self._step += 1
            recording.progress = (self._step, self._before + self._seconds())
        except OtherLayersError as error:
            recording.refuse(str(error))
            return None
        except Exception as error:  # noqa: BLE001 - as in `log`
            recording.give_up(error)
            return None
        self._spent(recording, begun, worked)
        stop = self.on_stop
        if self._stop_asked and stop is not None and not self._stop_seen:
            stop()
        return replaced

    def _with_others(
        self, closure: Callable[[], Any] | None, *, help_them: bool
    ) -> tuple[bool, Callable[[], Any] | None]:
        """Whether this step is one at which all processes copy. `help_them` where nothing is recorded here: that is
        done at once, or in a closure in place of the one that makes the gradient."""
        shards = self._copies.shards
        if shards is None:
            return False, None
        try:
            due = shards.next_is_due()
            if not due or not help_them:
                return due, None
            if closure is not None:
                return due, shards.within(closure)
            shards.take_part()
        except NotAllError as error:
            if self._recording is not None and self._recording.usable:
                self._recording.refuse(str(error))
        except Exception:  # noqa: BLE001 - the process that records has met the same, and says it
            shards.off = True
        return False, None

    def _within(self, recording: Recording, closure: Callable[[], Any]) -> Callable[[], Any]:
        """The closure, measured once its first call has made loss and gradient at the weights as they are now."""
        step = self._step
        waiting = [True]

        def measured() -> Any:
            loss = closure()
            if waiting and recording.usable:
                waiting.clear()
                try:
                    if isinstance(loss, Tensor | float):
                        self.loss(loss)
                    self._measure(recording, step=step)
                except Exception as error:  # noqa: BLE001 - as in `log`
                    recording.give_up(error)
            return loss

        return measured

    def _begin(self, recording: Recording) -> None:
        self._began = time.perf_counter()
        device = next((parameter.device for parameter in self.model.parameters()), torch.device("cpu"))
        resumed = self._resumed
        self._copies.status = "running"
        if resumed is not None:
            self.find(recording)
            if not self._copies.layers:
                raise OtherLayersError(f"this network has none of the layers of {self.id}")
            self._step, why = resumed.start(self._optimizer)
            # the first step that is new is measured, scheduled or not
            self._owed = True
            recording.as_before = None
        recording.set_status("running", device=in_words(device), pid=os.getpid())
        if resumed is None:
            recording.event(self._step, "started", f"watching {self._copies.watched.optimizer or 'a training'}")
        else:
            recording.event(self._step, "resumed", resumed.told(self._step, why))

    def _record(self, recording: Recording, values: list[tuple[str, float]]) -> None:
        """Record what was logged; nothing of a step of which there is something already, in a run that is resumed."""
        if self._step > self._upto:
            recording.scalars(self._step, values)

    def find(self, recording: Recording) -> None:
        """Look for layers, where the network has other modules than the last time."""
        self._copies.find(recording, self._step)

    def _measure(
        self, recording: Recording, *, must: bool = False, last: bool = False, step: int | None = None
    ) -> bool:
        """Copy what is to be measured; whether this step is dealt with, and need not be measured later."""
        seconds = self._seconds()
        must = must or not self._measured
        names = recording.due(seconds, must=must or self._copies.shards is not None)
        if not names:
            return True
        copy = WeightCopy(
            step=self._step if step is None else step,
            seconds=self._before + seconds,
            loss=number(self._loss),
            probes=names,
            must=must,
        )
        dealt_with = self._copies.take(recording, copy, last=last)
        if dealt_with:
            self._measured = True
            self._record(recording, self._logged.rest())
        return dealt_with

    def _spent(self, recording: Recording, begun: float, worked: float) -> None:
        """Note what this thread has done since these two clocks: that was no training."""
        spent = time.perf_counter() - begun
        self._began += spent
        recording.spent += spent
        recording.copying += time.thread_time() - worked

    def _seconds(self) -> float:
        return max(0.0, time.perf_counter() - self._began)

    def _obey(self, recording: Recording) -> float:
        """Do what was asked for; while paused, wait here. Seconds that were waited for."""
        waited, stop = obeyed(recording, self._step)
        self._stop_asked |= stop
        self._began += waited
        return waited

    def _can(self, *abilities: str) -> None:
        import json

        if self._recording is not None:
            status: Status = "starting" if math.isnan(self._began) else "running"
            self._recording.set_status(status, can=json.dumps(abilities))
