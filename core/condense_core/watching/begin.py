"""`watch`: the one way in for somebody's own training loop."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import torch
from torch import nn
from torch.optim import Optimizer

from condense_core.errors import CondenseError, RunFileError, nearest
from condense_core.foreign import reason
from condense_core.runfile.info import RunAbility
from condense_core.runfile.rows import LARGEST_STEP
from condense_core.runs.create import create_watched, revision_at
from condense_core.runs.place import runs_folder
from condense_core.runs.take_up import take_up, watched_folder
from condense_core.scenario.checked import OWN_NAME
from condense_core.scenario.experiment import OWN_PREFIX
from condense_core.scenario.watched import Watched
from condense_core.watching import ends, offered
from condense_core.watching.budget import FIRST, PROBES, Allowance
from condense_core.watching.choice import choose
from condense_core.watching.described import described, place_of_script
from condense_core.watching.ending import ending
from condense_core.watching.find import Finder, Reads, unwrapped
from condense_core.watching.offered import Offer
from condense_core.watching.recording import Recording
from condense_core.watching.resumed import Resumed, resumed_in, same_layers
from condense_core.watching.run import WatchedRun, living
from condense_core.watching.sharded import Shards, is_sharded

# The share of training time that measuring may take.
BUDGET = 0.03


def watch(
    model: nn.Module,
    optimizer: Optimizer | Sequence[Optimizer] | None = None,
    *,
    loss: nn.Module | None = None,
    name: str = "",
    config: object = None,
    layers: str | Sequence[str] = "*",
    split: Mapping[str, int] | None = None,
    rows: Reads = "out",
    steps: int | None = None,
    every: int | None = None,
    probes: Sequence[str] = PROBES,
    budget: float = BUDGET,
    resume: str | Path | None = None,
    step: int | None = None,
    enabled: bool | None = None,
    runs_dir: str | Path | None = None,
) -> WatchedRun:
    """Record how the layers of a network condense while you train it; watch it with `condense-tui attach`.

    Everything is measured before the optimizer's step, in a thread of its own; weights and random numbers are the same
    bits with and without. With an `optimizer` its step is heard of by itself, otherwise call `run.step(loss)` after
    `backward` and before the update. Of several optimizers the first one's steps count, and each layer is measured
    before the step of the optimizer that changes it.

    `loss` is the module that computes the loss, or call `run.loss(loss)`. `config` is noted: a mapping, a dataclass,
    what argparse gives. `layers` names those that are measured, `*` standing for anything; by default those that are
    trained, without embeddings and the output layer. `split` says into how many parts the rows of a fused layer are
    split, as `{"*.c_attn": 3}`; `rows` which way round bare 2-d parameters are. `steps` is how many there will be, if
    you know; `every` measures every so many steps in place of ever fewer. `probes` are what is measured, of
    `similarity`, `condensation`, `spectrum`, `alignment` and `change`, and `own:NAME` of a plugin (docs/PLUGINS.md);
    loss, gradient and speed always are. `budget` is the share of training time that measuring may take.

    `resume` names a watched run, by its id or its folder, whose training you resume from a checkpoint of your own: it
    goes on in the same file, with the layers that it has. `step` is the step of the checkpoint; by default what the
    optimizer counts at its first step, as Adam's does, or else the step that the run had reached. What was recorded
    after that step stands, and is not recorded again. `enabled` is true on rank 0 alone unless you say otherwise.

    TypeError and ValueError for arguments of other kinds; whatever goes wrong later is said once, and training goes on.
    """
    optimizers = _optimizers(optimizer)
    _check(model, loss, every, budget)
    _check_step(resume, step)
    names = _probes(probes)
    inner = optimizers[0] if optimizers else None
    takes_part = enabled is not False
    if enabled is None:
        enabled = rank() == 0
    asked = (layers,) if isinstance(layers, str) else tuple(layers)
    network = unwrapped(model)
    finder = Finder(network, split=split, reads=rows)
    watched = described(name, optimizers, config)
    for other in list(living):
        # a notebook's cell that runs once more watches the same training: that is another run
        if other.is_of(network, inner):
            other.close()
    shards: Shards | None = None
    if takes_part and is_sharded(network):
        shards = Shards(network, every, lambda: choose(finder.layers(), asked, finder.not_measured))
    begun = _Begun(None, watched, None)
    if enabled:
        going_on = None if resume is None else _GoingOn(resume, step, network, finder, asked)
        allowed = Allowance(budget, names)
        begun = _joined(watched, runs_dir, allowed, name=name, step=step, going_on=going_on) or _opened(
            watched, runs_dir, allowed, steps=steps, going_on=going_on
        )
    recording, watched, resumed, offer = begun
    run = WatchedRun(
        network,
        inner,
        recording,
        watched,
        finder=finder,
        layers=asked,
        every=every,
        resumed=resumed,
        others=() if shards is not None else optimizers[1:],
        shards=shards,
    )
    if recording is not None:
        ends.heed()
        try:
            if resumed is None and shards is None:
                run.find(recording)
        except CondenseError as error:
            run.close(*ending(ValueError(error)))
            raise ValueError(str(error)) from None
        except Exception as error:  # noqa: BLE001 - a network that cannot be looked at can still be trained
            recording.give_up(error)
        if recording.usable:
            _tell(run, recording, offer, watched.name, steps)
    if loss is not None:
        run.listen(loss)
    return run


def bare(optimizer: Any) -> Optimizer | None:
    """The optimizer itself, without what accelerate and others put around it."""
    while optimizer is not None and isinstance(getattr(optimizer, "optimizer", None), Optimizer):
        optimizer = optimizer.optimizer
    found: Optimizer | None = optimizer
    return found


def rank() -> int:
    """This process's number among those that train together; 0 where there is one."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank()
    return int(os.environ.get("RANK", "0") or 0)


