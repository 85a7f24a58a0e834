"""Watching a script that knows nothing of it: what it trains is found by what it does."""

from __future__ import annotations

import dataclasses
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from condense_core.foreign import reason
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import revision_at
from condense_core.runs.take_up import TakenUp
from condense_core.scenario.watched import Watched
from condense_core.watching import offered
from condense_core.watching.begin import BUDGET, bare, rank
from condense_core.watching.budget import Allowance
from condense_core.watching.choice import choose
from condense_core.watching.described import in_words
from condense_core.watching.ending import StopAskedError, ending
from condense_core.watching.find import Finder, unwrapped
from condense_core.watching.heard import heard
from condense_core.watching.offered import Offer
from condense_core.watching.recording import Recording
from condense_core.watching.resumed import OtherLayersError, Resumed, resumed_as
from condense_core.watching.rounds import changes
from condense_core.watching.run import WatchedRun
from condense_core.watching.sharded import Shards, is_sharded


class Untouched:
    """One run of a script: the first optimizer that makes a step is the one whose network is watched."""

    def __init__(self, folder: Path, start: str, script: str, arguments: Sequence[str]) -> None:
        """`start` is `new`, `resume`, or the step that the run is resumed at."""
        with RunReader(folder) as run:
            watched, info, upto = run.subject, run.info(), run.last_step
        assert isinstance(watched, Watched)
        self._watched = watched
        self._resumed: Resumed | None = None
        if start != "new":
            module = script.startswith("-m ")
            file = Path.cwd() / "module" if module else Path(script).resolve()
            at = revision_at(file.parent)
            named = script if module else str(file)
            now = Watched(name=watched.name, script=named, arguments=tuple(arguments), revision=at)
            step = int(start) if start.isdecimal() else None
            self._resumed = resumed_as(TakenUp(info, watched, upto), now, step)
        self._recording: Recording | None = Recording(folder, Allowance(BUDGET), keep_empty=True, alone=True)
        # what the script forks may outlive it
        os.register_at_fork(after_in_child=self._recording.forget)
        if self._resumed is not None:
            self._recording.progress = (self._resumed.last, self._resumed.seconds)
        self._run: WatchedRun | None = None
        self._optimizer: Optimizer | None = None
        self._others: set[int] = set()
        self._hooked = register_optimizer_step_pre_hook(self._before_step)
        self._heard = heard()
        # the script's own `watch` knows better what is to be measured
        offered.make(Offer(self._recording, watched, self._resumed, self._taken))

    def ended(self, error: BaseException | None) -> None:
        """Record how the script ended."""
        self._hooked.remove()
        offered.take()
        status, why = ending(error)
        if self._run is not None:
            self._run.close(status, why)
        elif self._recording is not None:
            if status == "done":
                status, why = "failed", "the script made no step with a torch.optim.Optimizer: nothing was watched"
            self._recording.finish(status, why)

    def _taken(self, run: WatchedRun | None) -> None:
        """From now on the script's own run is watched, and nothing else; None where it goes on in another one."""
        self._hooked.remove()
        self._recording, self._run = None, run
        if run is not None:
            run.on_stop = _interrupt

    def _before_step(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        recording = self._recording
        if recording is None or not recording.usable:
            return None
        try:
            if self._optimizer is None:
                self._optimizer = optimizer
                self._begin(optimizer, recording)
            run = self._run
            if run is None:
                return None
            if optimizer is not self._optimizer:
                self._tell_of(optimizer, run, recording)
                run.other_hook(optimizer, args, kwargs)
                return None
        except OtherLayersError as error:
            # it was started to go on with that run
            print(f"condense-tui: not resumed: {error}", file=sys.stderr, flush=True)  # noqa: T201 - the run's log
            recording.finish("failed", f"not resumed: {error}; what was recorded stands")
            raise SystemExit(1) from None
        except Exception as error:  # noqa: BLE001 - the script goes on, whatever this is
            recording.give_up(error)
            return None
        return run.hook(optimizer, args, kwargs)

    def _begin(self, optimizer: Optimizer, recording: Recording) -> None:
        offered.take()
        if rank() != 0:
            recording.finish("done")
            self._recording = None
            return
        import msgspec

        model = network_of(optimizer)
        watched, resumed = self._watched, self._resumed
        if resumed is None:
            watched = msgspec.structs.replace(watched, optimizer=in_words(optimizer))
        else:
            now = msgspec.structs.replace(resumed.now, optimizer=in_words(optimizer))
            resumed = dataclasses.replace(resumed, now=now)
        run = self._run = WatchedRun(
            model,
            optimizer,
            recording,
            watched,
            finder=Finder(model),
            layers=("*",),
            resumed=resumed,
            shards=self._shards(model),
            hooked=False,
        )
        run.on_stop = _interrupt
        run.hears = self._heard.take
        parameters = sum(parameter.numel() for parameter in model.parameters())
        name = type(unwrapped(model)).__name__
        words = f"found {name} ({parameters:,} parameters), trained by {in_words(optimizer)}"
        print(f"condense-tui: {words}", file=sys.stderr, flush=True)  # noqa: T201 - the run's log
        recording.event(recording.progress[0], "found", words)
        run.find(recording)

    def _shards(self, model: nn.Module) -> Shards | None:
        if not is_sharded(model):
            return None
        if self._resumed is not None:
            raise OtherLayersError("a training whose parameters are spread over processes is not resumed")
        finder = Finder(model)
        return Shards(model, None, lambda: choose(finder.layers(), ("*",), finder.not_measured))

    def _tell_of(self, optimizer: Optimizer, run: WatchedRun, recording: Recording) -> None:
        """Say once of another optimizer whether it is watched: where it changes the same network."""
        if id(optimizer) in self._others or bare(optimizer) is self._optimizer:
            return
        self._others.add(id(optimizer))
        shared = changes(optimizer, run.model)
        if shared:
            run.also(optimizer)
        does = f"changes {shared:,} parameters of it, too" if shared else "changes another network, and is not watched"
        recording.event(recording.progress[0], "found", f"another optimizer, {in_words(optimizer)}, {does}")


def network_of(optimizer: Optimizer) -> nn.Module:
    """The module that has most of an optimizer's parameters, and is part of no other; where there is none, its bare
    parameters as one."""
    wanted = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    # by their types alone: asked for their class, lazy objects of libraries do what they were to do later
    modules = [found for found in gc.get_objects() if issubclass(type(found), nn.Module)]
    inside = {id(child) for module in modules for child in module._modules.values()}
    best: nn.Module | None = None
    most = 0
    for module in modules:
        if id(module) in inside:
            continue
        try:
            shared = sum(id(parameter) in wanted for parameter in module.parameters())
        except Exception as error:  # noqa: BLE001 - half-made modules of any library are among all objects
            print(f"condense-tui: a module is passed over: {reason(error)}", file=sys.stderr)  # noqa: T201
            continue
        if shared > most:
            best, most = module, shared
    if best is not None:
        return best
    loose = nn.Module()
    for number, group in enumerate(optimizer.param_groups):
        for place, parameter in enumerate(group["params"]):
            loose.register_parameter(f"group{number}_{place}", parameter)
    return loose


def _interrupt() -> None:
    raise StopAskedError
