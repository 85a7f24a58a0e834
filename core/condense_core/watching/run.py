"""A network that is watched while somebody else trains it: hooks, steps, and what its user says of it.

Nothing here may raise in the training: what goes wrong is said once, and the training goes on as if nobody watched.
"""

from __future__ import annotations

import math
import os
import time
import weakref
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from condense_core.runfile.status import Status
from condense_core.scenario.watched import Watched, dumps
from condense_core.watching.choice import choose
from condense_core.watching.described import with_layers
from condense_core.watching.find import Finder
from condense_core.watching.layers import FoundLayer
from condense_core.watching.logged import Logged
from condense_core.watching.recording import Recording, WeightCopy
from condense_core.watching.schedule import is_due

# How often a paused training looks for the command that wakes it.
PAUSE_POLL_S = 0.05

Loss = Tensor | float

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
        first: int = 0,
        hooked: bool = True,
    ) -> None:
        """Without a `recording` nothing is watched, and every call does nothing; where it is not `hooked`, somebody
        calls `hook` before each step."""
        self.id = recording.folder.name if recording is not None else ""
        """The run's id, for `condense-tui attach`; empty where nothing is recorded."""
        self._model, self._optimizer, self._recording = model, optimizer, recording
        self._watched, self._finder, self._asked = watched, finder, layers
        self._layers: list[FoundLayer] = []
        self._modules = -1
        self._every = every
        self._step = first
        self._loss: Loss = math.nan
        self._logged = Logged()
        self._owed = False
        self._stop_asked = False
        self._stop_seen = False
        self._began = math.nan
        self._hooks: list[Any] = []
        self._ended: tuple[Status, str] = ("done", "")
        self.on_stop: Callable[[], None] | None = None
        """Called where somebody asks to stop, in place of `stop_asked`."""
        self.hears: Callable[[], Tensor | None] | None = None
        """Gives the loss before a step, in place of `loss`."""
        if recording is None:
            return
        recording.progress = (first, 0.0)
        living.add(self)
        weakref.finalize(self, recording.finish, "done")
        if optimizer is not None and hooked:
            self._hooks.append(optimizer.register_step_pre_hook(self.hook))

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
            now = self._logged.add(self._step, {**(values or {}), **more})
            recording.scalars(self._step, now)
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
            if self._step and self._layers:
                self._measure(recording, must=True, last=True)
            recording.scalars(self._step, self._logged.rest())
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

    def ended_by(self, error: BaseException) -> None:
        """Remember what ends the process."""
        self._ended = ending(error)

    def is_of(self, model: nn.Module, optimizer: Optimizer | None) -> bool:
        """Whether it watches that training."""
        return self._optimizer is optimizer if optimizer is not None else self._model is model

    def forget_in_fork(self) -> None:
        """In a fork of the process: nothing is recorded here, and nothing is held."""
        if self._recording is not None:
            self._recording.forget()

    def _before_step(self, arguments: tuple[Any, ...]) -> Callable[[], Any] | None:
        """Before the weights change; a closure in place of the one that was given, where that makes the gradient."""
        recording = self._recording
        if recording is None or not recording.usable:
            return None
        begun = time.perf_counter()
        replaced = None
        try:
            if math.isnan(self._began):
                self._begin(recording)
            # what somebody waits for is not what measuring costs
            begun += self._obey(recording)
            if self.hears is not None and (loss := self.hears()) is not None:
                self.loss(loss)
            if self._owed or is_due(self._step, self._every):
                closure = next((each for each in arguments if callable(each)), None)
                if closure is None:
                    self._owed = not self._measure(recording)
                else:
                    replaced = self._within(recording, closure)
            self._step += 1
            recording.progress = (self._step, self._seconds())
        except Exception as error:  # noqa: BLE001 - as in `log`
            recording.give_up(error)
            return None
        spent = time.perf_counter() - begun
        self._began += spent
        recording.spent += spent
        stop = self.on_stop
        if self._stop_asked and stop is not None:
            stop()
        return replaced

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
        device = next((parameter.device for parameter in self._model.parameters()), torch.device("cpu"))
        recording.set_status("running", device=in_words(device), pid=os.getpid())
        recording.event(self._step, "started", f"watching {self._watched.optimizer or 'a training'}")

    def _seconds(self) -> float:
        return max(0.0, time.perf_counter() - self._began)

    def find(self, recording: Recording) -> None:
        """Look for layers, where the network has other modules than the last time."""
        modules = sum(1 for _ in self._model.modules()) + sum(1 for _ in self._model.parameters()) * 1_000_003
        if modules == self._modules:
            return
        again = self._modules >= 0
        self._modules = modules
        found = self._finder.layers()
        if not found:
            self._modules = -1
            return
        names = {layer.name for layer in self._layers}
        chosen, words = choose(found, self._asked, self._finder.not_measured)
        new = [layer for layer in chosen if layer.name not in names]
        if again and not new:
            return
        self._layers += new
        recording.event(self._step, "layers", words if not names else f"new: {', '.join(each.name for each in new)}")
        self._watched = with_layers(self._watched, self._layers)
        recording.set_status("running" if not math.isnan(self._began) else "starting", experiment=dumps(self._watched))

    def _measure(
        self, recording: Recording, *, must: bool = False, last: bool = False, step: int | None = None
    ) -> bool:
        """Copy what is to be measured; whether this step is dealt with, and need not be measured later."""
        seconds = self._seconds()
        names = recording.due(seconds, must=must or self._step == 0)
        if not names:
            return True
        scale = getattr(self._optimizer, "grad_scale", None)
        skipped = getattr(self._optimizer, "found_inf", None)
        if skipped is not None and float(skipped):
            # a scaled gradient that overflowed: the optimizer leaves this step out
            return False
        self.find(recording)
        weights, gradients, geometry = {}, {}, {}
        for layer in list(self._layers):
            try:
                weights[layer.name] = layer.weight()
                gradient = None if last else layer.gradient()
            except Exception as error:  # noqa: BLE001 - one odd layer does not end the others
                self._layers.remove(layer)
                weights.pop(layer.name, None)
                recording.event(self._step, "layers", f"{layer.name} is left out: {type(error).__name__}: {error}")
                continue
            if weights[layer.name].shape != (layer.geometry.kernels, layer.geometry.entries):
                self._layers.remove(layer)
                del weights[layer.name]
                recording.event(self._step, "layers", f"{layer.name} is left out: its shape has changed")
                continue
            geometry[layer.name] = layer.geometry
            if gradient is not None:
                gradients[layer.name] = gradient
        snapshot = WeightCopy(
            step=self._step if step is None else step,
            seconds=seconds,
            geometry=geometry,
            weights=weights,
            gradients=gradients,
            loss=_one(self._loss),
            norm=math.nan if last else _norm(self._model),
            scale=1.0 if scale is None else scale.detach().clone(),
            probes=names,
        )
        if any(weight.is_cuda for weight in weights.values()):
            snapshot.ready = torch.cuda.Event()  # type: ignore[no-untyped-call]
            snapshot.ready.record()
        recording.measure(snapshot)
        recording.scalars(self._step, self._logged.rest())
        return True

    def _obey(self, recording: Recording) -> float:
        """Do what was asked for; while paused, wait here. Seconds that were waited for."""
        paused, waited = math.nan, 0.0
        while True:
            while recording.commands:
                verb = recording.commands.popleft()
                if verb == "stop":
                    self._stop_asked = True
                    recording.event(self._step, "stop", "somebody asks to stop")
                if verb == "pause" and math.isnan(paused):
                    paused = time.perf_counter()
                    recording.event(self._step, "paused", "paused by command")
                    recording.set_status("paused")
                if (verb == "resume" or self._stop_asked) and not math.isnan(paused):
                    waited += time.perf_counter() - paused
                    self._began += time.perf_counter() - paused
                    paused = math.nan
                    recording.event(self._step, "resumed", "resumed by command")
                    recording.set_status("running")
            if math.isnan(paused) or not recording.usable:
                return waited
            time.sleep(PAUSE_POLL_S)

    def _can(self, *abilities: str) -> None:
        import json

        if self._recording is not None:
            status: Status = "starting" if math.isnan(self._began) else "running"
            self._recording.set_status(status, can=json.dumps(abilities))