def spread() -> bool:
    """Whether several processes train together, of which one alone cannot be paused."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _optimizers(given: object) -> list[Optimizer]:
    """All of them, without what is around them."""
    several = [given] if not isinstance(given, list | tuple) else list(given)
    found = [bare(each) for each in several if each is not None]
    for each in found:
        if not isinstance(each, Optimizer):
            raise TypeError(f"watch: optimizer: expected a torch.optim.Optimizer, got {type(each).__name__}")
    return [each for each in found if each is not None]


def _probes(given: Sequence[str]) -> tuple[str, ...]:
    """The probes that run, the loss first, on which the others hang."""
    names = [given] if isinstance(given, str) else list(given)
    # whether a plugin has them, the recorder's process finds out
    own = [name for name in dict.fromkeys(names) if _is_own(name)]
    unknown = [name for name in names if name not in PROBES and name not in own]
    if unknown:
        told = "; ".join(f"unknown {name!r}, {nearest(str(name), PROBES)}" for name in unknown)
        raise ValueError(f"watch: probes: {told}")
    return (*(name for name in PROBES if name in names or name == FIRST), *own)


def _is_own(name: str) -> bool:
    lead, colon, own = str(name).partition(":")
    return lead + colon == OWN_PREFIX and bool(OWN_NAME.fullmatch(own))


def _check(model: object, loss: object, every: object, budget: object) -> None:
    if not isinstance(model, nn.Module):
        raise TypeError(f"watch: model: expected a torch.nn.Module, got {type(model).__name__}")
    if loss is not None and not isinstance(loss, nn.Module):
        raise TypeError(
            f"watch: loss: expected the module that computes it, got {type(loss).__name__}; for a value,"
            " call run.loss(loss) before each step"
        )
    if every is not None and not (isinstance(every, int) and every >= 1):
        raise ValueError(f"watch: every: expected a number of steps, 1 or more, got {every!r}")
    if not (isinstance(budget, int | float) and 0 < budget <= 1):
        raise ValueError(f"watch: budget: expected a share of the time, above 0 and at most 1, got {budget!r}")


def _check_step(resume: object, step: object) -> None:
    if resume is not None and not isinstance(resume, str | Path):
        raise TypeError(f"watch: resume: expected a run's id or its folder, got {type(resume).__name__}")
    if step is not None and resume is None:
        raise ValueError("watch: step: only a run that is resumed (resume=) begins at another step than 0")
    if step is not None and not (isinstance(step, int) and 0 <= step <= LARGEST_STEP):
        raise ValueError(f"watch: step: expected a number of steps, 0 or more, got {step!r}")


class _Begun(NamedTuple):
    """A run that is recorded, what it says of its training, how it was where it is resumed, and what it was offered
    as; without a recording nothing is watched."""

    recording: Recording | None
    watched: Watched
    resumed: Resumed | None
    offer: Offer | None = None


def _taken(resume: str | Path | None, runs_dir: str | Path | None) -> Offer | None:
    """The run that the command has begun; none where the script goes on with another one, which that run then says."""
    offer = offered.take()
    if offer is None or resume is None:
        return offer
    with contextlib.suppress(CondenseError):  # what is not there is another one, of which it is said below
        if offer.is_run(runs_folder(None if runs_dir is None else Path(runs_dir)), resume):
            return offer
    offer.recording.finish("failed", f"the script itself goes on with another run: condense-tui attach {resume}")
    offer.taken(None)
    return None


def _joined(
    watched: Watched,
    runs_dir: str | Path | None,
    budget: Allowance,
    *,
    name: str,
    step: int | None,
    going_on: _GoingOn | None,
) -> _Begun | None:
    """The run that the command has begun, with what the script says of its training; None where there is none."""
    offer = _taken(None if going_on is None else going_on.run, runs_dir)
    if offer is None:
        return None
    offer.recording.allow(budget)
    own = {"optimizer": watched.optimizer, "config": watched.config}
    if offer.resumed is None:
        named = watched.name if name and offer.watched.name == described("", (), None).name else offer.watched.name
        return _Begun(offer.recording, msgspec.structs.replace(offer.watched, name=named, **own), None, offer)
    now = msgspec.structs.replace(offer.resumed.now, **own)
    asked = offer.resumed.asked if step is None else step
    resumed = dataclasses.replace(offer.resumed, now=now, asked=asked)
    return _Begun(offer.recording, msgspec.structs.replace(offer.watched, **own), resumed, offer)


def _tell(run: WatchedRun, recording: Recording, offer: Offer | None, name: str, steps: int | None) -> None:
    """Say which run it is; one that the command has begun is the script's from here on, which stands in it, too."""
    words = f"watch this training: condense-tui attach {run.id}"
    if offer is not None:
        offer.taken(run)
        if offer.resumed is not None and is_sharded(run.model):
            recording.refuse("a training whose parameters are spread over processes is not resumed")
            return
        words = "the script watches itself, in this run: its watch() says what is measured"
        recording.event(recording.progress[0], "found", words)
        known = {} if steps is None else {"steps": steps}
        recording.set_status("starting", name=name, **known)
    print(f"condense-tui: {words}", file=sys.stderr)  # noqa: T201


class _GoingOn(NamedTuple):
    """The run that is resumed, at which step, and the network that is to be the one that is recorded there."""

    run: str | Path
    step: int | None
    model: nn.Module
    finder: Finder
    layers: tuple[str, ...]


def _opened(
    watched: Watched, runs_dir: str | Path | None, budget: Allowance, *, steps: int | None, going_on: _GoingOn | None
) -> _Begun:
    """A new run, or the one that is resumed; none where that cannot be, which is said."""
    can: tuple[RunAbility, ...] = () if spread() else ("pause",)
    try:
        runs = runs_folder(None if runs_dir is None else Path(runs_dir))
        at = revision_at(place_of_script(watched))
        if going_on is None:
            folder = create_watched(watched, runs=runs, revision=at, steps=steps, can=can)
            return _Begun(Recording(folder, budget), watched, None)
        folder = watched_folder(runs, going_on.run)
        resumed = resumed_in(folder, msgspec.structs.replace(watched, revision=at), going_on.step)
        if is_sharded(going_on.model):
            raise RunFileError(f"{folder.name}: a training whose parameters are spread over processes is not resumed")
        same_layers(resumed, going_on.finder, going_on.layers)
        take_up(folder, can=can, steps=steps)
        return _Begun(Recording(folder, budget, as_before=(resumed.status, resumed.reason)), watched, resumed)
    except Exception as error:  # noqa: BLE001 - training does not need to be watched
        print(  # noqa: T201
            f"condense-tui: this training is not watched: {reason(error)}; training goes on", file=sys.stderr
        )
        return _Begun(None, watched, None)