def ending(error: BaseException | None) -> tuple[Status, str]:
    """How a run ended that this ended."""
    if error is None:
        return "done", ""
    if isinstance(error, KeyboardInterrupt):
        return "stopped", "stopped by Ctrl-C"
    if isinstance(error, SystemExit):
        return ("done", "") if not error.code else ("failed", f"the script ended with {error.code}")
    text = str(error).strip().partition("\n")[0]
    return "failed", f"{type(error).__name__}: {text}".removesuffix(": ")


def in_words(device: torch.device) -> str:
    """The device with its name where it has one."""
    return f"{device} {torch.cuda.get_device_name(device)}" if device.type == "cuda" else device.type


def _one(loss: Loss) -> Loss:
    """A loss as one number that nobody changes, still where it is."""
    if not isinstance(loss, Tensor):
        return loss
    return loss.to(torch.float32, copy=True) if loss.ndim == 0 else loss.float().mean()


def _norm(model: nn.Module) -> Tensor | float:
    """Norm of the whole gradient, still where it is."""
    grads = [p.grad for p in model.parameters() if p.grad is not None and not p.grad.is_sparse]
    if not grads:
        return math.nan
    with torch.no_grad():
        device = grads[0].device
        norms = torch.stack([torch.linalg.vector_norm(grad.float()).to(device) for grad in grads])
        norm: Tensor = torch.linalg.vector_norm(norms)
        return norm
